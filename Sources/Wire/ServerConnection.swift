import Bytes

/// What a token allows, as the shell's authentication found.
public enum Grant: Equatable, Sendable {
    case ingest(project: String)
    case relay(projects: Set<String>)
    case admin

    var role: Role {
        switch self {
        case .ingest: .ingest
        case .relay: .relay
        case .admin: .admin
        }
    }

    /// Whether a stream of `project` may be opened.
    func allows(project: String) -> Bool {
        switch self {
        case .ingest(let own): own == project
        case .relay(let projects): projects.contains(project)
        case .admin: false
        }
    }
}

/// The server's end of one connection, on its loop's thread. No I/O, no clock. Rules: protocol/frames.md §5 and §6.
///
/// `bytes arrive → receive → actions`; the writer thread's answers come back through `opened`, `acknowledged`,
/// `refused` and `adminReplied`. The shell performs the actions in order. After `.close` everything returns no actions.
public struct ServerConnection: Sendable {
    public enum Action: Equatable, Sendable {
        case send([UInt8])
        /// Ask who it is; answer with `authenticated` or `authenticationFailed`.
        case authenticate(Hello)
        /// For the ledger.
        case open(Open)
        /// For the ledger; its clock offset is that of the envelope and of this hop together.
        case batch(BatchFrame)
        /// For the ledger.
        case skip(Skip)
        /// For the ledger.
        case refuse(Refusal)
        /// For the ledger.
        case closeStream(Close)
        case admin(AdminRequest)
        /// Close when everything sent is flushed; tell the ledger `disconnected`. nil: nothing was wrong.
        case close(WireError?)
    }

    /// A BATCH or SKIP that is not taken for a cause the loop knows. The ledger words the NACK, in order of arrival.
    public struct Refusal: Equatable, Sendable {
        public var stream: UInt32
        public var base: UInt64
        /// Whether the refused frame was itself a rewind; then it is answered again.
        public var rewinds: Bool
        public var code: NackCode
        public var afterMilliseconds: UInt64

        public init(stream: UInt32, base: UInt64, rewinds: Bool, code: NackCode, afterMilliseconds: UInt64) {
            self.stream = stream
            self.base = base
            self.rewinds = rewinds
            self.code = code
            self.afterMilliseconds = afterMilliseconds
        }
    }

    public struct Settings: Sendable {
        public var limits = ConnectionLimits()
        public var streamsMax = Limits.streamsPerConnectionMax
        public var helloMilliseconds: UInt64 = 5000
        /// Whether ADMIN is taken here: on the Unix socket only.
        public var takesAdmin: Bool

        public init(takesAdmin: Bool) { self.takesAdmin = takesAdmin }
    }

    private enum Phase: Sendable {
        case preamble([UInt8])
        case hello
        case authenticating
        case running(Grant)
        case closed
    }

    private struct Stream: Sendable {
        var isOpening = true
        /// The last sequences of batches and skips that wait for ACK or NACK, in order of arrival.
        var unackedLasts: [UInt64] = []

        /// Nothing from `sequence` on is in flight any more.
        mutating func forget(from sequence: UInt64) { unackedLasts.removeAll { $0 >= sequence } }
    }

    /// After GOAWAY a connection with nothing unacked is kept this long for frames under way.
    static let drainMilliseconds: UInt64 = 1000
    static let unackedRetryMilliseconds: UInt64 = 100

    private let settings: Settings
    private var phase = Phase.preamble([])
    private var decoder = FrameDecoder()
    private var streams: [UInt32: Stream] = [:]
    /// Stream numbers rise: a late answer never meets another stream of the same number.
    private var highestStream: UInt32 = 0
    private var clockOffset = ClockOffset()
    private var keepalive: Keepalive
    private let helloDeadlineMicros: Int64
    /// When a drained connection may be closed; nil unless draining.
    private var drainedMicros: Int64?

    public init(_ settings: Settings, now: Moment) {
        self.settings = settings
        keepalive = Keepalive(seconds: settings.limits.keepaliveSeconds, now: now)
        helloDeadlineMicros = now.adding(milliseconds: settings.helloMilliseconds)
    }

    /// Batches and skips that wait for ACK or NACK, over all streams. O(streams).
    public var unackedCount: Int { streams.values.reduce(0) { $0 + $1.unackedLasts.count } }

    // MARK: From the peer

    /// - Parameter piece: what the socket gave, of any size.
    public mutating func receive(_ piece: RawSpan, now: Moment) -> [Action] {
        var actions: [Action] = []
        keepalive.heard(now)
        do {
            var offset = 0
            try readPreamble(piece, &offset, &actions)
            while !isClosed, let frame = try decoder.next(piece, &offset) {
                guard let message = try Message(frame, in: piece) else { continue }
                try receive(message, now, &actions)
            }
        } catch {
            end(error, &actions)
        }
        return actions
    }

