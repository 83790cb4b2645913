import Bytes

/// One sequence space of one producer: 80 random bits (protocol/frames.md §6). Prints as 20 hexadecimal digits.
public struct SourceID: Sendable, Hashable {
    let high: UInt64
    let low: UInt16

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

    public var bytes: [UInt8] { bigEndianBytes(high) + bigEndianBytes(UInt64(low)).suffix(2) }
}

extension SourceID: CustomStringConvertible {
    public var description: String { Hex.encode(bytes) }
}

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

private func bigEndian(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reduce(0) { $0 &<< 8 | UInt64($1) }
}

private func bigEndianBytes(_ value: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value &>> UInt64(56 &- $0 &* 8)) }
}
