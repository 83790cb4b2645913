import Bytes

/// The identity of an event, explicit or derived: 16 bytes (protocol/batch.md §10). Prints as `evt_` and 32 digits.
public struct EventID: Sendable, Hashable {
    let high: UInt64
    let low: UInt64

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// - Returns: nil unless there are exactly 16 bytes.
    public init?(bytes: [UInt8]) {
        guard bytes.count == EventID.byteCount else { return nil }
        self.init(high: bigEndian(bytes[0..<8]), low: bigEndian(bytes[8..<16]))
    }

    /// - Returns: nil unless `text` is `evt_` followed by 32 hexadecimal digits.
    public init?(_ text: String) {
        guard text.hasPrefix("evt_"), let bytes = Hex.decode(text.dropFirst(4)) else { return nil }
        self.init(bytes: bytes)
    }

    /// The derived id of an event that has none of its own.
    /// - Parameter sequence: at most `Limits.sequenceMax`; a precondition.
    public init(source: SourceID, sequence: UInt64) {
        precondition(sequence <= Limits.sequenceMax, "a sequence has 48 bits")
        self.init(high: source.high, low: UInt64(source.low) &<< 48 | sequence)
    }

    public static let byteCount = 16

    public var bytes: [UInt8] { bigEndianBytes(high) + bigEndianBytes(low) }
}

extension EventID: CustomStringConvertible {
    public var description: String { "evt_" + Hex.encode(high) + Hex.encode(low) }
}
