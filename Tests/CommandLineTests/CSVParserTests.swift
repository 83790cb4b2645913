import TestSupport
import Testing

@testable import CommandLine

@Suite struct CSVParserTests {
    private func rows(_ text: String, pieceBytes: Int = 1 << 20, delimiter: Character = ",") -> [CSVRow] {
        rows(Array(text.utf8), pieceBytes: pieceBytes, delimiter: delimiter)
    }

    private func rows(_ bytes: [UInt8], pieceBytes: Int, delimiter: Character = ",") -> [CSVRow] {
        var parser = CSVParser(delimiter: delimiter.asciiValue!)
        var rows: [CSVRow] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            parser.feed(Array(rest.prefix(pieceBytes))) { rows.append($0) }
            rest = rest.dropFirst(pieceBytes)
        }
        parser.finish { rows.append($0) }
        return rows
    }

    private func good(_ line: Int, _ fields: String...) -> CSVRow { CSVRow(line: line, content: .fields(fields)) }

    @Test(arguments: [1, 2, 3, 1000])
    func quotesHoldDelimitersLineEndsAndDoubledQuotes(pieceBytes: Int) {
        let text = "a,b,c\r\n\"x, y\",\"say \"\"hi\"\"\",\"two\r\nlines\"\r\n1,,\"\"\n"
        #expect(rows(text, pieceBytes: pieceBytes) == [
            good(1, "a", "b", "c"), good(2, "x, y", "say \"hi\"", "two\r\nlines"), good(4, "1", "", ""),
        ])
    }

    @Test func everyLineEndIsUnderstoodAndBlankLinesAreNoRows() {
        #expect(rows("a\r\n\r\nb\n\nc\rd") == [good(1, "a"), good(3, "b"), good(5, "c"), good(6, "d")])
    }

    @Test func anEmptyQuotedFieldAloneIsARow() { #expect(rows("\"\"\n") == [good(1, "")]) }

    @Test func rowsMayBeRagged() {
        #expect(rows("a,b\n1\n1,2,3\n,\n") == [
            good(1, "a", "b"), good(2, "1"), good(3, "1", "2", "3"), good(4, "", ""),
        ])
    }

    @Test func aQuoteInsideAPlainFieldIsText() { #expect(rows("5\" disk,x") == [good(1, "5\" disk", "x")]) }

    @Test func aBadRowIsNamedAndReadingGoesOn() {
        #expect(rows("\"a\"b,c\nd,e\n") == [
            CSVRow(line: 1, content: .bad(.textAfterQuote(column: 1))), good(2, "d", "e"),
        ])
        let open = CSVRow(line: 2, content: .bad(.unterminatedQuote(lines: 2...3)))
        #expect(rows("a\n\"open,\nb\n") == [good(1, "a"), open])
        #expect(rows("a\n\"open,\nb") == [good(1, "a"), open])
        let notUTF8 = rows([0x61, 0x2C, 0xFF, 0x0A, 0x62], pieceBytes: 100)
        #expect(notUTF8 == [CSVRow(line: 1, content: .bad(.notUTF8(column: 2))), good(2, "b")])
    }

    @Test func aRowWithoutEndIsCutOff() {
        let long = "\"" + String(repeating: "x", count: CSVParser.rowBytesMax) + "\nnext\n"
        #expect(rows(long) == [CSVRow(line: 1, content: .bad(.tooLong(limit: CSVParser.rowBytesMax))), good(2, "next")])
    }

    @Test func anOpenQuoteNamesTheLinesItSwallows() {
        let start = String(repeating: "x,y\n", count: 10)
        let swallowed = "\"z,y\n" + String(repeating: "x,y\n", count: 990)
        guard case .bad(let error) = rows(start + swallowed).last?.content else {
            Issue.record("the last row is good")
            return
        }
        #expect(error.description == "a quote is not closed; lines 11–1001 belong to it")
        let long = "\"" + String(repeating: "x\n", count: CSVParser.rowBytesMax / 2) + "next\n"
        #expect(rows(long).first?.content == .bad(.unterminatedQuote(lines: 1...(CSVParser.rowBytesMax / 2))))
    }

    @Test func tabsCanDelimit() { #expect(rows("a\tb,c\n", delimiter: "\t") == [good(1, "a", "b,c")]) }

    @Test(arguments: 1...20)
    func whatIsWrittenIsReadBackWhateverThePieces(seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        let alphabet: [Character] = ["a", ",", "\"", "\n", "ü", " "]
        func field() -> String {
            let count = Int.random(in: 1...5, using: &random)
            return String((0..<count).map { _ in alphabet.randomElement(using: &random)! })
        }
        let table = (0..<20).map { _ in (0..<3).map { _ in field() } }
        let text = table.map { row in
            row.map { "\"" + $0.replacing("\"", with: "\"\"") + "\"" }.joined(separator: ",") + "\r\n"
        }.joined()
        let read = rows(text, pieceBytes: Int.random(in: 1...9, using: &random)).map { row -> [String] in
            if case .fields(let fields) = row.content { fields } else { [] }
        }
        #expect(read == table, "seed \(seed)")
    }

    @Test(arguments: 1...20)
    func anyBytesAreReadWithoutATrap(seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        let alphabet: [UInt8] = [0x22, 0x2C, 0x0A, 0x0D, 0x61, 0xFF, 0xC3]
        let bytes = (0..<500).map { _ in alphabet.randomElement(using: &random)! }
        let whole = rows(bytes, pieceBytes: 500)
        #expect(rows(bytes, pieceBytes: 3) == whole, "seed \(seed)")
    }
}
