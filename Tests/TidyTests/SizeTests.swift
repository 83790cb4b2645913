import Testing

/// A file is read in one sitting, a function fits a screen, a line fits beside another one.
@Suite struct SizeTests {
    static let fileLinesMax = 400
    static let lineColumnsMax = 120
    static let functionLinesMax = 70

    @Test func filesAndLinesAreShort() throws {
        let manifest = SourceText(path: "Package.swift", text: try Tree.here.text("Package.swift"))
        let violations = (try Tree.here.swiftSources() + [manifest]).flatMap(Self.longFilesAndLines)
        #expect(violations.isEmpty, "\(report(violations))")
    }

    @Test func functionsFitAScreen() throws {
        let violations = try Tree.here.swiftSources().flatMap(Self.longFunctions)
        #expect(violations.isEmpty, "\(report(violations))")
    }

    static func longFilesAndLines(_ source: SourceText) -> [String] {
        var violations: [String] = []
        let lineCount = source.lines.count - (source.lines.last?.isEmpty == true ? 1 : 0)
        if lineCount > fileLinesMax { violations.append("\(source.path): \(lineCount) lines") }
        for (index, line) in source.lines.enumerated() where line.utf8.count > lineColumnsMax {
            if line.count > lineColumnsMax { violations.append("\(source.path):\(index + 1): \(line.count) columns") }
        }
        return violations
    }

    static func longFunctions(_ source: SourceText) -> [String] {
        source.words.compactMap { word in
            guard isDeclaration(word), let body = bodyLines(source.code, after: word) else { return nil }
            let lineCount = body.upperBound - word.line + 1
            return lineCount > functionLinesMax ? "\(source.path):\(word.line): \(lineCount) lines" : nil
        }
    }

    private static func isDeclaration(_ word: SourceText.Word) -> Bool {
        switch word.text {
        case "func": word.after == UInt8(ascii: " ") && word.before != UInt8(ascii: ".")
        case "init", "subscript": word.before != UInt8(ascii: ".") && "(<?!".utf8.contains(word.after)
        case "deinit": word.after == UInt8(ascii: " ")
        default: false
        }
    }

    /// From the brace that opens the body to the one that closes it; nil for a requirement without a body.
    private static func bodyLines(_ code: [UInt8], after word: SourceText.Word) -> ClosedRange<Int>? {
        var line = word.line
        var parentheses = 0
        var braces = 0
        var start = 0
        for byte in code[word.end...] {
            switch byte {
            case UInt8(ascii: "\n"): line += 1
            case UInt8(ascii: "("), UInt8(ascii: "["): parentheses += 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"): parentheses -= 1
            case UInt8(ascii: "{"):
                if braces == 0, parentheses == 0 { start = line }
                braces += 1
            case UInt8(ascii: "}"):
                braces -= 1
                if braces < 0 { return nil }
                if braces == 0, parentheses == 0 { return start...line }
            default: break
            }
        }
        return nil
    }

    // MARK: The rules themselves

    @Test func aLongFileIsFound() {
        let text = String(repeating: "\n", count: 401)
        #expect(Self.longFilesAndLines(SourceText(path: "A.swift", text: text)) == ["A.swift: 401 lines"])
        #expect(Self.longFilesAndLines(SourceText(path: "A.swift", text: String(text.dropLast()))) == [])
    }

    @Test func aLongLineIsFoundByItsColumnsNotItsBytes() {
        let wide = String(repeating: "é", count: 120)
        #expect(Self.longFilesAndLines(SourceText(path: "A.swift", text: wide)) == [])
        #expect(Self.longFilesAndLines(SourceText(path: "A.swift", text: wide + "e")) == ["A.swift:1: 121 columns"])
    }

    @Test(arguments: [
        "func f(a: [Int] = [])", "init()", "private init<T>(_ t: T)", "subscript(i: Int) -> Int", "deinit",
    ]) func aLongFunctionIsFound(head: String) {
        let body = String(repeating: "    g { \"}\" }  // }\n", count: 69)
        let long = SourceText(path: "A.swift", text: "struct S {\n\(head) {\n\(body)}\n}\n")
        #expect(Self.longFunctions(long) == ["A.swift:2: 71 lines"])
        let short = SourceText(path: "A.swift", text: "struct S {\n\(head) {\n\(body.dropFirst(20))}\n}\n")
        #expect(Self.longFunctions(short) == [])
    }
}

/// One violation a line.
func report(_ violations: [String]) -> String { "\n" + violations.joined(separator: "\n") }
