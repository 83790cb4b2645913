/// What became of a source's sequences so far; every sequence has exactly one fate (protocol/frames.md §4).
public struct SourceTotals: Equatable, Sendable {
    public var unknownBefore: UInt64
    public var skipped: UInt64
    public var stored: UInt64
    public var rejected: UInt64
    public var quarantined: UInt64

    public init(
        unknownBefore: UInt64 = 0, skipped: UInt64 = 0, stored: UInt64 = 0, rejected: UInt64 = 0,
        quarantined: UInt64 = 0
    ) {
        self.unknownBefore = unknownBefore
        self.skipped = skipped
        self.stored = stored
        self.rejected = rejected
        self.quarantined = quarantined
    }

    /// The last sequence. Traps beyond 64 bits, which 48-bit sequences never reach.
    public var sum: UInt64 { unknownBefore + skipped + stored + rejected + quarantined }

    /// In the order of the formats.
    public var values: [UInt64] { [unknownBefore, skipped, stored, rejected, quarantined] }
}
