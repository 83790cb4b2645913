import Bytes
import EventLoop
import Events
import Foundation
import Synchronization
import TestSupport
import Wire

/// A collector without a disk, on a thread of its own: the real machines of the wire, and a list for a log.
final class FakeCollector: Sendable {
    /// What goes wrong.
    struct Trouble: Sendable {
        /// The connection is cut when this many batches were taken, once.
        var cutsAfterBatches: Int?
        /// Whether what was taken before the cut is durable, though nobody was told.
        var keepsWhatWasCut = false
        /// Events of this type are not stored.
        var refusedType: String?
        var refusal = VerdictCode.schema
        /// Whether its data folder holds no table.
        var hidesTable = false
    }

    struct Stored: Sendable {
        var events: [Event] = []
        /// Whose each event is.
        var sources: [SourceID] = []
        var connectionCount = 0
        var adminVerbs: [String] = []
    }

    let folder = TemporaryFolder()
    private let stored = Mutex(Stored())
    private let done = DispatchSemaphore(value: 0)
    private let stopping = Mutex<Wakeup<Void>?>(nil)

    init(_ trouble: Trouble = Trouble()) throws {
        for (name, token) in [("default.token", "ingest"), ("admin.token", "admin")] {
            try Data((token + "\n").utf8).write(to: URL(fileURLWithPath: folder(name)))
        }
        let ready = DispatchSemaphore(value: 0)
        let thread = Thread { [self] in
            guard let state = try? CollectorState(self, trouble) else { preconditionFailure("no port to listen on") }
            stopping.withLock { $0 = state.stop }
            ready.signal()
            state.loop.run()
            state.loop.close()
            done.signal()
        }
        thread.start()
        ready.wait()
    }

    deinit { precondition(stopping.withLock { $0 } == nil, "a fake collector must be stopped") }

    func stop() {
        let wakeup = stopping.withLock { stopping in
            defer { stopping = nil }
            return stopping
        }
        if let wakeup {
            wakeup.send(())
            done.wait()
        }
    }

    var content: Stored { stored.withLock { $0 } }

    func change(_ body: (inout Stored) -> Void) { stored.withLock { body(&$0) } }
}

/// What lives on the collector's thread.
private final class CollectorState {
    private final class Peer {
        var connection: ServerConnection
        let stream: EventLoop.Stream
        init(_ connection: ServerConnection, _ stream: EventLoop.Stream) {
            self.connection = connection
            self.stream = stream
        }
    }

    let loop: Loop
    private(set) var stop: Wakeup<Void>!
    private let collector: FakeCollector
    private let trouble: FakeCollector.Trouble
    private var listener: Listener!
    private var ledger = SourceLedger(lineage: [UInt8](repeating: 7, count: 16))
    private var peers: [UInt64: Peer] = [:]
    private var group: [(event: Event, source: SourceID)] = []
    private let table: FakeTable
    private var nextConnection: UInt64 = 1
    private var batchCount = 0
    private var hasCut = false

    init(_ collector: FakeCollector, _ trouble: FakeCollector.Trouble) throws {
        self.collector = collector
        self.trouble = trouble
        table = try FakeTable(dataFolder: collector.folder.path)
        loop = try Loop()
        stop = try Wakeup(loop) { [unowned self] _ in loop.stop() }
        listener = try Listener(
            loop, unixPath: collector.folder("collector.sock"), mode: 0o600, backlog: 10
        ) { [unowned self] result in
            if case .success(let stream) = result { accept(stream) }
        }
    }

    private var now: Moment {
        let micros = Int64(loop.nowMillis) * 1000
        return Moment(elapsedMicros: micros, clockMicros: micros)
    }

    private func accept(_ stream: EventLoop.Stream) {
        let number = nextConnection
        nextConnection += 1
        collector.change { $0.connectionCount += 1 }
        let peer = Peer(ServerConnection(.init(takesAdmin: true), now: now), stream)
        peers[number] = peer
        stream.onClosed = { [unowned self] _ in
            peers[number] = nil
            ledger.disconnected(number)
        }
        stream.startReading(
            onBytes: { [unowned self] span in
                perform(peer.connection.receive(span, now: now), number, peer)
                if peers[number] != nil { commit() }
            }, onEnd: { stream.close() })
    }

