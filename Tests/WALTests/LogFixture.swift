import Bytes
import Files
import TestSupport

@testable import WAL

/// A log in a folder of its own, with batches whose bytes can be told apart.
final class LogFixture {
    let folder = TemporaryFolder()
    var path: String { folder("wal") }
    static let source = SourceID(bytes: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])!

    func open(
        _ disk: Disk = .unsynchronized, segmentBytes: Int = 1 << 17, state: SourceState = .none,
        highestPublished: UInt64 = 0
    ) throws -> (LogWriter, RecoveryReport) {
        try LogWriter.open(
            folder: path, options: .init(segmentBytes: segmentBytes), disk: disk, state: state,
            highestPublished: highestPublished, nowMicros: 1_000_000)
    }

    static func body(_ base: UInt64, byteCount: Int) -> [UInt8] {
        var random = SeededRandom(seed: base)
        return random.bytes(byteCount)
    }

    static func add(
        _ base: UInt64, count: Int = 3, byteCount: Int = 100, isCompressed: Bool = false, project: String = "default",
        to draft: inout GroupDraft
    ) throws {
        let bytes = body(base, byteCount: byteCount)
        let entry = Entry(
            kind: .close, project: project, source: source, flags: [], base: base, count: count,
            totals: SourceTotals(stored: base + UInt64(count) - 1))
        let batch = BatchEntry(
            receivedMicros: 5, clockOffsetMicros: -7, fingerprint: XXH64.hash(bytes), minTimestampMicros: 10,
            maxTimestampMicros: 20, exclusions: [Exclusion(index: 1, code: 2)])
        try draft.add(entry, batch, body: bytes.rawSpan, isCompressed: isCompressed)
    }

    /// Commits one group of one batch.
    static func commit(_ base: UInt64, to writer: LogWriter, byteCount: Int = 100, project: String = "default") throws {
        var draft = GroupDraft()
        try add(base, byteCount: byteCount, project: project, to: &draft)
        _ = try writer.commit(&draft, nowMicros: Int64(base))
    }

    /// The bases of all batches a reader sees, their bodies checked against what was written.
    func basesRead() throws -> [UInt64] {
        let reader = LogReader(folder: path, disk: .posix)
        guard let mark = try reader.refresh() else { return [] }
        var bases: [UInt64] = []
        var bodies = BodyReader()
        try reader.forEachRecord(after: 0, through: mark.sequence) { record in
            for (index, entry) in record.entries.enumerated() {
                guard case .batch(let batch) = entry.kind else { continue }
                let bytes = try bodies.body(index, of: record)
                guard bytes == Self.body(entry.base, byteCount: batch.length) else {
                    throw WALError.corruptBody(path: "", sequence: record.sequence, entry: index, reason: "other bytes")
                }
                bases.append(entry.base)
            }
        }
        return bases
    }
}
