import Bytes

/// Bits appended in runs: definition levels of one column (one = present), or boolean values.
struct BitRun: Sendable {
    private(set) var words: [UInt64] = []
    private(set) var count = 0

    init() {}

    /// The bits of `rows`, or as many ones if there is no bitmap.
    init(_ bitmap: Bitmap?, _ rows: Range<Int>) {
        guard let bitmap else {
            append(repeating: true, length: rows.count)
            return
        }
        precondition(rows.lowerBound >= 0 && rows.upperBound <= bitmap.count)
        let all = bitmap.words
        words.reserveCapacity(rows.count / 64 + 1)
        for start in stride(from: rows.lowerBound, to: rows.upperBound, by: 64) {
            let shift = UInt64(start & 63)
            let next = (start >> 6) + 1
            let high = shift > 0 && next < all.count ? all[next] << (64 - shift) : 0
            append(all[start >> 6] >> shift | high, length: min(64, rows.upperBound - start))
        }
    }

    /// One bit a code of `rows`: whether it is not null.
    init(_ codes: [UInt32], _ rows: Range<Int>) {
        words.reserveCapacity(rows.count / 64 + 1)
        for start in stride(from: rows.lowerBound, to: rows.upperBound, by: 64) {
            let length = min(64, rows.upperBound - start)
            var word: UInt64 = 0
            for index in 0..<length { word |= (codes[start + index] == StringColumn.null ? 0 : 1) &<< UInt64(index) }
            append(word, length: length)
        }
    }

    /// Appends the low `length` (0...64) bits of `bits`; higher bits are ignored.
    mutating func append(_ bits: UInt64, length: Int) {
        guard length > 0 else { return }
        let kept = length == 64 ? bits : bits & ((1 &<< UInt64(length)) &- 1)
        let used = count & 63
        if used == 0 {
            words.append(kept)
        } else {
            words[words.count &- 1] |= kept &<< UInt64(used)
            if used &+ length > 64 { words.append(kept &>> UInt64(64 &- used)) }
        }
        count &+= length
    }

    /// Appends `length` equal bits. O(length / 64).
    mutating func append(repeating value: Bool, length: Int) {
        var rest = length
        while rest > 0 {
            let step = min(rest, 64)
            append(value ? .max : 0, length: step)
            rest -= step
        }
    }

    /// Appends `length` bits that lie in `bytes` from `offset`, least significant first.
    /// The caller has proven that the bytes hold them.
    mutating func append(_ bytes: RawSpan, at offset: Int, length: Int) {
        var offset = offset
        var rest = length
        while rest >= 64 && offset <= bytes.byteCount - 8 {
            append(bytes.uncheckedWord(offset), length: 64)
            offset += 8
            rest -= 64
        }
        while rest > 0 {
            let step = min(rest, 8)
            append(UInt64(bytes.uncheckedByte(offset)), length: step)
            offset += 1
            rest -= step
        }
    }

    subscript(index: Int) -> Bool {
        precondition(index < count)
        return words[index >> 6] >> UInt64(index & 63) & 1 == 1
    }

    /// How many bits of `range` are one. O(range.count / 64).
    func onesCount(_ range: Range<Int>) -> Int {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        guard !range.isEmpty else { return 0 }
        let first = range.lowerBound >> 6
        let last = (range.upperBound - 1) >> 6
        var ones = 0
        for index in first...last {
            var word = words[index]
            if index == first { word &= .max << UInt64(range.lowerBound & 63) }
            if index == last { word &= .max >> UInt64(63 - (range.upperBound - 1) & 63) }
            ones += word.nonzeroBitCount
        }
        return ones
    }

    /// The same bits as a bitmap. O(1), but for a copy of the words if they are still in use.
    func bitmap() -> Bitmap { Bitmap(words: words, count: count) }
}
