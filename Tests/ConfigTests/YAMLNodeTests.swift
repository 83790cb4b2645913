import Config
import TestSupport
import Testing

@Suite struct YAMLNodeTests {
    private func parse(_ text: String) throws -> YAMLNode? { try YAMLNode.parse(Array(text.utf8), file: "c.yaml") }

    private func message(_ text: String) -> String? {
        do throws(ConfigError) {
            _ = try YAMLNode.parse(Array(text.utf8), file: "c.yaml")
            return nil
        } catch {
            return error.description
        }
    }

    @Test func valuesKnowTheirPlaceAndMappingsTheirOrder() throws {
        let root = try #require(try parse("b: 1\na:\n  - x\n  - 'y z'\n"))
        guard case .mapping(let entries) = root.content else {
            Issue.record("no mapping")
            return
        }
        #expect(entries.map(\.key) == ["b", "a"] && entries.map(\.line) == [1, 2])
        guard case .sequence(let elements)? = root["a"]?.content else {
            Issue.record("no sequence")
            return
        }
        #expect(elements.map(\.content) == [.scalar("x", isPlain: true), .scalar("y z", isPlain: false)])
        #expect(elements.map(\.line) == [3, 4] && elements.map(\.column) == [5, 5])
    }

    @Test(arguments: ["", "\n", "# nothing\n"])
    func aTextWithoutADocumentIsNil(text: String) throws {
        #expect(try parse(text) == nil)
    }

    @Test func onlyPlainWordsAreNull() throws {
        let root = try #require(try parse("a:\nb: ~\nc: null\nd: ''\ne: 'null'\nf: x\n"))
        #expect(["a", "b", "c", "d", "e", "f"].map { root[$0]?.isNull } == [true, true, true, false, false, false])
    }

    @Test func aliasesStandForWhatTheyName() throws {
        let root = try #require(try parse("a: &x {k: [1, 2]}\nb: *x\n"))
        #expect(root["b"] == root["a"])
    }

    @Test(arguments: [
        ("a: 1\na: 2\n", #"c.yaml:2: key "a" occurs twice"#),
        ("a: *x\n", "c.yaml:1: unknown alias *x"),
        ("a: &x [*x]\n", "c.yaml:1: unknown alias *x"),
        ("a: 1\n---\nb: 2\n", "c.yaml:2: several documents are not supported"),
        ("a: !!int 1\n", "c.yaml:1: tags are not supported"),
        ("[a]: 1\n", "c.yaml:1: keys that are not text are not supported"),
        ("a: [1\nb: 2\n", "c.yaml:2: while parsing a flow sequence: did not find expected ',' or ']'"),
        ("a: \u{1}\n", "c.yaml:1: control characters are not allowed"),
    ])
    func whatIsNotConfigurationIsRefused(text: String, expected: String) {
        #expect(message(text) == expected)
    }

    @Test func depthBytesAndNodesAreBounded() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(message(nested(32)) == nil)
        #expect(message(nested(33)) == "c.yaml:1: depth over the limit of 32")
        #expect(message(nested(100_000)) == "c.yaml:1: depth over the limit of 32")
        #expect(message(String(repeating: "#", count: (1 << 20) + 1)) == "c.yaml: bytes over the limit of 1048576")
        // A billion laughs: each line stands for ten of the one before.
        var bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
        for level in 1...8 {
            let aliases = [String](repeating: "*a\(level - 1)", count: 10).joined(separator: ",")
            bomb += "a\(level): &a\(level) [\(aliases)]\n"
        }
        #expect(message(bomb) == "c.yaml:5: nodes over the limit of 100000")
    }

    @Test func everyPrefixAndBitFlipIsReadOrRefused() {
        let text = Array("a: &x\n  - {b: 'c', d: \"e\\n\"}\n  - |\n    block\n  - *x1\n# é\nf: ${G:-h}\n".utf8)
        var readCount = 0
        for end in 0...text.count where (try? YAMLNode.parse(Array(text[..<end]), file: "c")) != nil { readCount += 1 }
        for bit in 0..<(text.count * 8) {
            var flipped = text
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            if (try? YAMLNode.parse(flipped, file: "c")) != nil { readCount += 1 }
        }
        #expect(readCount > 0)
    }
}
