import Testing

/// Words that stand for something unfinished, unguarded, vague, or of one machine only.
@Suite struct WordTests {
    static let marks: Set<String> = ["TODO", "FIXME", "XXX", "HACK"]
    static let vagueEndings = ["Manager", "Helper", "Helpers", "Utils", "Util", "Common", "Base", "Impl"]
    /// In two parts, so that this file does not hold them.
    static let machinePaths = ["/" + "work/", "/" + "farm/", "/" + "tmp/tm", "/" + "root/", "/" + "home/"]

    @Test func nothingIsMarkedAsUnfinished() throws {
        let paths = Tree.here.paths.filter { !$0.hasSuffix("TidyTests/WordTests.swift") && !$0.hasSuffix(".md") }
        let violations = try paths.flatMap { Self.marked($0, try Tree.here.text($0)) }
        #expect(violations.isEmpty, "\(report(violations))")
    }

    @Test func nothingIsUnguarded() throws {
        let violations = try Tree.here.swiftSources().flatMap(Self.unguarded)
        #expect(violations.isEmpty, "\(report(violations))")
    }

    @Test func namesSayWhatAThingIs() throws {
        let violations = try Tree.here.swiftSources().flatMap(Self.vagueNames)
        #expect(violations.isEmpty, "\(report(violations))")
    }

    @Test func nothingNamesAMachine() throws {
        let violations = try Tree.here.paths.flatMap { Self.namingAMachine($0, try Tree.here.text($0)) }
        #expect(violations.isEmpty, "\(report(violations))")
    }

    static func marked(_ path: String, _ text: String) -> [String] {
        SourceText.words(of: Array(text.utf8)).filter { marks.contains($0.text) }
            .map { "\(path):\($0.line): \($0.text)" }
    }

    /// `try!` and `as!` everywhere, `fatalError` outside tests: a precondition says what was expected.
    static func unguarded(_ source: SourceText) -> [String] {
        source.words.filter { word in
            switch word.text {
            case "try", "as": word.after == UInt8(ascii: "!")
            case "fatalError", "unimplemented": !source.isTest
            default: false
            }
        }.map { "\(source.path):\($0.line): \($0.text)" }
    }

    static func vagueNames(_ source: SourceText) -> [String] {
        let kinds: Set<String> = ["struct", "class", "enum", "protocol", "actor", "typealias"]
        let types = source.words.indices.dropLast().filter { index in
            kinds.contains(source.words[index].text) && source.words[index].before != UInt8(ascii: ".")
        }
        let named = types.map { source.words[$0 + 1] }.map { (name: $0.text, place: "\(source.path):\($0.line)") }
            + [(name: source.name, place: source.path)]
        return named.filter { named in vagueEndings.contains(where: named.name.hasSuffix) }
            .map { "\($0.place): \($0.name)" }
    }

    static func namingAMachine(_ path: String, _ text: String) -> [String] {
        guard machinePaths.contains(where: text.contains) else { return [] }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.enumerated().flatMap { index, line in
            machinePaths.filter { standsAlone($0, in: line) }.map { "\(path):\(index + 1): \($0)" }
        }
    }

    /// Whether a path begins with `folder` somewhere, rather than going through a folder of that name.
    private static func standsAlone(_ folder: String, in line: Substring) -> Bool {
        line.ranges(of: folder).contains { range in
            guard range.lowerBound > line.startIndex else { return true }
            let before = line[line.index(before: range.lowerBound)]
            return !(before.isLetter || before.isNumber || "_.-".contains(before))
        }
    }

    // MARK: The rules themselves

    @Test func aMarkIsFound() {
        #expect(Self.marked("a", "x\n// \("TO" + "DO"): later") == ["a:2: \("TO" + "DO")"])
        #expect(Self.marked("a", "let TODOS = 1") == [])
    }

    @Test(arguments: ["let a = try! f()", "let a = b as! C", "fatalError()"])
    func unguardedCodeIsFound(text: String) {
        #expect(Self.unguarded(SourceText(path: "Sources/A/A.swift", text: text)).count == 1)
        #expect(Self.unguarded(SourceText(path: "Sources/A/A.swift", text: "// " + text)) == [])
        #expect(Self.unguarded(SourceText(path: "Sources/A/A.swift", text: "\"" + text + "\"")) == [])
    }

    @Test func aVagueNameIsFound() {
        let source = SourceText(
            path: "Sources/A/LogUtils.swift", text: "final class LogManager {}\nstruct Manageress {}")
        #expect(
            Self.vagueNames(source) == ["Sources/A/LogUtils.swift:1: LogManager", "Sources/A/LogUtils.swift: LogUtils"])
    }

    @Test func aMachinesPathIsFound() {
        let path = Self.machinePaths[0]
        #expect(Self.namingAMachine("a", "see \(path)x") == ["a:1: \(path)"])
        #expect(Self.namingAMachine("a", "see net\(path)x, our\(path)") == [])
    }
}
