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
}
