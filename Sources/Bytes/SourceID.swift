/// A source: 80 random bits that name one sequence space of one producer (protocol/frames.md §6).
public struct SourceID: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The first eight bytes, big-endian, so that order is the order of the bytes.
    private let high: UInt64
    private let low: UInt16

    public static let byteCount = 10

    /// - Parameter bytes: exactly 10.
    public init(_ bytes: [UInt8]) {
        precondition(bytes.count == Self.byteCount, "a source has 10 bytes")
        high = bytes[0..<8].reduce(0) { $0 << 8 | UInt64($1) }
        low = UInt16(bytes[8]) << 8 | UInt16(bytes[9])
    }

    /// A new one at random.
    public static func random(using generator: inout some RandomNumberGenerator) -> SourceID {
        SourceID((0..<byteCount).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }

    public var bytes: [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: high >> UInt64(56 - $0 * 8)) }
            + [UInt8(low >> 8), UInt8(truncatingIfNeeded: low)]
    }

    /// 20 hexadecimal digits.
    public var description: String { Hex.encode(bytes) }

    public static func < (left: SourceID, right: SourceID) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

extension RawSpan {
    /// Reads ten bytes and moves `offset` past them.
    public func source(_ offset: inout Int) throws(DecodeError) -> SourceID {
        SourceID(copy(try take(SourceID.byteCount, &offset)))
    }
}
