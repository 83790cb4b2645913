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

/// Performs what a `ClientSession` asks for, on a loop: connects, writes, reads, keeps time. Never blocks; one thread.
///
/// Crash story: what was delivered is durable. What was not is gone with the process: the next run sends it again.
final class CollectorConnection {
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
    private let patienceSeconds: Int
    private let connectTimer: Timer
    private let tickTimer: Timer
    private var session: ClientSession
    private var source: SourceID
    /// All that events went to, this one included.
    private(set) var sources: Set<SourceID>
    private var pending: [Pending] = []
    private var nextBase: UInt64 = 1
    private var stream: Stream?
    /// Written together at the end of what is being done, since one call of the system carries many small frames.
    private var outgoing: [UInt8] = []
    private var gatherDepth = 0
    private var hasEverConnected = false
    private var openStreams = 0
    private var hasFinished = false
    private var stalledTicks = 0
    private var lastRefusal: String?

    /// Why nothing more will be delivered.
    private(set) var failure: (any Error)?
    /// Called for each batch when its fate is known. What it throws ends the sending.
    var onDelivered: (Delivery) throws -> Void = { _ in }
    /// Called from the loop whenever something may have changed.
    var onChange: () -> Void = {}

    /// - Parameter patienceSeconds: gives up when nothing became durable for so long.
    init(
        _ loop: Loop, _ place: CollectorPlace, _ settings: ClientSession.Settings, console: Console,
        patienceSeconds: Int
    ) {
        self.loop = loop
        self.place = place
        self.console = console
        self.patienceSeconds = patienceSeconds
        connectTimer = Timer(loop)
        tickTimer = Timer(loop)
        session = ClientSession(settings, now: Self.moment(console)) {
            var generator = SystemRandomNumberGenerator()
            return generator.next()
        }
        source = session.currentSource
        sources = [source]
        tickTimer.start(everyMillis: Self.tickMillis) { [self] in tick() }
        perform(session.start())
    }

    /// Batches sent that have no fate yet.
    var pendingCount: Int { pending.count }

    /// Whether everything has its fate and the connection is closed in order.
    var isFinished: Bool { hasFinished && openStreams == 0 }

    /// Puts the batch on its way, or behind those that are. How many wait is the caller's affair.
    func send(_ batch: [UInt8], eventCount: Int, tag: Int) {
        if pending.isEmpty { stalledTicks = 0 }
        let (ticket, actions) = session.enqueue(batch: batch, eventCount: UInt32(eventCount), now: now)
        pending.append(Pending(ticket: ticket, tag: tag, base: nextBase, count: eventCount))
        nextBase += UInt64(eventCount)
        perform(actions)
    }

    /// Frames that `body` sends leave together.
    func gather(_ body: () -> Void) {
        gatherDepth += 1
        body()
        gatherDepth -= 1
        if gatherDepth == 0, !outgoing.isEmpty {
            stream?.write(outgoing)
            outgoing.removeAll(keepingCapacity: true)
        }
    }

    /// Retires the source and closes when every batch has its fate.
    func finish() { perform(session.finish(final: true, now: now)) }

    /// Drops everything. Harmless when repeated.
    func close() {
        tickTimer.close()
        connectTimer.close()
        stream?.close()
        stream = nil
        onDelivered = { _ in }  // they often refer back to this
        onChange = {}
    }

    // MARK: Actions

    private static func moment(_ console: Console) -> Moment {
        Moment(elapsedMicros: console.elapsedMicros(), clockMicros: console.clockMicros())
    }

    private var now: Moment { Self.moment(console) }

    private func tick() {
        if !pending.isEmpty { stalledTicks += 1 }
        if stalledTicks >= patienceSeconds * 1000 / Int(Self.tickMillis) {
            failure = CommandError.stalled(
                place: place.description, seconds: patienceSeconds, lastRefusal: lastRefusal)
        }
        perform(session.tick(now: now))
        onChange()
    }

    private func perform(_ actions: [ClientSession.Action]) {
        gather {
            for action in actions { perform(action) }
        }
        if session.currentSource != source { renumber() }
    }

    private func perform(_ action: ClientSession.Action) {
        switch action {
        case .connect(let delay): connectTimer.start(afterMillis: delay) { [self] in connect() }
        case .send(let bytes): outgoing += bytes
        case .disconnect:
            stream?.write(outgoing)
            outgoing = []
            stream?.closeAfterWrites(withinMillis: Self.connectMillis)
            stream = nil
        case .settled(let ticket, let settlement): settle(ticket, settlement)
        case .refused(let refusal): note(refusal)
        case .failed(let error):
            failure = CommandError.refused(place: place.description, reason: "\(error.code) \(error.detail)")
        case .finished: hasFinished = true
        }
    }

    private func note(_ refusal: NegativeAcknowledgement) {
        let text = "\(refusal.code)" + (refusal.detail.isEmpty ? "" : " (\(refusal.detail))")
        lastRefusal = text
        if refusal.code == .notAllowed, refusal.retry != .newSource {
            let reason = "the token may not write to this project: \(text)"
            failure = CommandError.refused(place: place.description, reason: reason)
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
                return Delivery.Refusal(rows: rows, reason: Self.words(verdict.code))
            }
        case .listed: break
        case .overLimit:
            refused = [Delivery.Refusal(rows: 0..<batch.count, reason: "the batch is over the collector's limits")]
        }
        do { try onDelivered(Delivery(tag: batch.tag, eventCount: batch.count, refused: refused)) } catch {
            failure = error
        }
    }

    private static func words(_ code: VerdictCode) -> String {
        code == .future ? "the timestamp is not between 1971 and an hour ahead of the collector's clock" : "\(code)"
    }

    /// The session moved what is left to a new source: its sequences begin at 1.
    private func renumber() {
        source = session.currentSource
        sources.insert(source)
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
                if !hasEverConnected {
                    failure = CommandError.unreachable(place: place.description, reason: error.name)
                }
                perform(session.disconnected(now: now))
            }
            onChange()
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
                outgoing = []
                perform(session.disconnected(now: now))
            }
            onChange()
        }
        stream.startReading(
            onBytes: { [self] span in
                guard self.stream === stream else { return }
                perform(session.receive(span, now: now))
                onChange()
            },
            onEnd: { stream.close() })
        perform(session.connected(now: now))
    }
}