    private var isClosed: Bool { if case .closed = phase { true } else { false } }

    private mutating func readPreamble(
        _ piece: RawSpan, _ offset: inout Int, _ actions: inout [Action]
    ) throws(WireError) {
        guard case .preamble(let start) = phase else { return }
        let taken = min(piece.byteCount, Preamble.byteCount - start.count)
        let bytes = start + piece.copy(0..<taken)
        offset = taken
        guard Preamble.magic.starts(with: bytes.prefix(Preamble.magic.count)) else { throw .magic }
        guard bytes.count == Preamble.byteCount else {
            phase = .preamble(bytes)
            return
        }
        let theirs = try Preamble(bytes)
        let answer = theirs.answer()
        actions.append(.send(answer.encoded()))
        guard answer.code == 0 else {
            throw .version(peerLowest: theirs.lowestVersion, peerHighest: theirs.highestVersion)
        }
        phase = .hello
    }

    private mutating func receive(_ message: Message, _ now: Moment, _ actions: inout [Action]) throws(WireError) {
        switch (phase, message) {
        case (.hello, .hello(let hello)):
            clockOffset.measure(peerClockMicros: hello.clockMicros, now: now)
            phase = .authenticating
            actions.append(.authenticate(hello))
        case (.running(let grant), .open(let open)): try receive(open, grant, &actions)
        case (.running, .batch(let batch)): try receive(batch, &actions)
        case (.running, .skip(let skip)): try receive(skip, &actions)
        case (.running, .close(let close)):
            guard streams.removeValue(forKey: close.stream) != nil else { return }
            actions.append(.closeStream(close))
        case (.running(let grant), .admin(let request)): receive(request, grant, &actions)
        case (.running, .ping(let ping)):
            clockOffset.measure(peerClockMicros: ping.clockMicros, now: now)
            actions.append(.send(Pong(number: ping.number, clockMicros: now.clockMicros).encoded()))
        case (.running, .pong(let pong)):
            clockOffset.measure(peerClockMicros: pong.clockMicros, now: now)
        default:
            throw .unexpected(message.type)
        }
    }

    private mutating func receive(_ open: Open, _ grant: Grant, _ actions: inout [Action]) throws(WireError) {
        guard open.stream > highestStream else { throw .unexpected(.open) }
        guard streams.count < settings.streamsMax else { throw .tooManyStreams(limit: settings.streamsMax) }
        highestStream = open.stream
        if drainedMicros != nil {
            refuseStream(open.stream, .draining, .after, &actions)
        } else if !grant.allows(project: open.project) {
            refuseStream(open.stream, .notAllowed, .after, &actions)
        } else {
            streams[open.stream] = Stream()
            actions.append(.open(open))
        }
    }

    private mutating func receive(_ batch: BatchFrame, _ actions: inout [Action]) throws(WireError) {
        guard try isOpen(batch.stream, .batch, &actions) else { return }
        let count = UInt64(batch.eventCount)
        guard takes(batch.stream, batch.base, count: count, rewinds: batch.rewinds, &actions) else { return }
        var corrected = batch
        let (sum, overflow) = batch.clockOffsetMicros.addingReportingOverflow(clockOffset.micros)
        guard !overflow else { throw .field(type: .batch, id: 2) }
        corrected.clockOffsetMicros = sum
        actions.append(.batch(corrected))
    }

    private mutating func receive(_ skip: Skip, _ actions: inout [Action]) throws(WireError) {
        guard try isOpen(skip.stream, .skip, &actions) else { return }
        guard takes(skip.stream, skip.base, count: skip.count, rewinds: skip.rewinds, &actions) else { return }
        actions.append(.skip(skip))
    }

    /// Counts a BATCH or SKIP among what waits for its answer, or refuses it. Each has a place: OPENED lists both.
    private mutating func takes(
        _ stream: UInt32, _ base: UInt64, count: UInt64, rewinds: Bool, _ actions: inout [Action]
    ) -> Bool {
        if rewinds { streams[stream]?.forget(from: base) }
        let unacked = streams[stream]?.unackedLasts.count ?? 0
        guard drainedMicros == nil, unacked < settings.limits.unackedBatchesMax else {
            actions.append(.refuse(Refusal(
                stream: stream, base: base, rewinds: rewinds, code: drainedMicros == nil ? .unackedLimit : .draining,
                afterMilliseconds: Self.unackedRetryMilliseconds)))
            return false
        }
        streams[stream]?.unackedLasts.append(base + count - 1)
        return true
    }

    /// Whether frames of the stream are taken. Those of a closed stream are discarded in silence.
    private mutating func isOpen(
        _ number: UInt32, _ type: FrameType, _ actions: inout [Action]
    ) throws(WireError) -> Bool {
        if let stream = streams[number] {
            guard !stream.isOpening else { throw .unexpected(type) }
            return true
        }
        if number > highestStream { refuseStream(number, .streamUnknown, .openAgain, &actions) }
        return false
    }

