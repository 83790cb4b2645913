import Bytes

/// The 32 bytes before every payload. Layout: protocol/frames.md §2, little-endian.
public struct FrameHeader: Equatable, Sendable {
    public static let byteCount = 32
    static let rewindFlag: UInt8 = 1

    public var payloadBytes: UInt32
    /// A `FrameType`, or an even type that may be skipped.
    public var type: UInt8
    /// The frame goes back to the expected sequence after a NACK (BATCH, SKIP).
    public var rewinds: Bool
    public var stream: UInt32
    public var eventCount: UInt32
    /// A sequence, or a number that means the same both ways; by type.
    public var base: UInt64
    public var payloadChecksum: UInt32

    public init(
        type: FrameType, stream: UInt32 = 0, base: UInt64 = 0, eventCount: UInt32 = 0, rewinds: Bool = false,
        payload: RawSpan
    ) {
        self.payloadBytes = UInt32(payload.byteCount)
        self.type = type.rawValue
        self.rewinds = rewinds
        self.stream = stream
        self.eventCount = eventCount
        self.base = base
        self.payloadChecksum = CRC32C.checksum(payload)
    }

    /// Reads the header at `offset`, which is moved past it.
    /// - Throws: `.headerChecksum` before any field is looked at, else `.header` or `.unknownType`.
    /// - Precondition: 32 bytes lie at `offset`.
    public init(_ bytes: RawSpan, at offset: Int, payloadBytesMax: Int) throws(WireError) {
        let words = Self.words(bytes, at: offset)
        let actual = CRC32C.checksum(bytes.extracting(offset..<(offset + 28)))
        let expected = UInt32(words.3 >> 32)
        guard expected == actual else { throw .headerChecksum(expected: expected, actual: actual) }
        let flags = UInt8(truncatingIfNeeded: words.0 >> 40)
        payloadBytes = UInt32(truncatingIfNeeded: words.0)
        type = UInt8(truncatingIfNeeded: words.0 >> 32)
        rewinds = flags & Self.rewindFlag != 0
        stream = UInt32(truncatingIfNeeded: words.1)
        eventCount = UInt32(truncatingIfNeeded: words.1 >> 32)
        base = words.2
        payloadChecksum = UInt32(truncatingIfNeeded: words.3)
        guard Int(payloadBytes) <= payloadBytesMax else {
            throw .payloadTooBig(bytes: UInt64(payloadBytes), limit: payloadBytesMax)
        }
        try check(flags: flags, reserved: words.0 >> 48)
    }

    private func check(flags: UInt8, reserved: UInt64) throws(WireError) {
        guard let known = FrameType(rawValue: type) else {
            if type % 2 == 1 { throw .unknownType(type) }
            return
        }
        let rewindable = known == .batch || known == .skip
        guard flags & ~Self.rewindFlag == 0, !rewinds || rewindable else {
            throw .header(field: "flags", value: UInt64(flags))
        }
        guard reserved == 0 else { throw .header(field: "reserved", value: reserved) }
        guard base <= Limits.sequenceMax else { throw .header(field: "base", value: base) }
        guard eventCount == 0 || known == .batch else {
            throw .header(field: "event count", value: UInt64(eventCount))
        }
        guard base == 0 || known.usesBase else { throw .header(field: "base", value: base) }
        guard (stream == 0) == !known.isOfStream else { throw .header(field: "stream", value: UInt64(stream)) }
    }

    /// The header followed by `payload`, whose size and checksum it holds.
    public func encoded(before payload: RawSpan) -> [UInt8] {
        var writer = ByteWriter(capacity: Self.byteCount + payload.byteCount)
        append(to: &writer)
        writer.append(payload)
        return writer.bytes
    }

    func append(to writer: inout ByteWriter) {
        let start = writer.count
        writer.append(fixed: payloadBytes)
        writer.append(type)
        writer.append(rewinds ? Self.rewindFlag : 0)
        writer.append(fixed: UInt16(0))
        writer.append(fixed: stream)
        writer.append(fixed: eventCount)
        writer.append(fixed: base)
        writer.append(fixed: payloadChecksum)
        writer.append(fixed: CRC32C.checksum(writer.bytes.rawSpan.extracting(start..<(start + 28))))
    }

    private static func words(_ bytes: RawSpan, at offset: Int) -> (UInt64, UInt64, UInt64, UInt64) {
        precondition(offset >= 0 && offset <= bytes.byteCount - byteCount, "a header is 32 bytes")
        return (
            bytes.uncheckedWord(offset), bytes.uncheckedWord(offset + 8),
            bytes.uncheckedWord(offset + 16), bytes.uncheckedWord(offset + 24)
        )
    }
}

extension FrameType {
    /// Whether frames of this type name a stream; the others are of the connection and have 0 there.
    var isOfStream: Bool {
        switch self {
        case .open, .opened, .batch, .acknowledgement, .negativeAcknowledgement, .skip, .close: true
        case .hello, .helloAcknowledgement, .goAway, .error, .admin, .adminReply, .ping, .pong: false
        }
    }

    /// Whether the header's base says something.
    var usesBase: Bool {
        switch self {
        case .opened, .batch, .acknowledgement, .negativeAcknowledgement, .skip: true
        case .admin, .adminReply, .ping, .pong: true
        case .hello, .helloAcknowledgement, .open, .close, .goAway, .error: false
        }
    }
}
