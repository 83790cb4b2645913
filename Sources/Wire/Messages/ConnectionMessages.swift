import Bytes

/// GOAWAY: the server will close; what was sent is still answered.
public struct GoAway: Equatable, Sendable {
    public var reason: GoAwayReason
    public var reconnectAfterMilliseconds: UInt64

    public init(reason: GoAwayReason, reconnectAfterMilliseconds: UInt64) {
        self.reason = reason
        self.reconnectAfterMilliseconds = reconnectAfterMilliseconds
    }

    public init(_ header: FrameHeader, _ payload: RawSpan) throws(WireError) {
        let fields = try Fields(payload, of: .goAway, known: [1, 2])
        reason = try fields.code(1, GoAwayReason.self)
        reconnectAfterMilliseconds = try fields.uint(2, ifAbsent: 0)
    }

    public func encoded() -> [UInt8] {
        var fields = FieldWriter()
        fields.uint(1, reason.rawValue)
        fields.uint(2, reconnectAfterMilliseconds)
        return FrameHeader.frame(.goAway, fields)
    }
}

/// ERROR: the server closes after it.
public struct ErrorMessage: Equatable, Sendable {
    static let detailBytesMax = 1024

    public var code: ErrorCode
    public var detail: String

    public init(code: ErrorCode, detail: String) {
        self.code = code
        self.detail = detail
    }

    public init(_ header: FrameHeader, _ payload: RawSpan) throws(WireError) {
        let fields = try Fields(payload, of: .error, known: [1, 2])
        code = try fields.code(1, ErrorCode.self)
        detail = try fields.text(2, bytesMax: Self.detailBytesMax, ifAbsent: "")
    }

    public func encoded() -> [UInt8] {
        var fields = FieldWriter()
        fields.uint(1, code.rawValue)
        fields.text(2, detail.cut(toBytes: Self.detailBytesMax))
        return FrameHeader.frame(.error, fields)
    }
}

/// ADMIN: a request of an operator's. protocol/frames.md §9.
public struct AdminRequest: Equatable, Sendable {
    /// Chosen by the client; the reply has the same.
    public var number: UInt64
    public var verb: String
    /// JSON text; empty means `{}`.
    public var argument: String

    public init(number: UInt64, verb: String, argument: String) {
        self.number = number
        self.verb = verb
        self.argument = argument
    }

    public init(_ header: FrameHeader, _ payload: RawSpan) throws(WireError) {
        let fields = try Fields(payload, of: .admin, known: [1, 2])
        number = header.base
        verb = try fields.text(1, bytesMax: 64)
        argument = try fields.text(2, bytesMax: Limits.stringBytesMax, ifAbsent: "")
    }

    public func encoded() -> [UInt8] {
        var fields = FieldWriter()
        fields.text(1, verb)
        fields.text(2, argument)
        return FrameHeader.frame(.admin, base: number, fields)
    }
}

/// ADMIN_REPLY.
public struct AdminReply: Equatable, Sendable {
    public var number: UInt64
    public var status: AdminStatus
    /// JSON text.
    public var result: String

    public init(number: UInt64, status: AdminStatus, result: String) {
        self.number = number
        self.status = status
        self.result = result
    }

    public init(_ header: FrameHeader, _ payload: RawSpan) throws(WireError) {
        let fields = try Fields(payload, of: .adminReply, known: [1, 2])
        number = header.base
        status = try fields.code(1, AdminStatus.self)
        result = try fields.text(2, bytesMax: Limits.frameBytesMax, ifAbsent: "")
    }

    public func encoded() -> [UInt8] {
        var fields = FieldWriter()
        fields.uint(1, status.rawValue)
        fields.text(2, result)
        return FrameHeader.frame(.adminReply, base: number, fields)
    }
}

/// PING: are you there, and what time is it. Answered by PONG with the same number.
public struct Ping: Equatable, Sendable {
    public var number: UInt64
    public var clockMicros: Int64

    public init(number: UInt64, clockMicros: Int64) {
        self.number = number
        self.clockMicros = clockMicros
    }

    public init(_ header: FrameHeader, _ payload: RawSpan) throws(WireError) {
        let fields = try Fields(payload, of: .ping, known: [2])
        number = header.base
        clockMicros = try fields.int(2, ifAbsent: 0)
    }

    public func encoded() -> [UInt8] {
        var fields = FieldWriter()
        fields.int(2, clockMicros)
        return FrameHeader.frame(.ping, base: number, fields)
    }
}

/// PONG: the answer to PING.
public struct Pong: Equatable, Sendable {
    public var number: UInt64
    public var clockMicros: Int64

    public init(number: UInt64, clockMicros: Int64) {
        self.number = number
        self.clockMicros = clockMicros
    }

    public init(_ header: FrameHeader, _ payload: RawSpan) throws(WireError) {
        let fields = try Fields(payload, of: .pong, known: [2])
        number = header.base
        clockMicros = try fields.int(2, ifAbsent: 0)
    }

    public func encoded() -> [UInt8] {
        var fields = FieldWriter()
        fields.int(2, clockMicros)
        return FrameHeader.frame(.pong, base: number, fields)
    }
}
