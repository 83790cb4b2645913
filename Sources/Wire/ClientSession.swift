import Bytes

/// The sender's end: one source on one connection at a time, a queue of encoded batches, resending until every event has
/// its fate. No I/O, no clock. Rules: protocol/frames.md §6 and §10.
///
/// The shell performs the actions in order: it connects when told to, says `connected` or `disconnected`, feeds what it
/// reads, and calls `tick` a few times a second.
public struct ClientSession: Sendable {
    public struct Settings: Sendable {
        public var token: String
        public var project: String
        public var sdkName = "tidemark"
        public var sdkVersion = "0"
        public var kind = SourceKind.live
        /// At most this many batches and bytes wait for ACK; one batch always may.
        public var unackedBatchesMax = 64
        public var unackedBytesMax = 8 << 20
        public var backoffMinMilliseconds: UInt64 = 100
        public var backoffMaxMilliseconds: UInt64 = 30_000
        /// From `connected` to HELLO_ACK.
        public var handshakeMilliseconds: UInt64 = 10_000

        public init(token: String, project: String) {
            self.token = token
            self.project = project
        }
    }

    public enum Action: Equatable, Sendable {
        /// Connect, not before this time has passed.
        case connect(afterMilliseconds: UInt64)
        case send([UInt8])
        /// Close the connection when everything sent is flushed; `disconnected` need not be called.
        case disconnect
        /// The batch or skip has its fate and left the queue.
        case settled(ticket: UInt64, Settlement)
        /// For the log; the session acts on it by itself.
        case refused(NegativeAcknowledgement)
        /// The server will never take this; the session has stopped.
        case failed(ErrorMessage)
        /// `finish` was asked for and everything is settled.
        case finished
    }

    public enum Settlement: Equatable, Sendable {
        /// Durable but for the verdicts.
        case acknowledged([Verdict])
        /// OPENED listed it: durable, its verdicts were lost with the connection.
        case listed
        /// Over the server's limits: never sent, its sequences were skipped.
        case overLimit
    }

    enum StreamPhase: Sendable {
        case closed
        case opening
        case open
    }

    enum Ending: Sendable {
        case none
        /// CLOSE when the queue is empty.
        case wanted(final: Bool)
    }

    let settings: Settings
    let random: @Sendable () -> UInt64
    var queue: SendQueue
    var source: SourceID
    var link: ClientLink
    /// Nothing will ever be done again.
    var isStopped = false
    var stream: UInt32 = 0
    var streamPhase = StreamPhase.closed
    /// After OPENED everything that is left goes to a new source.
    var movesAfterOpened = false
    /// The next frame carries REWIND.
    var rewinds = false
    /// Nothing is sent, and no stream opened, before.
    var resumeMicros: Int64?
    var goAwayMilliseconds: UInt64?
    var failedAttempts: UInt64 = 0
    var acked: UInt64 = 0
    var lineage: [UInt8]?
    var ending = Ending.none

    /// - Parameter random: unpredictable bits, for sources and for spreading reconnects.
    public init(_ settings: Settings, now: Moment, random: @escaping @Sendable () -> UInt64) {
        self.settings = settings
        self.random = random
        queue = SendQueue()
        source = Self.mint(random)
        link = ClientLink(now: now)
    }

    /// The source of events that are enqueued now. It changes when another sender is found to use it.
    public var currentSource: SourceID { source }

    /// The sequence under `currentSource` of the event that is enqueued next.
    public var nextSequence: UInt64 { queue.nextBase }

    /// Batches and skips that have no fate yet.
    public var queuedCount: Int { queue.items.count }

    /// Bytes of batches that have no fate yet.
    public var queuedBytes: Int { queue.items.reduce(0) { $0 + $1.byteCount } }

    // MARK: From the application

    /// Begins: the first action is to connect.
    public func start() -> [Action] { [.connect(afterMilliseconds: 0)] }

    /// - Parameter eventCount: 1 … 65,536; of the batch.
    /// - Returns: the number that `settled` will name.
    public mutating func enqueue(batch: [UInt8], eventCount: UInt32, now: Moment) -> (ticket: UInt64, [Action]) {
        precondition(eventCount >= 1 && eventCount <= UInt32(Limits.batchEventsMax), "a batch has events")
        let ticket = queue.append(.batch(batch, fingerprint: XXH64.hash(batch)), count: UInt64(eventCount))
        return (ticket, pump(now))
    }

    /// Events the application dropped: their sequences are accounted for.
    public mutating func enqueueSkip(count: UInt64, reason: SkipReason, now: Moment) -> (ticket: UInt64, [Action]) {
        precondition(count >= 1, "a skip has sequences")
        let ticket = queue.append(.skip(reason), count: count)
        return (ticket, pump(now))
    }

    /// Ends when everything is settled. `final`: the source will never be used again.
    public mutating func finish(final: Bool, now: Moment) -> [Action] {
        ending = .wanted(final: final)
        return pump(now)
    }

    // MARK: From the shell

    public mutating func connected(now: Moment) -> [Action] {
        stream = 0
        let sdk = (name: settings.sdkName, version: settings.sdkVersion)
        return [.send(link.begin(token: settings.token, sdk: sdk, timeout: settings.handshakeMilliseconds, now: now))]
    }

    /// The connection is gone, or could not be made.
    public mutating func disconnected(now: Moment) -> [Action] {
        guard !isStopped else { return [] }
        link.end()
        streamPhase = .closed
        queue.rewindAll()
        rewinds = false
        resumeMicros = nil
        let delay = goAwayMilliseconds ?? backoff()
        goAwayMilliseconds = nil
        failedAttempts += 1
        return [.connect(afterMilliseconds: delay)]
    }

    public mutating func receive(_ piece: RawSpan, now: Moment) -> [Action] {
        var actions: [Action] = []
        do {
            var offset = 0
            while !isStopped, let message = try link.next(piece, &offset, now: now) {
                try receive(message, now, &actions)
            }
        } catch {
            fail(error, now, &actions)
        }
        return actions
    }

    /// To be called a few times a second.
    public mutating func tick(now: Moment) -> [Action] {
        var actions: [Action] = []
        do {
            if let ping = try link.tick(now: now) { actions.append(.send(ping)) }
            actions += pump(now)
        } catch {
            fail(error, now, &actions)
        }
        return actions
    }

    // MARK: Connection

    mutating func reconnect(_ now: Moment) -> [Action] { [.disconnect] + disconnected(now: now) }

    /// Doubles with each failed attempt up to the maximum; half of it is chance, so that senders spread.
    func backoff() -> UInt64 {
        let doubled = settings.backoffMinMilliseconds << min(failedAttempts, 16)
        let whole = min(doubled, settings.backoffMaxMilliseconds)
        return whole / 2 + random() % (whole / 2 + 1)
    }

    /// What the server says makes no sense, or it refuses our version.
    private mutating func fail(_ error: WireError, _ now: Moment, _ actions: inout [Action]) {
        if case .refused = error {
            stop(ErrorMessage(code: .version, detail: error.description), &actions)
        } else {
            actions += reconnect(now)
        }
    }

    mutating func stop(_ message: ErrorMessage, _ actions: inout [Action]) {
        isStopped = true
        link.end()
        streamPhase = .closed
        actions += [.disconnect, .failed(message)]
    }

    static func mint(_ random: () -> UInt64) -> SourceID {
        var writer = ByteWriter()
        writer.append(fixed: random())
        writer.append(fixed: UInt16(truncatingIfNeeded: random()))
        guard let source = SourceID(bytes: writer.bytes) else { preconditionFailure("a source is ten bytes") }
        return source
    }
}
