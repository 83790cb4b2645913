import Bytes

/// One sequence space of one producer: 80 random bits. protocol/frames.md §6.
public struct SourceID: Hashable, Sendable {
    public static let byteCount = 10

    /// Exactly ten bytes.
    public let bytes: [UInt8]

    /// - Returns: nil unless `bytes` are ten.
    public init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }
}

extension SourceID: CustomStringConvertible {
    /// Twenty lower-case hexadecimal digits.
    public var description: String { Hex.encode(bytes) }
}
