import Bytes

/// HELLO: who speaks. It authenticates the connection. protocol/frames.md §4.
public struct Hello: Equatable, Sendable {
    public var token: String
    public var sdkName: String
    public var sdkVersion: String
    public var features: UInt64
    /// The sender's clock at sending, µs since 1970.
    public var clockMicros: Int64

    public init(token: String, sdkName: String, sdkVersion: String, features: UInt64, clockMicros: Int64) {
        self.token = token
        self.sdkName = sdkName
        self.sdkVersion = sdkVersion
        self.features = features
        self.clockMicros = clockMicros
    }

    public init(_ header: FrameHeader, _ payload: RawSpan) throws(WireError) {
        let fields = try Fields(payload, of: .hello, known: [1, 2, 4, 6, 8])
        token = try fields.text(1, bytesMax: Limits.tokenBytesMax)
        sdkName = try fields.text(2, bytesMax: 256, ifAbsent: "")
        sdkVersion = try fields.text(4, bytesMax: 256, ifAbsent: "")
        features = try fields.uint(6, ifAbsent: 0)
        clockMicros = try fields.int(8, ifAbsent: 0)
    }

    public func encoded() -> [UInt8] {
        var fields = FieldWriter()
        fields.text(1, token)
        fields.text(2, sdkName)
        fields.text(4, sdkVersion)
        fields.uint(6, features)
        fields.int(8, clockMicros)
        return FrameHeader.frame(.hello, fields)
    }
}

/// What the server allows on a connection. Absent in HELLO_ACK means the format's own maximum.
public struct ConnectionLimits: Equatable, Sendable {
    public var frameBytesMax = Limits.frameBytesMax
    public var batchEventsMax = Limits.batchEventsMax
    public var batchDecodedBytesMax = Limits.batchDecodedBytesMax
    public var batchStringsMax = Limits.batchStringsMax
    public var batchColumnsMax = Limits.batchColumnsMax
    public var unackedBatchesMax = Limits.unackedBatchesPerStreamMax
    /// 0: no PINGs, and silence is never too long.
    public var keepaliveSeconds = 30

    /// The format's own maxima.
    public init() {}
}

/// HELLO_ACK: what the token may do, and the limits.
public struct HelloAcknowledgement: Equatable, Sendable {
    public var role: Role
    /// The one project of an ingest token; empty for the other roles.
    public var project: String
    public var limits: ConnectionLimits
    /// The server's clock at sending, µs since 1970.
    public var clockMicros: Int64
    public var features: UInt64

    public init(role: Role, project: String, limits: ConnectionLimits, clockMicros: Int64, features: UInt64) {
        self.role = role
        self.project = project
        self.limits = limits
        self.clockMicros = clockMicros
        self.features = features
    }

    public init(_ header: FrameHeader, _ payload: RawSpan) throws(WireError) {
        let fields = try Fields(
            payload, of: .helloAcknowledgement, known: [1, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24])
        role = try fields.code(1, Role.self)
        project = try fields.text(2, bytesMax: Limits.projectNameBytesMax, ifAbsent: "")
        limits = ConnectionLimits()
        limits.frameBytesMax = try Self.limit(fields, 4, limits.frameBytesMax)
        limits.batchEventsMax = try Self.limit(fields, 6, limits.batchEventsMax)
        limits.batchDecodedBytesMax = try Self.limit(fields, 8, limits.batchDecodedBytesMax)
        limits.batchStringsMax = try Self.limit(fields, 10, limits.batchStringsMax)
        limits.batchColumnsMax = try Self.limit(fields, 12, limits.batchColumnsMax)
        limits.unackedBatchesMax = try Self.limit(fields, 14, limits.unackedBatchesMax)
        let keepaliveSeconds = try fields.uint(16, ifAbsent: 0)
        limits.keepaliveSeconds = Int(min(keepaliveSeconds, 86_400))
        clockMicros = try fields.int(18, ifAbsent: 0)
        features = try fields.uint(20, ifAbsent: 0)
    }

    /// A limit of the server's, never more than the format's.
    private static func limit(_ fields: Fields, _ id: UInt64, _ formatMax: Int) throws(WireError) -> Int {
        Int(min(try fields.uint(id, ifAbsent: UInt64(formatMax)), UInt64(formatMax)))
    }

    public func encoded() -> [UInt8] {
        var fields = FieldWriter()
        fields.uint(1, role.rawValue)
        fields.text(2, project)
        fields.uint(4, UInt64(limits.frameBytesMax))
        fields.uint(6, UInt64(limits.batchEventsMax))
        fields.uint(8, UInt64(limits.batchDecodedBytesMax))
        fields.uint(10, UInt64(limits.batchStringsMax))
        fields.uint(12, UInt64(limits.batchColumnsMax))
        fields.uint(14, UInt64(limits.unackedBatchesMax))
        fields.uint(16, UInt64(limits.keepaliveSeconds))
        fields.int(18, clockMicros)
        fields.uint(20, features)
        return FrameHeader.frame(.helloAcknowledgement, fields)
    }
}

extension FrameHeader {
    /// A whole frame whose payload is `fields`.
    static func frame(_ type: FrameType, stream: UInt32 = 0, base: UInt64 = 0, _ fields: FieldWriter) -> [UInt8] {
        let payload = fields.writer.bytes.rawSpan
        return FrameHeader(type: type, stream: stream, base: base, payload: payload).encoded(before: payload)
    }
}