    private func perform(_ actions: [ServerConnection.Action], _ number: UInt64, _ peer: Peer) {
        for action in actions {
            switch action {
            case .send(let bytes): peer.stream.write(bytes)
            case .authenticate(let hello):
                let grant: Grant? = switch hello.token {
                case "ingest": .ingest(project: "default")
                case "admin": .admin
                default: nil
                }
                let answer = grant.map { peer.connection.authenticated($0, now: now) }
                    ?? peer.connection.authenticationFailed(detail: "unknown token")
                perform(answer, number, peer)
            case .open(let open): deliver(ledger.open(open, connection: number, tokenName: "default"))
            case .batch(let batch): take(batch, number, peer)
            case .skip(let skip):
                if case .answered(let answers) = ledger.judgeSkip(skip, connection: number) { deliver(answers) }
            case .refuse: break
            case .closeStream(let close): ledger.close(close, connection: number)
            case .admin(let request): answer(request, number, peer)
            case .close: peer.stream.closeAfterWrites(withinMillis: 1000)
            }
        }
    }

    private func take(_ frame: BatchFrame, _ number: UInt64, _ peer: Peer) {
        let key = StreamKey(connection: number, stream: frame.stream)
        let bytes = frame.batch.copy()
        let judgement = ledger.judgeBatch(
            key, base: frame.base, count: frame.eventCount, fingerprint: XXH64.hash(bytes), rewinds: frame.rewinds)
        guard case .accepted = judgement else {
            if case .answered(let answers) = judgement { deliver(answers) }
            return
        }
        var decoder = BatchDecoder()
        guard let events = try? decoder.decode(bytes.rawSpan).events() else {
            preconditionFailure("the client sent a batch that does not decode")
        }
        let refused = events.indices.filter { events[$0].type == trouble.refusedType }
        ledger.exclude(
            key,
            verdicts: refused.map { Verdict(sequence: frame.base + UInt64($0), count: 1, code: trouble.refusal) },
            quarantinedCount: 0)
        guard let source = ledger.key(of: key)?.source else { preconditionFailure("an accepted batch has a source") }
        group += events.filter { $0.type != trouble.refusedType }.map { ($0, source) }
        batchCount += 1
        if batchCount == trouble.cutsAfterBatches, !hasCut { cut(number, peer) }
    }

    private func cut(_ number: UInt64, _ peer: Peer) {
        hasCut = true
        peers[number] = nil
        ledger.disconnected(number)
        peer.stream.close()
        guard let (sealed, _) = ledger.sealGroup() else { return }
        if trouble.keepsWhatWasCut {
            keepGroup()
            _ = ledger.groupDurable(sealed)
        } else {
            _ = ledger.groupFailed(sealed, .storage, afterMilliseconds: 1)
        }
        group = []
    }

    private func keepGroup() {
        collector.change { stored in
            stored.events += group.map(\.event)
            stored.sources += group.map(\.source)
        }
        group = []
    }

    private func commit() {
        guard let (sealed, _) = ledger.sealGroup() else { return }
        keepGroup()
        deliver(ledger.groupDurable(sealed))
    }

    private func deliver(_ answers: [LedgerAnswer]) {
        for answer in answers {
            switch answer {
            case .opened(let number, let message):
                if let peer = peers[number] { perform(peer.connection.opened(message), number, peer) }
            case .acknowledged(let number, let message):
                if let peer = peers[number] { perform(peer.connection.acknowledged(message), number, peer) }
            case .refused(let number, let message):
                if let peer = peers[number] { perform(peer.connection.refused(message), number, peer) }
            }
        }
    }

    private func answer(_ request: AdminRequest, _ number: UInt64, _ peer: Peer) {
        var result = "{}"
        var status = AdminStatus.done
        switch request.verb {
        case "publish":
            let totals = Dictionary(uniqueKeysWithValues: ledger.snapshot().map { ($0.key.source, $0.totals) })
            guard let slice = try? table.publish(collector.content, totals, writes: !trouble.hidesTable) else {
                preconditionFailure("no table can be written")
            }
            result = #"{"version":1,"last_record":1,"rows":\#(slice.rows),"duplicates":\#(slice.duplicates)}"#
        case "status": result = #"{"state":"running","log":{"records":3}}"#
        case "reload_tokens": break
        default: (status, result) = (.failed, #"{"error":"unknown verb"}"#)
        }
        collector.change { $0.adminVerbs.append(request.verb) }
        let reply = AdminReply(number: request.number, status: status, result: result)
        perform(peer.connection.adminReplied(reply), number, peer)
    }
}
