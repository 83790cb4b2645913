/// SipHash-2-4 (Aumasson and Bernstein, 2012): keys user ids so that nobody without the secret can aim at a key.
public struct SipHash: Sendable {
    private let key0: UInt64
    private let key1: UInt64

    /// - Parameter key: exactly 16 bytes.
    public init(key: [UInt8]) {
        precondition(key.count == 16, "a SipHash key has 16 bytes")
        key0 = key.rawSpan.uncheckedWord(0)
        key1 = key.rawSpan.uncheckedWord(8)
    }

    /// The hash of one byte followed by `bytes`, without joining them. O(n).
    public func hash(prefix: UInt8, _ bytes: RawSpan) -> UInt64 {
        var state = State(key0, key1)
        let total = bytes.byteCount &+ 1
        var word = UInt64(prefix)
        var filled: UInt64 = 8
        var offset = 0
        // The prefix shifts everything by one byte: each word takes seven bytes of this load and one of the last.
        while offset &+ 8 <= bytes.byteCount {
            let next = bytes.uncheckedWord(offset)
            state.absorb(word | (next &<< 8))
            word = next &>> 56
            offset &+= 8
        }
        while offset < bytes.byteCount {
            word |= UInt64(bytes.uncheckedByte(offset)) &<< filled
            filled &+= 8
            offset &+= 1
            if filled == 64 {
                state.absorb(word)
                word = 0
                filled = 0
            }
        }
        return state.finish(word | (UInt64(total & 0xFF) &<< 56))
    }

    private struct State {
        var v0, v1, v2, v3: UInt64

        init(_ key0: UInt64, _ key1: UInt64) {
            v0 = key0 ^ 0x736F_6D65_7073_6575
            v1 = key1 ^ 0x646F_7261_6E64_6F6D
            v2 = key0 ^ 0x6C79_6765_6E65_7261
            v3 = key1 ^ 0x7465_6462_7974_6573
        }

        mutating func absorb(_ word: UInt64) {
            v3 ^= word
            mix()
            mix()
            v0 ^= word
        }

        mutating func finish(_ last: UInt64) -> UInt64 {
            absorb(last)
            v2 ^= 0xFF
            for _ in 0..<4 { mix() }
            return v0 ^ v1 ^ v2 ^ v3
        }

        private mutating func mix() {
            v0 &+= v1
            v1 = SipHash.rotate(v1, 13) ^ v0
            v0 = SipHash.rotate(v0, 32)
            v2 &+= v3
            v3 = SipHash.rotate(v3, 16) ^ v2
            v0 &+= v3
            v3 = SipHash.rotate(v3, 21) ^ v0
            v2 &+= v1
            v1 = SipHash.rotate(v1, 17) ^ v2
            v2 = SipHash.rotate(v2, 32)
        }
    }

    private static func rotate(_ value: UInt64, _ by: UInt64) -> UInt64 { (value &<< by) | (value &>> (64 &- by)) }
}
