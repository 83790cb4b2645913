import Bytes
import Events
import Files
import Telemetry
import TestSupport
import WAL
import Wire

@testable import Collector

/// A committer over a real log in a folder of its own.
final class CommitterFixture {
    let folder = TemporaryFolder()
    let metrics = LogMetrics(MetricsRegistry())
    var logFolder: String { folder("wal") }

    func open(
        _ disk: Disk = .unsynchronized, segmentBytes: Int = 1 << 16, clock: @escaping () -> Int64 = { TestBatch.now }
    ) throws -> GroupCommitter {
        try GroupCommitter.open(
            folder: logFolder, segmentBytes: segmentBytes, highestPublished: 0, disk: disk, clock: clock,
            metrics: metrics
        ).0
    }

    /// Every entry that a reader sees, in order; bodies are compared with their fingerprints.
    func entries() throws -> [Entry] {
        let reader = LogReader(folder: logFolder, disk: .posix)
        guard let mark = try reader.refresh() else { return [] }
        var entries: [Entry] = []
        var bodies = BodyReader()
        try reader.forEachRecord(after: reader.firstAvailable - 1, through: mark.sequence) { record in
            for (index, entry) in record.entries.enumerated() {
                if case .batch(let batch) = entry.kind {
                    let body = try bodies.body(index, of: record)
                    guard XXH64.hash(body) == batch.fingerprint else {
                        throw Broken(reason: "a body is not its fingerprint's")
                    }
                }
                entries.append(entry)
            }
        }
        return entries
    }

    /// Every body that is kept, and its fingerprint.
    func bodies() throws -> (bodies: [[UInt8]], fingerprints: [UInt64]) {
        let reader = LogReader(folder: logFolder, disk: .posix)
        guard let mark = try reader.refresh() else { return ([], []) }
        var (bodies, fingerprints): ([[UInt8]], [UInt64]) = ([], [])
        var kept = BodyReader()
        try reader.forEachRecord(after: reader.firstAvailable - 1, through: mark.sequence) { record in
            for (index, entry) in record.entries.enumerated() {
                guard case .batch(let batch) = entry.kind else { continue }
                bodies.append(try kept.body(index, of: record))
                fingerprints.append(batch.fingerprint)
            }
        }
        return (bodies, fingerprints)
    }

    /// Checks that every source's sequences have one fate each, in order, without a hole.
    static func checkIdentity(_ entries: [Entry]) throws {
        var lasts: [SourceKey: UInt64] = [:]
        for entry in entries {
            let key = SourceKey(project: entry.project, source: entry.source)
            if entry.count == 0 { continue }
            let expected = lasts[key].map { $0 + 1 } ?? entry.totals.unknownBefore + 1
            guard entry.base == expected else { throw Broken(reason: "\(entry.base) follows \(expected - 1)") }
            let last = entry.base + UInt64(entry.count) - 1
            guard entry.totals.sum == last else { throw Broken(reason: "totals are \(entry.totals.sum), not \(last)") }
            lasts[key] = last
        }
    }

    struct Broken: Error { let reason: String }
}

/// Batches of known content, checked as the loop would.
enum TestBatch {
    static let now: Int64 = 1_700_000_000_000_000

    static func bytes(_ first: UInt64, count: Int, padding: Int = 0, type: String = "tick") throws -> [UInt8] {
        let events = (0..<UInt64(count)).map { index in
            var event = Event(type: type, timestampMicros: now)
            event.userID = "u\(first)"
            event.values = [EventValue(.property, "n", .int64(Int64(first + index)))]
            if padding > 0 {
                var random = SeededRandom(seed: first + index)
                event.values.append(EventValue(.property, "p", .string(Hex.encode(random.bytes(padding / 2)))))
            }
            return event
        }
        var encoder = BatchEncoder(codec: .raw)
        return try encoder.encode(events)
    }

    static func frame(
        _ base: UInt64, count: Int, _ bytes: [UInt8], stream: UInt32 = 1, rewinds: Bool = false, offset: Int64 = 0
    ) -> BatchFrame {
        BatchFrame(
            stream: stream, base: base, eventCount: UInt32(count), rewinds: rewinds, clockOffsetMicros: offset,
            batch: bytes)
    }

    static func checked(
        _ frame: BatchFrame, isImport: Bool = false, _ plan: TrackingPlan = TrackingPlan()
    ) -> CheckedBatch {
        var checker = BatchChecker(plan)
        return checker.check(frame, isImport: isImport, nowMicros: now)
    }
}

/// A sender as the committer sees it: batches in order, resent from where an answer says.
struct TestSender {
    struct Item {
        let base: UInt64
        let count: Int
        let bytes: [UInt8]
        var last: UInt64 { base + UInt64(count) - 1 }
        var fingerprint: BatchFingerprint {
            BatchFingerprint(base: base, count: UInt64(count), fingerprint: XXH64.hash(bytes))
        }
    }

    let source: SourceID
    let project: String
    let items: [Item]
    let connection: UInt64
    private(set) var acked: UInt64 = 0
    private(set) var isOpen = false
    private var next = 0
    private var rewinds = false
    private var stream: UInt32 = 0

    init(connection: UInt64, project: String = "default", batchCount: Int, padding: Int = 0) throws {
        var random = SeededRandom(seed: connection)
        source = SourceID.random(using: &random)
        self.connection = connection
        self.project = project
        var base: UInt64 = 1
        var items: [Item] = []
        for _ in 0..<batchCount {
            let count = Int.random(in: 1...4, using: &random)
            items.append(
                Item(base: base, count: count, bytes: try TestBatch.bytes(base, count: count, padding: padding)))
            base += UInt64(count)
        }
        self.items = items
    }

    var isDone: Bool { acked == items.last?.last }

    /// After a restart of the other side.
    mutating func disconnect() { isOpen = false }

    /// Opens, or sends the next batch.
    mutating func step(_ committer: GroupCommitter) throws {
        guard isOpen else {
            stream += 1
            let open = Open(
                stream: stream, project: project, source: source, kind: .live, acked: acked, lineageLastSeen: nil)
            try hear(try committer.take(.open(connection: connection, open, tokenName: "t")))
            return
        }
        guard next < items.count else { return }
        let item = items[next]
        next += 1
        let frame = TestBatch.frame(item.base, count: item.count, item.bytes, stream: stream, rewinds: rewinds)
        rewinds = false
        try hear(try committer.take(.batch(connection: connection, TestBatch.checked(frame))))
    }

    mutating func hear(_ answers: [LedgerAnswer]) throws {
        for answer in answers where answer.connection == connection {
            switch answer {
            case .opened(_, let opened):
                isOpen = true
                let listed = Set(opened.fingerprints)
                for item in items where item.last > acked && item.last <= opened.durable {
                    guard listed.contains(item.fingerprint) else {
                        throw CommitterFixture.Broken(reason: "batch \(item.base) is durable and not listed")
                    }
                }
                acked = max(acked, opened.durable)
                next = items.firstIndex { $0.base > acked } ?? items.count
            case .acknowledged(_, let message):
                acked = max(acked, message.durable)
            case .refused(_, let refusal):
                guard refusal.expected > acked else {
                    throw CommitterFixture.Broken(reason: "a NACK takes an ACK back")
                }
                guard let index = items.firstIndex(where: { $0.base == refusal.expected }) else {
                    throw CommitterFixture.Broken(reason: "NACK \(refusal.code) expects \(refusal.expected)")
                }
                next = index
                rewinds = true
            }
        }
    }
}
