import Bytes
import Files
import Zstd

/// The one writer of a log. Owned by one thread; the caller holds the data folder's lock.
///
/// `open` recovers; `commit` makes a group durable; `seal` ends cleanly; `free` drops what the tables hold.
package final class LogWriter {
    package struct Options: Sendable {
        package var segmentBytes: Int
        package init(segmentBytes: Int = 64 << 20) { self.segmentBytes = segmentBytes }
    }

    /// A group that is durable.
    package struct Committed: Equatable, Sendable {
        package let sequence: UInt64
        package let commitMicros: Int64
    }

    /// A segment that is no longer written to.
    struct SealedSegment {
        let header: SegmentHeader
        let projects: [String: UInt64]
        let size: LogSize
    }

    package let folder: String
    package let lineage: UUID16
    package private(set) var lastSequence: UInt64
    package private(set) var lastCommitMicros: Int64
    private let options: Options
    private let disk: Disk
    private let state: SourceState
    private let markFile: File
    private var sealed: [SealedSegment]
    private var active: ActiveSegment?
    /// What the next segment follows.
    private var previous: SegmentHeader?
    private var random = SystemRandomNumberGenerator()

    init(
        folder: String, lineage: UUID16, lastSequence: UInt64, lastCommitMicros: Int64, options: Options, disk: Disk,
        state: SourceState, sealed: [SealedSegment], previous: SegmentHeader?
    ) throws(FileError) {
        self.folder = folder
        self.lineage = lineage
        self.lastSequence = lastSequence
        self.lastCommitMicros = lastCommitMicros
        self.options = options
        self.disk = disk
        self.state = state
        self.sealed = sealed
        self.previous = previous
        markFile = try File.open(folder + "/" + DurableMark.fileName, .createOrOpen(0o600), disk: disk)
    }

    /// Makes the gathered group durable: write → fdatasync → mark. The draft is empty afterwards, whatever happens.
    ///
    /// Crash story: before the fdatasync returns, the record may be there, in part or not at all; nobody was told.
    /// After it, recovery finds the record whether or not the mark was written. If the disk refuses, the group goes
    /// with its sequence to a new segment whose header excludes whatever the old one got of it.
    /// - Returns: the group's sequence; what follows may be acknowledged.
    /// - Throws: nothing of the group is durable for a reader, and none of it may be acknowledged. `.file` of the mark
    ///   itself leaves the log unusable: the caller must stop.
    package func commit(_ draft: inout GroupDraft, nowMicros: Int64) throws(WALError) -> Committed {
        let commitMicros = max(nowMicros, lastCommitMicros)
        let record: RecordDraft
        do { record = try draft.finish(sequence: lastSequence + 1, commitMicros: commitMicros) } catch {
            preconditionFailure("zstd refused to compress: \(error)")
        }
        do {
            try place(record, commitMicros: commitMicros)
            lastSequence += 1
            lastCommitMicros = commitMicros
            try writeMark()
        } catch {
            throw .file(error)
        }
        return Committed(sequence: lastSequence, commitMicros: commitMicros)
    }

    /// Whether the last durable record is also marked; false only after the mark could not be written.
    package private(set) var isMarked = true

    private func place(_ record: RecordDraft, commitMicros: Int64) throws(FileError) {
        if let active, !active.hasRoom(for: record) { roll(commitMicros: commitMicros) }
        if let active {
            do {
                try active.write(record)
                try active.synchronize()
                return
            } catch {
                // The kernel may have dropped the pages: this descriptor is done with.
                abandonActive()
            }
        }
        try startSegment(
            atLeast: ActiveSegment.bytesNeeded(for: record), createdMicros: commitMicros, records: [record])
    }

    private func writeMark() throws(FileError) {
        guard let active else { return }
        isMarked = false
        let mark = DurableMark(
            lineage: lineage, segment: active.header.number, byteOffset: active.end, sequence: lastSequence,
            commitMicros: lastCommitMicros)
        try markFile.write(mark.encoded(), at: 0)
        isMarked = true
    }

    /// Ends the active segment with a footer. Its records were durable before, so a failure costs only the footer.
    private func roll(commitMicros: Int64) {
        do { try active?.seal(commitMicros: commitMicros) } catch {
            // The successor's header says where this segment ends; the footer only saves a scan.
        }
        abandonActive()
    }

    private func abandonActive() {
        guard let segment = active else { return }
        active = nil
        sealed.append(
            SealedSegment(
                header: segment.header, projects: segment.durableProjects,
                size: segment.size))
        previous = segment.header
    }

    /// Makes the next segment and appends to it from now on; on failure there is none, and the next commit tries again.
    func startSegment(atLeast bytes: Int, createdMicros: Int64, records: [RecordDraft]) throws(FileError) {
        let checkpoint = state.save()
        let header = SegmentHeader(
            lineage: lineage, uuid: .random(using: &random), number: (previous?.number ?? 0) + 1,
            previousUUID: previous?.uuid ?? .zero, previousLastRecord: lastSequence, createdMicros: createdMicros,
            checkpointHash: XXH64.hash(checkpoint))
        active = try ActiveSegment.create(
            header, in: folder, segmentBytes: max(options.segmentBytes, bytes), checkpoint: checkpoint,
            records: records, disk: disk)
    }

    /// Takes over records that recovery copied into the segment it built.
    func adopt(lastSequence: UInt64, commitMicros: Int64) throws(FileError) {
        self.lastSequence = lastSequence
        lastCommitMicros = max(lastCommitMicros, commitMicros)
        try writeMark()
    }

    /// Ends the log cleanly: the next start needs no recovery.
    /// - Throws: the footer is not there; nothing is lost, but the next start recovers.
    package func seal(nowMicros: Int64) throws(WALError) {
        guard let active else { return }
        defer { abandonActive() }
        do { try active.seal(commitMicros: max(nowMicros, lastCommitMicros)) } catch { throw .file(error) }
    }

    /// Seals the active segment now if it holds records, so that `free` can drop it, and starts another.
    ///
    /// A disk that refuses costs nothing yet: the next commit tries again, and `free` spares what the mark names.
    /// - Throws: `.file` of the mark; `isMarked` is then false and the caller must stop.
    package func rotate(nowMicros: Int64) throws(WALError) {
        guard let active, active.size.recordBytes > 0 else { return }
        let commitMicros = max(nowMicros, lastCommitMicros)
        roll(commitMicros: commitMicros)
        do { try startSegment(atLeast: 0, createdMicros: commitMicros, records: []) } catch { return }
        do { try writeMark() } catch { throw .file(error) }
    }

    /// What is still in the log, freed segments excluded.
    package var size: LogSize { sealed.reduce(into: active?.size ?? LogSize()) { $0.add($1.size) } }

    /// How many segments there are, the active one included.
    package var segmentCount: Int { sealed.count + (active == nil ? 0 : 1) }

    /// Unlinks the oldest sealed segments whose every project has published past them: protocol/wal.md §10.
    ///
    /// Crash story: the table holds these records already; an unlink that is lost is repeated at the next call.
    /// - Parameter published: the last record that each project's table holds.
    /// - Returns: how many went.
    @discardableResult
    package func free(published: [String: UInt64]) throws(WALError) -> Int {
        var freed = 0
        // Without an active segment the newest sealed one holds the mark and the way to the sources.
        while let oldest = sealed.first, active != nil || sealed.count > 1 {
            guard oldest.projects.allSatisfy({ (published[$0.key] ?? 0) >= $0.value }) else { break }
            do {
                try disk.unlink(folder + "/" + SegmentHeader.fileName(oldest.header.number))
                try disk.unlink(folder + "/" + SegmentHeader.checkpointName(oldest.header.number))
            } catch {
                throw .file(error)
            }
            sealed.removeFirst()
            freed += 1
        }
        if freed > 0 {
            do { try disk.synchronizeFolder(folder) } catch { throw .file(error) }
        }
        return freed
    }
}

/// How much a stretch of the log holds.
package struct LogSize: Equatable, Sendable {
    package var recordBytes = 0
    /// Events of batches, excluded ones included.
    package var eventCount = 0

    package init(recordBytes: Int = 0, eventCount: Int = 0) {
        self.recordBytes = recordBytes
        self.eventCount = eventCount
    }

    mutating func add(_ other: LogSize) {
        recordBytes += other.recordBytes
        eventCount += other.eventCount
    }
}
