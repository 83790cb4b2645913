import Bytes
import Files

/// The segment that records are appended to.
///
/// Crash story: it is written under a temporary name, preallocated, its header synced, and only then renamed and the
/// folder synced; a crash before that leaves a `.tmp` that the next start removes, one after it an empty segment that
/// chains. A record is one write and one fdatasync; a crash between them leaves a torn end beyond the durable mark.
final class ActiveSegment {
    let header: SegmentHeader
    let path: String
    private let file: File
    private let capacity: Int
    private(set) var end: Int
    private(set) var summary = SegmentSummary()
    /// The last synced record of each project.
    private(set) var durableProjects: [String: UInt64] = [:]

    /// Makes segment `header.number`, holding `records` from the start.
    /// - Parameter checkpoint: the sources file's content; synced before the segment exists.
    static func create(
        _ header: SegmentHeader, in folder: String, segmentBytes: Int, checkpoint: [UInt8], records: [RecordDraft],
        disk: Disk
    ) throws(FileError) -> ActiveSegment {
        let path = folder + "/" + SegmentHeader.fileName(header.number)
        // An earlier attempt may have failed behind its rename. What it left must not meet the new sources file.
        try disk.unlink(path)
        try disk.replace(folder + "/" + SegmentHeader.checkpointName(header.number), with: checkpoint, mode: 0o600)
        let temporary = path + ".tmp"
        do throws(FileError) {
            return try create(
                header, path: path, temporary: temporary, in: folder, segmentBytes: segmentBytes, records: records,
                disk: disk)
        } catch {
            // It may hold the last free bytes of a disk on which the tables must grow before the log can shrink.
            do { try disk.unlink(temporary) } catch {
                // The next attempt truncates it.
            }
            throw error
        }
    }

    private static func create(
        _ header: SegmentHeader, path: String, temporary: String, in folder: String, segmentBytes: Int,
        records: [RecordDraft], disk: Disk
    ) throws(FileError) -> ActiveSegment {
        let file = try File.open(temporary, .createOrTruncate(0o600), disk: disk)
        let needed = records.reduce(SegmentHeader.byteCount) { $0 + $1.bytes.count } + minimumRoom
        let capacity = max(segmentBytes, needed)
        try file.allocate(capacity)
        let segment = ActiveSegment(header: header, path: path, file: file, capacity: capacity)
        try segment.file.write(header.encoded(), at: 0)
        for record in records { try segment.write(record) }
        try segment.file.synchronize()
        try disk.rename(temporary, to: path)
        try disk.synchronizeFolder(folder)
        segment.durableProjects = segment.summary.projects
        return segment
    }

    /// Room for a footer behind whatever a new segment starts with.
    private static let minimumRoom = 64 << 10

    private init(header: SegmentHeader, path: String, file: consuming File, capacity: Int) {
        self.header = header
        self.path = path
        self.file = file
        self.capacity = capacity
        end = SegmentHeader.byteCount
    }

    /// The bytes a new segment must have to take this record.
    static func bytesNeeded(for record: RecordDraft) -> Int {
        SegmentHeader.byteCount + record.bytes.count + minimumRoom
    }

    /// What it holds.
    var size: LogSize { LogSize(recordBytes: end - SegmentHeader.byteCount, eventCount: summary.eventCount) }

    func hasRoom(for record: RecordDraft) -> Bool {
        end + record.bytes.count + summary.footerBytesMax(adding: record.entries) <= capacity
    }

    /// Writes a record; durable only after `synchronize`.
    func write(_ record: RecordDraft) throws(FileError) {
        var record = record
        record.seal(tag: header.uuid.tag)
        try file.write(record.bytes, at: end)
        summary.add(record.header, record.entries, at: end)
        end += record.bytes.count
    }

    func synchronize() throws(FileError) {
        try file.synchronizeData()
        durableProjects = summary.projects
    }

    /// Writes the footer, after which nothing is appended.
    func seal(commitMicros: Int64) throws(FileError) {
        try file.write(summary.footer(commitMicros: commitMicros, tag: header.uuid.tag), at: end)
        try file.synchronizeData()
    }
}
