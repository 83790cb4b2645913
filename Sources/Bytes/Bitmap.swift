/// One bit a row: presence, validity, selection. Bits past `count` are zero.
public struct Bitmap: Sendable, Equatable {
    public private(set) var words: [UInt64]
    public let count: Int

    /// All bits alike.
    public init(repeating value: Bool, count: Int) {
        self.count = count
        words = [UInt64](repeating: value ? .max : 0, count: (count + 63) / 64)
        if value, count % 64 != 0 { words[words.count - 1] = (1 << UInt64(count % 64)) - 1 }
    }

    /// Takes words as they are: bit `i` is bit `i mod 64` of word `i / 64`. Bits past `count` are cleared.
    /// - Parameter words: ⌈count / 64⌉ of them; a precondition.
    public init(words: [UInt64], count: Int) {
        precondition(words.count == (count + 63) / 64, "words must hold the bits")
        self.words = words
        self.count = count
        if count % 64 != 0 { self.words[words.count - 1] &= (1 << UInt64(count % 64)) - 1 }
    }

    /// The bitmap whose bit `i` is `bools[i]`.
    public init(_ bools: some Collection<Bool>) {
        self.init(repeating: false, count: bools.count)
        for (index, value) in bools.enumerated() where value { self[index] = true }
    }

    @inlinable
    public subscript(index: Int) -> Bool {
        get {
            precondition(index >= 0 && index < count)
            return words[index &>> 6] &>> UInt64(index & 63) & 1 == 1
        }
        set {
            precondition(index >= 0 && index < count)
            let bit: UInt64 = 1 &<< UInt64(index & 63)
            setWord(index &>> 6, newValue ? words[index &>> 6] | bit : words[index &>> 6] & ~bit)
        }
    }

    @usableFromInline
    mutating func setWord(_ index: Int, _ word: UInt64) { words[index] = word }

    /// How many bits are one. O(count / 64).
    public var onesCount: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    /// Keeps the bits that are one in either; counts must match.
    public mutating func formUnion(_ other: Bitmap) {
        precondition(count == other.count)
        for index in words.indices { words[index] |= other.words[index] }
    }

    /// Calls `body` with the index of each one bit, ascending.
    @inlinable
    public func forEachOne(_ body: (Int) -> Void) {
        for (wordIndex, word) in words.enumerated() {
            var rest = word
            while rest != 0 {
                body(wordIndex &* 64 &+ rest.trailingZeroBitCount)
                rest &= rest &- 1
            }
        }
    }
}
