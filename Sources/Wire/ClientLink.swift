import Bytes

/// The client's end of a connection up to HELLO_ACK, and the frames after it.
struct ClientLink: Sendable {
    private enum Phase: Sendable {
        case down
        case preamble([UInt8])
        case hello
        case running(ConnectionLimits)
    }

    private var phase = Phase.down
    private var decoder = FrameDecoder()
    private var keepalive: Keepalive
    private var handshakeDeadlineMicros: Int64 = 0

    init(now: Moment) { keepalive = Keepalive(seconds: 0, now: now) }

    /// nil before HELLO_ACK.
    var limits: ConnectionLimits? { if case .running(let limits) = phase { limits } else { nil } }

    /// - Returns: the preamble and HELLO, to be sent.
    mutating func begin(token: String, sdk: (name: String, version: String), timeout: UInt64, now: Moment) -> [UInt8] {
        phase = .preamble([])
        decoder = FrameDecoder(payloadBytesMax: Limits.frameBytesMax)
        handshakeDeadlineMicros = now.adding(milliseconds: timeout)
        let hello = Hello(
            token: token, sdkName: sdk.name, sdkVersion: sdk.version, features: 0, clockMicros: now.clockMicros)
        return Preamble.ours.encoded() + hello.encoded()
    }

    mutating func end() { phase = .down }

    /// Reads on at `offset` of `piece`. A HELLO_ACK is handed on too.
    /// - Returns: nil when the piece is used up or the link was ended.
    mutating func next(_ piece: RawSpan, _ offset: inout Int, now: Moment) throws(WireError) -> Message? {
        keepalive.heard(now)
        if case .down = phase { return nil }
        try readPreamble(piece, &offset)
        while let frame = try decoder.next(piece, &offset) {
            guard let message = try Message(frame, in: piece) else { continue }
            switch (phase, message) {
            case (.hello, .helloAcknowledgement(let answer)):
                phase = .running(answer.limits)
                keepalive = Keepalive(seconds: answer.limits.keepaliveSeconds, now: now)
            case (.running, .helloAcknowledgement): throw .unexpected(.helloAcknowledgement)
            case (.hello, .error), (.running, _): break
            default: throw .unexpected(message.type)
            }
            return message
        }
        return nil
    }

    private mutating func readPreamble(_ piece: RawSpan, _ offset: inout Int) throws(WireError) {
        guard case .preamble(let start) = phase else { return }
        let taken = min(piece.byteCount, Preamble.byteCount - start.count)
        let bytes = start + piece.copy(0..<taken)
        offset = taken
        guard bytes.count == Preamble.byteCount else {
            phase = .preamble(bytes)
            return
        }
        let theirs = try Preamble(bytes)
        let isOurs = theirs.lowestVersion <= Preamble.current && theirs.highestVersion >= Preamble.current
        if theirs.code == UInt16(ErrorCode.version.rawValue) && !isOurs { throw .refused(code: theirs.code) }
        // A preamble has no checksum: what contradicts itself was damaged on the way, and is tried again.
        guard theirs.code == 0, isOurs, theirs.lowestVersion == theirs.highestVersion else {
            throw .version(peerLowest: theirs.lowestVersion, peerHighest: theirs.highestVersion)
        }
        phase = .hello
    }

    /// - Returns: a PING to be sent, if one is due.
    /// - Throws: `.timeout` if the handshake or the silence takes too long.
    mutating func tick(now: Moment) throws(WireError) -> [UInt8]? {
        switch phase {
        case .down: return nil
        case .preamble, .hello:
            if now.elapsedMicros >= handshakeDeadlineMicros { throw .timeout }
            return nil
        case .running:
            switch keepalive.due(now) {
            case .nothing: return nil
            case .ping: return Ping(number: 0, clockMicros: now.clockMicros).encoded()
            case .timeout: throw .timeout
            }
        }
    }
}
