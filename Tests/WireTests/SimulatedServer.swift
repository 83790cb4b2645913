import Bytes
import TestSupport
import Testing

@testable import Wire

/// A way in which a server could be wrong; the simulator must notice each.
enum Flaw: CaseIterable {
    case none
    case acknowledgesBeforeSync
    case takesAFailedWriteForDurable
    case forgetsFingerprintsAtRestart
    case forgetsEverythingAtRestart
    case judgesNothingAResend
}

/// Events are numbers; a batch is their list. Every 17th is refused by the schema.
struct SimulatedBatch {
    static func encode(_ events: Range<UInt64>) -> [UInt8] {
        var writer = ByteWriter()
        for event in events { writer.append(fixed: event) }
        return writer.bytes
    }

    static func decode(_ bytes: RawSpan) throws -> [UInt64] {
        var offset = 0
        return try (0..<(bytes.byteCount / 8)).map { _ in try bytes.read(UInt64.self, &offset) }
    }

    static func isBad(_ event: UInt64) -> Bool { event % 17 == 0 }

    static func verdicts(_ events: [UInt64], base: UInt64) -> [Verdict] {
        events.indices.filter { isBad(events[$0]) }.map {
            Verdict(sequence: base + UInt64($0), count: 1, code: .schema)
        }
    }
}

/// The log on the simulated disk: what survives a crash.
struct SimulatedLog {
    struct Entry {
        var key: SourceKey
        var base: UInt64
        var count: UInt64
        /// Empty for a skip.
        var events: [UInt64]
    }

    private(set) var updates: [SourceUpdate] = []
    /// Every event that is in the log, stored or rejected.
    private(set) var fates: Set<UInt64> = []
    private var lasts: [SourceKey: UInt64] = [:]
    private(set) var faults: [String] = []

    mutating func append(_ updates: [SourceUpdate], _ entries: [Entry]) {
        self.updates += updates
        for entry in entries {
            let last = lasts[entry.key, default: 0]
            if last != 0 && entry.base != last + 1 {
                faults.append("\(entry.key.source) \(entry.base) follows \(last)")
            }
            lasts[entry.key] = entry.base + entry.count - 1
            for event in entry.events where !fates.insert(event).inserted { faults.append("event \(event) twice") }
        }
        for update in updates where update.totals.sum != lasts[update.key] {
            faults.append("totals of \(update.key.source) are \(update.totals.sum)")
        }
    }

    mutating func compact(_ snapshot: [SourceUpdate]) { updates = snapshot }
}

/// The loop's connections, the writer thread and its log.
struct SimulatedServer {
    private struct Group {
        var number: UInt64
        var updates: [SourceUpdate]
        var entries: [SimulatedLog.Entry]
    }
    private enum Work {
        case open(UInt64, Open)
        case batch(UInt64, BatchFrame)
        case skip(UInt64, Skip)
        case refuse(UInt64, ServerConnection.Refusal)
        case close(UInt64, Close)
        case gone(UInt64)
    }

    let flaw: Flaw
    private(set) var log = SimulatedLog()
    private(set) var connections: [UInt64: ServerConnection] = [:]
    /// Bytes to the clients, and connections the server closed.
    var output: [(connection: UInt64, bytes: [UInt8])] = []
    var closed: [UInt64] = []
    private var ledger = SourceLedger(lineage: [UInt8](repeating: 7, count: 16))
    private var work: [Work] = []
    private var answers: [LedgerAnswer] = []
    private var entries: [SimulatedLog.Entry] = []
    private var writing: [Group] = []
    private let limits: ConnectionLimits
    /// The loop refuses the next batch, as a rate limit would.
    var refusesNextBatch = false

    init(flaw: Flaw, unackedBatchesMax: Int) {
        self.flaw = flaw
        var limits = ConnectionLimits()
        limits.unackedBatchesMax = unackedBatchesMax
        limits.frameBytesMax = 4096
        self.limits = limits
    }

    mutating func accept(_ connection: UInt64, now: Moment) {
        var settings = ServerConnection.Settings(takesAdmin: false)
        settings.limits = limits
        connections[connection] = ServerConnection(settings, now: now)
    }

    mutating func receive(_ connection: UInt64, _ bytes: [UInt8], now: Moment) {
        perform(connections[connection]?.receive(bytes.rawSpan, now: now) ?? [], connection, now)
    }

    mutating func lost(_ connection: UInt64) {
        guard connections.removeValue(forKey: connection) != nil else { return }
        work.append(.gone(connection))
    }

    mutating func tick(now: Moment) {
        for connection in connections.keys.sorted() {
            perform(connections[connection]?.tick(now: now) ?? [], connection, now)
        }
    }

    mutating func drain(now: Moment) {
        for connection in connections.keys.sorted() {
            perform(connections[connection]?.drain(reconnectAfterMilliseconds: 50, now: now) ?? [], connection, now)
        }
    }

