import Bytes

/// What makes an event the same as another, the day aside: whose it is, and its explicit id (protocol/table.md §7).
struct EventIdentity: Hashable, Sendable {
    let userKey: Int64
    private let high: UInt64
    private let low: UInt64

    /// The id of `row` in a column of 16-byte ids.
    init(userKey: Int64, _ ids: RawSpan, _ row: Int) {
        self.userKey = userKey
        high = ids.uncheckedWord(row * 16)
        low = ids.uncheckedWord(row * 16 + 8)
    }

    fileprivate func hash(seed: UInt64) -> (UInt64, UInt64) {
        let hash = mix(mix(mix(seed ^ UInt64(bitPattern: userKey)) ^ high) ^ low)
        return (hash, mix(hash ^ seed) | 1)
    }
}

/// Which identities a file may hold (Bloom, 1970): it may say yes wrongly, about once in 400, never no.
///
/// Lets the tail be followed without reading the table again for each increment.
struct IdentityFilter: Sendable {
    private var words: [UInt64]
    /// Keeps those who choose ids from choosing ones that are always read.
    private let seed = UInt64.random(in: .min ... .max)

    /// - Parameter count: of identities to come; 16 bits each, rounded up to a power of two.
    init(count: Int) {
        var wordCount = 1
        while wordCount * 4 < count { wordCount *= 2 }
        words = [UInt64](repeating: 0, count: wordCount)
    }

    mutating func insert(_ identity: EventIdentity) {
        let (first, step) = identity.hash(seed: seed)
        for turn in 0..<4 as Range<UInt64> {
            let bit = first &+ turn &* step
            words[Int(truncatingIfNeeded: bit &>> 6) & (words.count - 1)] |= 1 &<< (bit & 63)
        }
    }

    func mayHold(_ identity: EventIdentity) -> Bool {
        let (first, step) = identity.hash(seed: seed)
        for turn in 0..<4 as Range<UInt64> {
            let bit = first &+ turn &* step
            if words[Int(truncatingIfNeeded: bit &>> 6) & (words.count - 1)] &>> (bit & 63) & 1 == 0 { return false }
        }
        return true
    }
}

private func mix(_ word: UInt64) -> UInt64 {
    // The golden ratio's bits: odd, and without pattern.
    let product = word.multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
    return product.high ^ product.low
}
