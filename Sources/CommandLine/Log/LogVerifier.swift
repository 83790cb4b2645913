import Bytes
import Events
import Files
import WAL

/// Something wrong with a log, and where.
struct LogProblem: Equatable {
    enum Severity: Equatable {
        /// An end that a crash leaves: nothing durable is hurt.
        case torn
        case corrupt
    }

    let severity: Severity
    let file: String
    let byteOffset: Int
    let reason: String

    var text: String { "\(file):\(byteOffset): \(severity): \(reason)" }
}

/// Checks every byte of a log that a checksum covers, and that its records, segments and checkpoints fit together.
struct LogVerifier {
    private let disk: Disk
    /// Whether to decode the batches too.
    private let decodesBatches: Bool
    private let opener = BatchOpener()
    private(set) var problems: [LogProblem] = []
    private(set) var recordCount = 0
    private(set) var eventCount = 0
    private(set) var bodyCount = 0
    private(set) var byteCount = 0
    private var previousCommitMicros = Int64.min

    init(decodesBatches: Bool, disk: Disk) {
        self.decodesBatches = decodesBatches
        self.disk = disk
    }

    /// O(bytes of the log).
    mutating func verify(_ files: LogFiles) throws {
        for error in files.broken { problems.append(Self.problem(error)) }
        var previous: SegmentHeader?
        for part in files.parts {
            if let previous { checkChain(part.segment, after: previous) }
            if files.folder != nil { try checkCheckpoint(of: part.segment) }
            verify(part, files)
            previous = part.segment.header
        }
        checkMark(files)
    }

    var exitCode: ExitCode {
        if problems.contains(where: { $0.severity == .corrupt }) { return .corrupt }
        return problems.isEmpty ? .done : .partial
    }

    private mutating func add(_ severity: LogProblem.Severity, _ file: String, _ byteOffset: Int, _ reason: String) {
        problems.append(LogProblem(severity: severity, file: file, byteOffset: byteOffset, reason: reason))
    }

    private static func problem(_ error: WALError) -> LogProblem {
        guard case .notASegment(let path, let reason) = error else { preconditionFailure("only these are kept") }
        return LogProblem(severity: .corrupt, file: path, byteOffset: 0, reason: reason)
    }

    // MARK: Segments

    private mutating func checkChain(_ segment: SegmentReader, after previous: SegmentHeader) {
        let header = segment.header
        if header.number != previous.number + 1 {
            add(.corrupt, segment.path, 48, "number: expected \(previous.number + 1), actual \(header.number)")
        } else if header.previousUUID != previous.uuid {
            add(.corrupt, segment.path, 64, "previous uuid: expected \(previous.uuid), actual \(header.previousUUID)")
        }
        if header.lineage != previous.lineage {
            add(.corrupt, segment.path, 24, "lineage: expected \(previous.lineage), actual \(header.lineage)")
        }
    }

    private mutating func checkCheckpoint(of segment: SegmentReader) throws {
        let folder = Disk.folder(of: segment.path)
        let path = folder + "/" + SegmentHeader.checkpointName(segment.header.number)
        guard let bytes = try disk.contentsIfPresent(path) else {
            // Freed together with its segment, which we still hold open.
            if disk.exists(segment.path) { add(.corrupt, path, 0, "missing") }
            return
        }
        let hash = XXH64.hash(bytes)
        if hash != segment.header.checkpointHash {
            let expected = Hex.encode(segment.header.checkpointHash)
            add(.corrupt, path, 0, "hash: expected \(expected), actual \(Hex.encode(hash))")
        }
    }

    private mutating func verify(_ part: LogFiles.Part, _ files: LogFiles) {
        let segment = part.segment
        var seen = SegmentTally(last: segment.header.previousLastRecord)
        let end = part.forEachRecord { record in
            check(record, after: seen)
            checkBodies(of: record)
            seen.add(record)
        }
        recordCount += seen.recordCount
        eventCount += seen.eventCount
        byteCount += end.byteOffset
        switch end {
        case .sealed(let summary, let offset):
            if let difference = seen.difference(from: summary) { add(.corrupt, segment.path, offset, difference) }
        case .bad(let offset, let reason): judge(part, badAt: offset, reason, lastSequence: seen.last)
        case .open(let offset): checkRest(part, from: offset)
        case .beyond: break
        }
        let holdsLimit = part.isFollowed || files.mark?.segment == segment.header.number
        let isKnownBad = problems.contains { $0.file == segment.path && $0.severity == .corrupt }
        if holdsLimit, !isKnownBad, part.lastSequence != .max, seen.last < part.lastSequence {
            let reason = "last record: expected \(part.lastSequence), actual \(seen.last)"
            add(.corrupt, segment.path, end.byteOffset, reason)
        }
    }

    /// What is bad is rot if it must be good, or if something good stands behind it; else it is a torn end.
    private mutating func judge(_ part: LogFiles.Part, badAt offset: Int, _ reason: String, lastSequence: UInt64) {
        let isNeeded = part.lastSequence != .max && lastSequence < part.lastSequence
        if !isNeeded, part.isFollowed { return }  // the next segment begins before it
        let text = Self.explain(part.segment, offset) ?? reason
        if isNeeded || Self.hasRecord(part.segment, above: lastSequence, behind: offset) {
            add(.corrupt, part.segment.path, offset, text)
        } else {
            add(.torn, part.segment.path, offset, text)
        }
    }

    private mutating func checkRest(_ part: LogFiles.Part, from offset: Int) {
        guard !part.isFollowed else { return }
        let rest = part.segment.copy(offset..<part.segment.byteCount)
        if let index = rest.firstIndex(where: { $0 != 0 }) {
            let isRecord = Self.hasRecord(part.segment, above: 0, behind: offset)
            add(isRecord ? .corrupt : .torn, part.segment.path, offset + index, "bytes behind the last record")
        }
    }

