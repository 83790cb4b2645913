import Bytes
import EventLoop
import Wire

/// What became of one batch.
struct Delivery: Equatable {
    /// What the sender called the batch.
    let tag: Int
    let eventCount: Int
    /// Events that were not stored, by their indices in the batch.
    let refused: [Refusal]

    struct Refusal: Equatable {
        let rows: Range<Int>
        let reason: String
    }
}

/// Sends batches to a collector and waits: a `ClientSession` on a loop of its own, for programs that have nothing else
/// to do meanwhile. One thread.
///
/// Crash story: what was delivered is durable. What was not is gone with the process: the next run sends it again.
final class CollectorClient {
    /// This often the session learns the time; also the unit in which a stall is counted.
    private static let tickMillis: UInt64 = 250
    private static let connectMillis: UInt64 = 5000

    /// A batch that has no fate yet.
    private struct Pending {
        let ticket: UInt64
        let tag: Int
        var base: UInt64
        let count: Int
    }

    private let loop: Loop
    private let place: CollectorPlace
    private let console: Console
    private let windowBatches: Int
    private let patienceSeconds: Int
    private let connectTimer: Timer
    private let tickTimer: Timer
    private let turnTimer: Timer
    private var session: ClientSession
    private var source: SourceID
    private var pending: [Pending] = []
    private var nextBase: UInt64 = 1
    private var stream: Stream?
    private var hasEverConnected = false
    private var openStreams = 0
    private var isFinished = false
    private var stalledTicks = 0
    private var lastRefusal: String?
    private var failure: (any Error)?
    /// Called for each batch when its fate is known. What it throws ends the sending.
    var onDelivered: (Delivery) throws -> Void = { _ in }

    /// - Parameter patienceSeconds: gives up when nothing became durable for so long.
    init(
        _ place: CollectorPlace, _ settings: ClientSession.Settings, console: Console, patienceSeconds: Int = 60
    ) throws {
        self.place = place
        self.console = console
        self.patienceSeconds = patienceSeconds
        windowBatches = settings.unackedBatchesMax * 2
        loop = try Loop()
        connectTimer = Timer(loop)
        tickTimer = Timer(loop)
        turnTimer = Timer(loop)
        session = ClientSession(settings, now: Self.moment(console)) {
            var generator = SystemRandomNumberGenerator()
            return generator.next()
        }
        source = session.currentSource
        tickTimer.start(everyMillis: Self.tickMillis) { [self] in tick() }
        perform(session.start())
    }

    /// Batches sent that have no fate yet.
    var pendingCount: Int { pending.count }

    /// Puts the batch on its way; waits while too many are.
    func send(_ batch: [UInt8], eventCount: Int, tag: Int) throws {
        if pending.isEmpty { stalledTicks = 0 }
        let (ticket, actions) = session.enqueue(batch: batch, eventCount: UInt32(eventCount), now: now)
        pending.append(Pending(ticket: ticket, tag: tag, base: nextBase, count: eventCount))
        nextBase += UInt64(eventCount)
        perform(actions)
        try turn()
        try run { session.queuedCount < windowBatches }
    }

    /// Waits until every batch has its fate.
    func drain() throws { try run { pending.isEmpty } }

    /// Waits until every batch has its fate, retires the source and closes.
    func finish() throws {
        perform(session.finish(final: true, now: now))
        try run { isFinished && openStreams == 0 }
        close()
    }

    /// Drops everything. Harmless when repeated.
    func close() {
        tickTimer.close()
        connectTimer.close()
        turnTimer.close()
        stream = nil
        onDelivered = { _ in }  // it often refers back to this
        loop.close()
    }

    // MARK: The loop

    private static func moment(_ console: Console) -> Moment {
        Moment(elapsedMicros: console.elapsedMicros(), clockMicros: console.clockMicros())
    }

    private var now: Moment { Self.moment(console) }