    private mutating func perform(_ actions: [ServerConnection.Action], _ connection: UInt64, _ now: Moment) {
        for action in actions {
            switch action {
            case .send(let bytes): output.append((connection, bytes))
            case .authenticate:
                let answer = connections[connection]?.authenticated(.ingest(project: "shop"), now: now) ?? []
                perform(answer, connection, now)
            case .open(let open): work.append(.open(connection, open))
            case .batch(let batch) where refusesNextBatch:
                refusesNextBatch = false
                let refusal = ServerConnection.Refusal(
                    stream: batch.stream, base: batch.base, rewinds: batch.rewinds, code: .rate, afterMilliseconds: 10)
                work.append(.refuse(connection, refusal))
            case .batch(let batch): work.append(.batch(connection, batch))
            case .skip(let skip): work.append(.skip(connection, skip))
            case .refuse(let refusal): work.append(.refuse(connection, refusal))
            case .closeStream(let close): work.append(.close(connection, close))
            case .admin: Issue.record("no admin here")
            case .close:
                closed.append(connection)
                lost(connection)
            }
        }
    }

    // MARK: The writer thread

    /// Judges some of what waits.
    mutating func judge(_ count: Int) throws {
        for item in work.prefix(count) {
            switch item {
            case .open(let connection, let open):
                answers += ledger.open(open, connection: connection, tokenName: "web")
            case .batch(let connection, let batch):
                try judge(batch, StreamKey(connection: connection, stream: batch.stream))
            case .skip(let connection, let skip):
                let key = StreamKey(connection: connection, stream: skip.stream)
                note(ledger.judgeSkip(skip, connection: connection), key, skip.base, skip.count, [])
            case .refuse(let connection, let refusal): answers += ledger.refuse(refusal, connection: connection)
            case .close(let connection, let close): ledger.close(close, connection: connection)
            case .gone(let connection): ledger.disconnected(connection)
            }
        }
        work.removeFirst(min(count, work.count))
    }

    private mutating func judge(_ batch: BatchFrame, _ key: StreamKey) throws {
        let events = try SimulatedBatch.decode(batch.batch)
        let twist: UInt64 = flaw == .judgesNothingAResend ? UInt64(writing.count + entries.count) : 0
        let judgement = ledger.judgeBatch(
            key, base: batch.base, count: batch.eventCount, fingerprint: batch.fingerprint ^ twist,
            rewinds: batch.rewinds)
        note(judgement, key, batch.base, UInt64(batch.eventCount), events)
        if judgement == .accepted {
            ledger.exclude(key, verdicts: SimulatedBatch.verdicts(events, base: batch.base), quarantinedCount: 0)
        }
    }

    private mutating func note(
        _ judgement: Judgement, _ stream: StreamKey, _ base: UInt64, _ count: UInt64, _ events: [UInt64]
    ) {
        switch judgement {
        case .answered(let more): answers += more
        case .accepted:
            guard let key = ledger.key(of: stream) else {
                Issue.record("accepted on no stream")
                return
            }
            entries.append(SimulatedLog.Entry(key: key, base: base, count: count, events: events))
        }
    }

    mutating func seal() {
        guard let (number, updates) = ledger.sealGroup() else { return }
        writing.append(Group(number: number, updates: updates, entries: entries))
        entries = []
        if flaw == .acknowledgesBeforeSync { answers += ledger.groupDurable(number) }
    }

    /// The oldest write ends well.
    mutating func sync() {
        guard !writing.isEmpty else { return }
        let group = writing.removeFirst()
        log.append(group.updates, group.entries)
        if flaw != .acknowledgesBeforeSync { answers += ledger.groupDurable(group.number) }
    }

    /// The oldest write fails, and with it everything after it.
    mutating func failWrite() {
        guard let number = writing.first?.number, flaw != .acknowledgesBeforeSync else { return }
        if flaw == .takesAFailedWriteForDurable {
            answers += ledger.groupDurable(writing.removeFirst().number)
            return
        }
        answers += ledger.groupFailed(number, .storage, afterMilliseconds: 20)
        writing = []
        entries = []
    }

    mutating func compactLog() { log.compact(ledger.snapshot()) }

    /// - Parameter keeping: how many of the writes under way reached the disk nevertheless.
    mutating func crash(keeping: Int) {
        for group in writing.prefix(keeping) { log.append(group.updates, group.entries) }
        closed += connections.keys.sorted()
        connections = [:]
        work = []
        answers = []
        entries = []
        writing = []
        output = []
        ledger = SourceLedger(lineage: [UInt8](repeating: 7, count: 16))
        if flaw == .forgetsEverythingAtRestart { return }
        for var update in log.updates {
            if flaw == .forgetsFingerprintsAtRestart { update.batches = [] }
            ledger.restore(update)
        }
    }

    var writesUnderWay: Int { writing.count }

    /// Hands the writer's answers to the loop.
    mutating func deliverAnswers(now: Moment) {
        let ready = answers
        answers = []
        for answer in ready {
            switch answer {
            case .opened(let connection, let message):
                perform(connections[connection]?.opened(message) ?? [], connection, now)
            case .acknowledged(let connection, let message):
                perform(connections[connection]?.acknowledged(message) ?? [], connection, now)
            case .refused(let connection, let message):
                perform(connections[connection]?.refused(message) ?? [], connection, now)
            }
        }
    }
}