    private func refuseStream(_ stream: UInt32, _ code: NackCode, _ retry: RetryRule, _ actions: inout [Action]) {
        actions.append(.send(NegativeAcknowledgement(
            stream: stream, expected: 0, code: code, retry: retry,
            afterMilliseconds: code == .notAllowed ? 60_000 : Self.drainMilliseconds).encoded()))
    }

    private func receive(_ request: AdminRequest, _ grant: Grant, _ actions: inout [Action]) {
        guard grant == .admin, settings.takesAdmin else {
            let reply = AdminReply(number: request.number, status: .failed, result: #"{"error":"not allowed"}"#)
            actions.append(.send(reply.encoded()))
            return
        }
        actions.append(.admin(request))
    }

    // MARK: From the shell

    /// The token is good: HELLO_ACK, and the limits of HELLO_ACK are in force.
    public mutating func authenticated(_ grant: Grant, now: Moment) -> [Action] {
        guard case .authenticating = phase else { return [] }
        phase = .running(grant)
        decoder.payloadBytesMax = settings.limits.frameBytesMax
        var project = ""
        if case .ingest(let own) = grant { project = own }
        let answer = HelloAcknowledgement(
            role: grant.role, project: project, limits: settings.limits, clockMicros: now.clockMicros, features: 0)
        return [.send(answer.encoded())]
    }

    public mutating func authenticationFailed(detail: String) -> [Action] {
        fail(.authentication, detail: detail)
    }

    /// Ends the connection for a cause the shell found: OVERLOADED, INTERNAL.
    public mutating func fail(_ code: ErrorCode, detail: String) -> [Action] {
        guard !isClosed else { return [] }
        phase = .closed
        return [.send(ErrorMessage(code: code, detail: detail).encoded()), .close(nil)]
    }

    /// The server wants to stop: GOAWAY; new batches are refused, what was taken is answered, then it closes.
    public mutating func drain(reconnectAfterMilliseconds: UInt64, now: Moment) -> [Action] {
        guard !isClosed, drainedMicros == nil else { return [] }
        drainedMicros = now.adding(milliseconds: Self.drainMilliseconds)
        guard case .running = phase else {
            phase = .closed
            return [.close(nil)]
        }
        let message = GoAway(reason: .draining, reconnectAfterMilliseconds: reconnectAfterMilliseconds)
        return [.send(message.encoded())]
    }

    /// The shell has stopped reading for a reason of its own: the peer's silence is not its fault.
    public mutating func excuseSilence(now: Moment) { keepalive.heard(now) }

    /// To be called a few times a second.
    public mutating func tick(now: Moment) -> [Action] {
        var actions: [Action] = []
        switch phase {
        case .closed:
            break
        case .preamble, .hello:
            if now.elapsedMicros >= helloDeadlineMicros { end(.timeout, &actions) }
        case .authenticating:
            break
        case .running:
            if let drainedMicros, now.elapsedMicros >= drainedMicros, unackedCount == 0 {
                phase = .closed
                return [.close(nil)]
            }
            switch keepalive.due(now) {
            case .nothing: break
            case .ping: actions.append(.send(Ping(number: 0, clockMicros: now.clockMicros).encoded()))
            case .timeout: end(.timeout, &actions)
            }
        }
        return actions
    }

    private mutating func end(_ error: WireError, _ actions: inout [Action]) {
        switch phase {
        case .closed: return
        case .preamble: break  // the peer may not speak frames
        case .hello, .authenticating, .running:
            actions.append(.send(ErrorMessage(code: error.code, detail: error.description).encoded()))
        }
        phase = .closed
        actions.append(.close(error))
    }

    // MARK: From the writer thread

    public mutating func opened(_ message: Opened) -> [Action] {
        guard !isClosed, streams[message.stream]?.isOpening == true else { return [] }
        streams[message.stream]?.isOpening = false
        return [.send(message.encoded())]
    }

    public mutating func acknowledged(_ message: Acknowledgement) -> [Action] {
        guard !isClosed, streams[message.stream] != nil else { return [] }
        streams[message.stream]?.unackedLasts.removeAll { $0 <= message.durable }
        return [.send(message.encoded())]
    }

    public mutating func refused(_ message: NegativeAcknowledgement) -> [Action] {
        guard !isClosed, let stream = streams[message.stream] else { return [] }
        if message.code.closesStream || stream.isOpening {
            streams[message.stream] = nil
        } else {
            streams[message.stream]?.forget(from: message.expected)
        }
        return [.send(message.encoded())]
    }

    public mutating func adminReplied(_ reply: AdminReply) -> [Action] {
        isClosed ? [] : [.send(reply.encoded())]
    }
}
