/// One sequence space of one producer: 80 random bits (protocol/frames.md §6). Prints as 20 hexadecimal digits.
public struct SourceID: Sendable, Hashable, Comparable {
    /// The first eight bytes, big-endian: order is the order of the bytes.
    public let high: UInt64
    /// The last two.
    public let low: UInt16

    /// - Returns: nil unless there are exactly ten bytes.
    public init?(bytes: [UInt8]) {
        guard bytes.count == SourceID.byteCount else { return nil }
        high = bigEndian(bytes[0..<8])
        low = UInt16(truncatingIfNeeded: bigEndian(bytes[8..<10]))
    }

    /// - Returns: nil unless `text` is 20 hexadecimal digits.
    public init?(_ text: String) {
        guard let bytes = Hex.decode(text) else { return nil }
        self.init(bytes: bytes)
    }

    public static let byteCount = 10

    /// A new source, as minted whenever a sequence space begins.
    public static func random(using generator: inout some RandomNumberGenerator) -> SourceID {
        SourceID(high: generator.next(), low: generator.next())
    }

    private init(high: UInt64, low: UInt16) {
        self.high = high
        self.low = low
    }

    public static func < (left: SourceID, right: SourceID) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }

    public var bytes: [UInt8] { bigEndianBytes(high) + bigEndianBytes(UInt64(low)).suffix(2) }
}

extension SourceID: CustomStringConvertible {
    public var description: String { Hex.encode(bytes) }
}

extension RawSpan {
    /// Reads a source and moves `offset` past it.
    public func source(_ offset: inout Int) throws(DecodeError) -> SourceID {
        let bytes = copy(try take(SourceID.byteCount, &offset))
        guard let source = SourceID(bytes: bytes) else { throw .truncated(offset: offset) }
        return source
    }
}

/// The number whose big-endian bytes these are; at most eight.
public func bigEndian(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reduce(0) { $0 &<< 8 | UInt64($1) }
}

/// The eight bytes of a number, most significant first.
public func bigEndianBytes(_ value: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value &>> UInt64(56 &- $0 &* 8)) }
}