    /// The checksums of a record that does not hold, expected and actual; nil if they hold.
    private static func explain(_ segment: SegmentReader, _ offset: Int) -> String? {
        let header = segment.copy(offset..<(offset + RecordHeader.byteCount))
        func word(_ at: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(header[at + $1]) << UInt32($1 * 8) } }
        guard header.count == RecordHeader.byteCount else { return nil }
        let actual = CRC32C.checksum(Array(header[0..<44]))
        if word(44) != actual { return checksum("record header", word(44), actual) }
        let start = offset + RecordHeader.byteCount
        let length = Int(word(28))
        guard length <= segment.byteCount - start else { return nil }
        let directory = CRC32C.checksum(segment.copy(start..<(start + length)))
        return word(36) != directory ? checksum("directory", word(36), directory) : nil
    }

    private static func checksum(_ what: String, _ expected: UInt32, _ actual: UInt32) -> String {
        "\(what) checksum: expected \(hex(expected)), actual \(hex(actual))"
    }

    private static func hex(_ value: UInt32) -> String { String(Hex.encode(UInt64(value)).suffix(8)) }

    private static func hasRecord(_ segment: SegmentReader, above sequence: UInt64, behind offset: Int) -> Bool {
        var place = offset + RecordHeader.alignment
        while place + RecordHeader.byteCount <= segment.byteCount {
            if case .record(let record) = segment.find(at: place), record.sequence > sequence { return true }
            place += RecordHeader.alignment
        }
        return false
    }

    // MARK: Records

    private mutating func check(_ record: Record, after seen: SegmentTally) {
        let path = record.segment.path
        if record.sequence != seen.last + 1 {
            add(.corrupt, path, record.byteOffset + 8, "sequence: expected \(seen.last + 1), actual \(record.sequence)")
        }
        if record.commitMicros < previousCommitMicros {
            add(
                .corrupt, path, record.byteOffset + 16,
                "commit time: expected at least \(previousCommitMicros), actual \(record.commitMicros)")
        }
        previousCommitMicros = record.commitMicros
    }

    private mutating func checkBodies(of record: Record) {
        let path = record.segment.path
        var offset = record.byteOffset + RecordHeader.byteCount + record.header.directoryBytes
        var isGood = true
        for (index, block) in record.blocks.enumerated() {
            let actual = CRC32C.checksum(record.segment.copy(offset..<(offset + block.storedBytes)))
            if actual != block.crc {
                isGood = false
                add(
                    .corrupt, path, offset,
                    "record \(record.sequence), block \(index), \(Self.checksum("stored", block.crc, actual))")
            }
            offset += block.storedBytes
        }
        if let index = record.segment.copy(offset..<record.end).firstIndex(where: { $0 != 0 }) {
            add(.corrupt, path, offset + index, "record \(record.sequence): padding is not zero")
        }
        guard isGood else { return }
        for (index, entry) in record.entries.enumerated() {
            guard case .batch = entry.kind else { continue }
            bodyCount += 1
            do {
                if decodesBatches {
                    _ = try opener.batch(index, of: record)
                } else {
                    _ = try opener.body(index, of: record)
                }
            } catch {
                let start = record.byteOffset
                add(.corrupt, path, start, "record \(record.sequence), entry \(index): \(error)")
            }
        }
    }

    // MARK: The mark

    private mutating func checkMark(_ files: LogFiles) {
        guard let folder = files.folder else { return }
        let path = folder + "/" + DurableMark.fileName
        guard let mark = files.mark else {
            // Never synced: after a crash it may be old, half written or gone.
            return add(.torn, path, 0, "no valid durable mark")
        }
        guard let last = files.parts.last?.segment.header, !files.parts.contains(where: { part in
            part.segment.header.number == mark.segment && part.segment.header.lineage == mark.lineage
        }) else { return }
        let expected = "a segment from \(files.parts[0].segment.header.number) to \(last.number)"
        add(.corrupt, path, 24, "segment: expected \(expected), actual \(mark.segment)")
    }
}

/// What a segment's records add up to, to be compared with its footer.
private struct SegmentTally {
    var last: UInt64
    var recordCount = 0
    var eventCount = 0
    var minTimestampMicros = Int64.max
    var maxTimestampMicros = Int64.min
    var projects: [String: UInt64] = [:]

    init(last: UInt64) { self.last = last }

    mutating func add(_ record: Record) {
        last = record.sequence
        recordCount += 1
        eventCount += record.header.eventCount
        for entry in record.entries {
            projects[entry.project] = record.sequence
            guard case .batch(let batch) = entry.kind else { continue }
            minTimestampMicros = min(minTimestampMicros, batch.minTimestampMicros)
            maxTimestampMicros = max(maxTimestampMicros, batch.maxTimestampMicros)
        }
    }

    /// - Returns: nil if the footer says the same.
    func difference(from summary: SegmentSummary) -> String? {
        let pairs: [(String, String, String)] = [
            ("records", "\(summary.recordCount)", "\(recordCount)"),
            ("events", "\(summary.eventCount)", "\(eventCount)"),
            ("least timestamp", "\(summary.minTimestampMicros)", "\(minTimestampMicros)"),
            ("greatest timestamp", "\(summary.maxTimestampMicros)", "\(maxTimestampMicros)"),
            ("projects", "\(summary.projects.sorted { $0.key < $1.key })", "\(projects.sorted { $0.key < $1.key })"),
        ]
        return pairs.first { $0.1 != $0.2 }.map { "footer, \($0.0): expected \($0.1), actual \($0.2)" }
    }
}
