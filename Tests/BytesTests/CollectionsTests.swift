import Testing

@testable import Bytes

@Suite struct CollectionsTests {
    @Test func stringsComeBackInOrder() {
        var strings = ByteStrings(["", "a", "zwölf"])
        strings.append([0xFF])
        #expect(strings.count == 4)
        #expect((0..<3).map { strings[$0] } == ["", "a", "zwölf"])
        #expect(strings[3] == "\u{FFFD}" && strings.copy(3) == [0xFF])
        let span = strings.span(2)
        let size = span.byteCount
        #expect(size == 6)
    }

    @Test(arguments: [0, 1, 63, 64, 65, 200]) func bitmapsHoldTheirBits(count: Int) {
        var bitmap = Bitmap(repeating: true, count: count)
        #expect(bitmap.onesCount == count)
        for index in stride(from: 0, to: count, by: 3) { bitmap[index] = false }
        let expected = (0..<count).filter { $0 % 3 != 0 }
        var seen: [Int] = []
        bitmap.forEachOne { seen.append($0) }
        #expect(seen == expected)
        #expect(bitmap == Bitmap((0..<count).map { $0 % 3 != 0 }))
    }

    @Test(arguments: [0, 1, 63, 64, 65, 200]) func wordsMakeTheSameBitmap(count: Int) {
        let bitmap = Bitmap((0..<count).map { $0 % 5 != 1 })
        var words = bitmap.words
        #expect(Bitmap(words: words, count: count) == bitmap)
        if count % 64 != 0 { words[words.count - 1] |= 1 << 63 }
        #expect(Bitmap(words: words, count: count) == bitmap, "bits past the last are cleared")
    }

    @Test func equalStringsHaveOneIndexInOrderOfArrival() {
        var interner = StringInterner()
        for round in 0..<2 {
            for number in 0..<5000 {
                // Long, short and empty strings, each twice, and others of the same length.
                let text = number == 0 ? "" : String(repeating: "x", count: number % 20) + "\(number)"
                #expect(interner.intern(text) == UInt32(number), "round \(round)")
            }
        }
        #expect(interner.strings.count == 5000)
        interner.removeAll()
        #expect(interner.intern("7") == 0 && interner.strings.count == 1)
    }
}
