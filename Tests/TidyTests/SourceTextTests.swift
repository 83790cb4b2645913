import Testing

/// Rules look at code, so what is not code must be gone and all else stay in its place.
@Suite struct SourceTextTests {
    @Test(arguments: [
        ("a // b", "a     "),
        ("a /* b /* c */ d */ e", "a                   e"),
        ("a \"b\" c", "a     c"),
        ("a \"b \\(c + \"d)\" + f(e)) g\" h", "a" + blanks(26) + "h"),
        ("a #\"b\" \\(c\"# d", "a            d"),
        ("a \"\\\"\" b", "a      b"),
        ("#if a", "#if a"),
        ("a \"\"\"\n  b \"c\" \\\n  \"\"\" d", "a    \n         \n      d"),
        ("\"unfinished", blanks(11)),
        ("/* unfinished", blanks(13)),
    ]) func commentsAndStringsAreBlanked(text: String, code: String) {
        let blanked = String(decoding: SourceText(path: "A.swift", text: text).code, as: UTF8.self)
        #expect(blanked == code)
    }

    private static func blanks(_ count: Int) -> String { String(repeating: " ", count: count) }

    @Test func wordsKnowTheirLinesAndNeighbours() {
        let words = SourceText(path: "A.swift", text: "let a\n  = x.try!").words
        #expect(words.map(\.text) == ["let", "a", "x", "try"])
        #expect(words.map(\.line) == [1, 1, 2, 2])
        #expect(words.last?.before == UInt8(ascii: "."))
        #expect(words.last?.after == UInt8(ascii: "!"))
    }
}
