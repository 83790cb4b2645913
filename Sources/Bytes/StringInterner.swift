/// Gives equal byte strings one index, counted in order of arrival. Open addressing on the bytes; no `String` is made.
public struct StringInterner: Sendable {
    public private(set) var strings = ByteStrings()
    /// Half of a string's hash above its index + 1, 0 where free; a power of two, at most half full. The hash tells
    /// nearly all others apart without a look at their bytes, which are elsewhere.
    private var slots = [UInt64](repeating: 0, count: 256)
    /// Keeps those who choose the strings from choosing collisions; it changes nothing else.
    private let seed = UInt64.random(in: .min ... .max)

    public init() {}

    /// The index of `string`, new or known. O(n) on average.
    public mutating func intern(_ string: RawSpan) -> UInt32 {
        let hash = hash(string)
        let mask = slots.count &- 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            let entry = slots[slot]
            if entry == 0 { break }
            if UInt32(truncatingIfNeeded: entry &>> 32) == hash {
                let index = Int(UInt32(truncatingIfNeeded: entry)) &- 1
                if strings.span(index).holdsSameWords(string) { return UInt32(index) }
            }
            slot = (slot &+ 1) & mask
        }
        let index = strings.count
        strings.append(string)
        slots[slot] = UInt64(hash) &<< 32 | UInt64(UInt32(index &+ 1))
        if strings.count &* 2 > slots.count { grow() }
        return UInt32(index)
    }

    /// The same for text.
    public mutating func intern(_ text: String) -> UInt32 {
        let bytes = text.utf8.span
        return intern(RawSpan(_elements: bytes))
    }

    /// Forgets all strings and keeps the table.
    public mutating func removeAll() {
        guard strings.count > 0 else { return }
        strings = ByteStrings()
        for slot in slots.indices { slots[slot] = 0 }
    }

    private mutating func grow() {
        var larger = [UInt64](repeating: 0, count: slots.count * 2)
        let mask = larger.count &- 1
        for entry in slots where entry != 0 {
            var slot = Int(truncatingIfNeeded: entry &>> 32) & mask
            while larger[slot] != 0 { slot = (slot &+ 1) & mask }
            larger[slot] = entry
        }
        slots = larger
    }

    /// Eight bytes a multiplication, the last word overlapping the one before.
    private func hash(_ string: RawSpan) -> UInt32 {
        let count = string.byteCount
        var hash = seed ^ UInt64(count)
        guard count >= 8 else {
            var word: UInt64 = 0
            for offset in 0..<count { word = word &<< 8 | UInt64(string.uncheckedByte(offset)) }
            return UInt32(truncatingIfNeeded: mix(hash ^ word))
        }
        var offset = 0
        while offset &+ 8 < count {
            hash = mix(hash ^ string.uncheckedWord(offset))
            offset &+= 8
        }
        return UInt32(truncatingIfNeeded: mix(hash ^ string.uncheckedWord(count &- 8)))
    }

    private func mix(_ word: UInt64) -> UInt64 {
        // The golden ratio's bits: odd, and without pattern.
        let product = word.multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        return product.high ^ product.low
    }
}

extension RawSpan {
    /// Equality, eight bytes a step.
    fileprivate func holdsSameWords(_ other: RawSpan) -> Bool {
        guard byteCount == other.byteCount else { return false }
        var offset = 0
        while offset &+ 8 <= byteCount {
            if uncheckedWord(offset) != other.uncheckedWord(offset) { return false }
            offset &+= 8
        }
        while offset < byteCount {
            if uncheckedByte(offset) != other.uncheckedByte(offset) { return false }
            offset &+= 1
        }
        return true
    }
}
