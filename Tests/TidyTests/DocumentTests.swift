import Bytes
import Testing

/// What the code promises to readers: comments on its faces, and protocol documents that name the limits in force.
@Suite struct DocumentTests {
    @Test func everyTypeOthersCallIsExplained() throws {
        let violations = try Tree.here.swiftSources().filter { !$0.isTest }.flatMap(Self.unexplained)
        #expect(violations.isEmpty, "\(report(violations))")
    }

    /// A limit of the code, and how the document that is normative for it writes it.
    static let limits: [(document: String, phrase: String)] = [
        ("frames.md", "Frame payload ≤ \(mebibytes(Limits.frameBytesMax))"),
        ("frames.md", "token ≤ \(Limits.tokenBytesMax) bytes"),
        ("frames.md", "\(grouped(Limits.streamsPerConnectionMax)) streams a connection"),
        ("frames.md", "\(Limits.unackedBatchesPerStreamMax) unacked batches and skips a stream"),
        ("batch.md", "\(grouped(Limits.batchEventsMax)) events"),
        ("batch.md", "\(mebibytes(Limits.batchDecodedBytesMax)) decoded"),
        ("batch.md", "\(grouped(Limits.batchStringsMax)) strings"),
        ("batch.md", "\(grouped(Limits.batchColumnsMax)) columns"),
        ("batch.md", "a string ≤ \(mebibytes(Limits.stringBytesMax))"),
        ("batch.md", "type ≤ \(Limits.eventTypeBytesMax) bytes"),
        ("batch.md", "name ≤ \(Limits.propertyNameBytesMax)"),
        ("batch.md", "id ≤ \(Limits.identifierBytesMax)"),
        ("batch.md", "value bytes ≤ \(mebibytes(Limits.eventValueBytesMax)) an event"),
        ("batch.md", "≤ \(mebibytes(Limits.batchValueBytesMax)) a batch"),
        ("wal.md", "\(power(Limits.recordEventsMax)) events a record"),
        ("wal.md", "a record ≤ \(mebibytes(Limits.recordBytesMax))"),
        ("wal.md", "packs ≤ \(Limits.packBytesMax >> 10) KiB"),
        ("table.md", "at most \(grouped(Limits.rowGroupRowsMax)) rows"),
        ("table.md", "[a-z0-9-]{1,\(Limits.projectNameBytesMax)}"),
    ]

    @Test(arguments: limits) func theProtocolNamesTheLimitsInForce(document: String, phrase: String) throws {
        let text = try Tree.here.text("protocol/" + document)
        let isThere = text.contains(phrase)
        #expect(isThere, "protocol/\(document) does not say \"\(phrase)\"")
    }

    /// Codes of errors that no caller gets: nobody is there to read it, or no call makes such a document.
    private static let silentCodes: Set<String> = ["client_gone", "exists"]

    @Test func everyCodeOfAnErrorIsExplained() throws {
        let codes = Set(try Self.names(/code: "([a-z_]+)"/, in: "Sources/QueryServer/")).subtracting(Self.silentCodes)
        let text = try Tree.here.text("docs/questions.md") + Tree.here.text("docs/dashboards.md")
        let missing = codes.filter { !text.contains("`\($0)`") }.sorted()
        #expect(codes.count > 15 && missing.isEmpty, "no document explains \(missing)")
    }

    @Test func everyMetricIsExplained() throws {
        let metrics = Set(
            try Self.names(/(?:counter|gauge|histogram|Counters)\(\s*"(tidemark_[a-z_]+)"/, in: "Sources/"))
        let text = try Tree.here.text("docs/operations.md")
        let missing = metrics.filter { !text.contains("`\($0)") }.sorted()
        #expect(metrics.count > 20 && missing.isEmpty, "docs/operations.md does not explain \(missing)")
    }

    /// What the pattern captures in the Swift files of a folder.
    private static func names(_ pattern: Regex<(Substring, Substring)>, in folder: String) throws -> [String] {
        try Tree.here.paths.filter { $0.hasPrefix(folder) && $0.hasSuffix(".swift") }
            .flatMap { try Tree.here.text($0).matches(of: pattern).map { String($0.1) } }
    }

    @Test func theArchitectureTakesTenMinutes() throws {
        let text = try Tree.here.text("ARCHITECTURE.md")
        let lineCount = text.split(separator: "\n", omittingEmptySubsequences: false).count
        #expect(lineCount <= 250)
    }

    /// Top-level types, open to other modules, without a doc comment.
    static func unexplained(_ source: SourceText) -> [String] {
        let access: Set<String> = ["package", "public"]
        let kinds = ["struct ", "class ", "enum ", "protocol ", "actor "]
        return source.lines.indices.compactMap { index in
            let line = source.lines[index]
            guard let first = line.split(separator: " ").first, access.contains(String(first)),
                line.first != " ", kinds.contains(where: { line.prefix(40).contains(" " + $0) })
            else { return nil }
            let above = source.lines[..<index].last { !$0.hasPrefix("@") }
            return above?.hasPrefix("///") == true ? nil : "\(source.path):\(index + 1): \(line)"
        }
    }

    private static func mebibytes(_ count: Int) -> String { "\(count >> 20) MiB" }

    private static func power(_ count: Int) -> String { "2^\(count.trailingZeroBitCount)" }

    /// Thousands with commas.
    static func grouped(_ count: Int) -> String {
        let digits = Array(String(count))
        return digits.indices.map { ($0 > 0 && (digits.count - $0) % 3 == 0 ? "," : "") + String(digits[$0]) }.joined()
    }

    // MARK: The rules themselves

    /// Else a second run of all tests judges what the first one left behind.
    @Test func whatGitIgnoresIsNotLookedAt() throws {
        for line in try Tree.here.text(".gitignore").split(separator: "\n") {
            let name = line.drop { $0 == "*" }
            #expect(Tree.isSkipped(String(name.dropLast(name.hasSuffix("/") ? 1 : 0)), atRoot: true), "\(line)")
        }
    }

    @Test func anUnexplainedTypeIsFound() {
        let text = "/// One.\npackage struct A {}\n/// Two.\n@safe\npublic final class B {}\n"
            + "\npackage enum C {}\nenum D {}\n"
        let source = SourceText(path: "Sources/A/A.swift", text: text)
        #expect(Self.unexplained(source) == ["Sources/A/A.swift:7: package enum C {}"])
    }

    @Test func thousandsAreGrouped() {
        #expect([1, 999, 4096, 122_880, 1_000_000].map(Self.grouped) == ["1", "999", "4,096", "122,880", "1,000,000"])
    }
}