    private func run(until isDone: () -> Bool) throws {
        while true {
            if let failure { throw failure }
            if isDone() { return }
            loop.run()
        }
    }

    /// Lets the loop do what is due, without waiting.
    private func turn() throws {
        turnTimer.start(afterMillis: 0) { [loop] in loop.stop() }
        loop.run()
        if let failure { throw failure }
    }

    private func tick() {
        if !pending.isEmpty { stalledTicks += 1 }
        if stalledTicks >= patienceSeconds * 1000 / Int(Self.tickMillis) {
            failure = CommandError.stalled(place: place.description, seconds: patienceSeconds, lastRefusal: lastRefusal)
        }
        perform(session.tick(now: now))
        loop.stop()
    }

    // MARK: Actions

    private func perform(_ actions: [ClientSession.Action]) {
        for action in actions {
            switch action {
            case .connect(let delay): connectTimer.start(afterMillis: delay) { [self] in connect() }
            case .send(let bytes): stream?.write(bytes)
            case .disconnect:
                stream?.closeAfterWrites(withinMillis: Self.connectMillis)
                stream = nil
            case .settled(let ticket, let settlement): settle(ticket, settlement)
            case .refused(let refusal): note(refusal)
            case .failed(let error):
                failure = CommandError.refused(place: place.description, reason: "\(error.code) \(error.detail)")
            case .finished: isFinished = true
            }
        }
        if session.currentSource != source { renumber() }
    }

    private func note(_ refusal: NegativeAcknowledgement) {
        let text = "\(refusal.code)" + (refusal.detail.isEmpty ? "" : " (\(refusal.detail))")
        lastRefusal = text
        if refusal.code == .notAllowed, refusal.retry != .newSource {
            failure = CommandError.refused(place: place.description, reason: "the token may not write to this project: \(text)")
        }
    }

    private func settle(_ ticket: UInt64, _ settlement: ClientSession.Settlement) {
        guard let index = pending.firstIndex(where: { $0.ticket == ticket }) else { return }
        let batch = pending.remove(at: index)
        stalledTicks = 0
        var refused: [Delivery.Refusal] = []
        switch settlement {
        case .acknowledged(let verdicts):
            refused = verdicts.map { verdict in
                let first = Int(clamping: verdict.sequence &- batch.base)
                let end = first + Int(clamping: verdict.count)
                let rows = min(first, batch.count)..<min(end, batch.count)
                return Delivery.Refusal(rows: rows, reason: "\(verdict.code)")
            }
        case .listed: break
        case .overLimit:
            refused = [Delivery.Refusal(rows: 0..<batch.count, reason: "the batch is over the collector's limits")]
        }
        do { try onDelivered(Delivery(tag: batch.tag, eventCount: batch.count, refused: refused)) } catch {
            failure = error
        }
    }

    /// The session moved what is left to a new source: its sequences begin at 1.
    private func renumber() {
        source = session.currentSource
        nextBase = 1
        for index in pending.indices {
            pending[index].base = nextBase
            nextBase += UInt64(pending[index].count)
        }
    }

    // MARK: The connection

    private func connect() {
        place.connect(loop, withinMillis: Self.connectMillis) { [self] result in
            switch result {
            case .success(let stream): didConnect(stream)
            case .failure(let error):
                if !hasEverConnected { failure = CommandError.unreachable(place: place.description, reason: error.name) }
                perform(session.disconnected(now: now))
            }
            loop.stop()
        }
    }

    private func didConnect(_ stream: Stream) {
        hasEverConnected = true
        openStreams += 1
        self.stream = stream
        stream.onClosed = { [self] _ in
            openStreams -= 1
            if self.stream === stream {
                self.stream = nil
                perform(session.disconnected(now: now))
            }
            loop.stop()
        }
        stream.startReading(
            onBytes: { [self] span in
                guard self.stream === stream else { return }
                perform(session.receive(span, now: now))
                loop.stop()
            },
            onEnd: { stream.close() })
        perform(session.connected(now: now))
    }
}
