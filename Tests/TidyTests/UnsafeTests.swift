import Testing

/// Unsafe code stands only where it must, and says each time why it is safe.
@Suite struct UnsafeTests {
    /// Whole modules, or the files of one whose paths begin so.
    static let allowed: Set<String> = [
        "Sources/Bytes/", "Sources/Files/", "Sources/Zstd/", "Sources/EventLoop/", "Sources/HTTPServer/",
        "Sources/Telemetry/", "Sources/Crypto/", "Sources/Gzip/",
        "Sources/Config/YAMLNode.swift", "Sources/Parquet/Kernels.swift", "Sources/Query/Kernels",
        "Sources/Metadata/SQLiteConnection.swift", "Sources/Metadata/PostgreSQLConnection.swift",
    ]
    /// Lines between a reason and the code it speaks of.
    static let reasonLinesMax = 30

    @Test func unsafeCodeStandsOnlyWhereItMust() throws {
        let violations = try Tree.here.swiftSources().filter { !$0.isTest }.flatMap(Self.strayUnsafe)
        #expect(violations.isEmpty, "\(report(violations))")
    }

    @Test func unsafeCodeSaysWhyItIsSafe() throws {
        let violations = try Tree.here.swiftSources().filter { !$0.isTest }.flatMap(Self.unreasoned)
        #expect(violations.isEmpty, "\(report(violations))")
    }

    static func unsafeWords(_ source: SourceText) -> [SourceText.Word] {
        source.words.filter {
            $0.text == "unsafe" || $0.text == "unchecked" || $0.text.hasPrefix("Unsafe")
                || $0.text == "OpaquePointer" || $0.text == "Unmanaged"
        }
    }

    /// `@unchecked Sendable` may stand where a type does its own locking; the compiler has nothing better to offer.
    static func strayUnsafe(_ source: SourceText) -> [String] {
        guard !allowed.contains(where: source.path.hasPrefix) else { return [] }
        return unsafeWords(source).filter { $0.text != "unchecked" || $0.before != UInt8(ascii: "@") }
            .map { "\(source.path):\($0.line): \($0.text)" }
    }

    /// `unsafe` without `// Safe: …` on its line or above it, in a file that does not say `Safe throughout: …`.
    static func unreasoned(_ source: SourceText) -> [String] {
        if source.lines.contains(where: { $0.contains("Safe throughout: ") }) { return [] }
        return source.words.filter { $0.text == "unsafe" && $0.before != UInt8(ascii: "@") }.compactMap { word in
            let above = source.lines[max(0, word.line - 1 - reasonLinesMax)..<word.line]
            return above.contains { $0.contains("Safe: ") } ? nil : "\(source.path):\(word.line): no reason"
        }
    }

    // MARK: The rules themselves

    @Test func strayUnsafeCodeIsFound() {
        let text = "func f(_ p: UnsafeRawPointer) { unsafe p.load(as: UInt8.self) }  // unsafe"
        #expect(Self.strayUnsafe(SourceText(path: "Sources/WAL/A.swift", text: text)).count == 2)
        #expect(Self.strayUnsafe(SourceText(path: "Sources/Bytes/A.swift", text: text)) == [])
    }

    @Test func aMissingReasonIsFound() {
        let bare = SourceText(path: "Sources/Bytes/A.swift", text: "let a = 1\nlet b = unsafe c\n")
        #expect(Self.unreasoned(bare) == ["Sources/Bytes/A.swift:2: no reason"])
        let reasoned = SourceText(path: "Sources/Bytes/A.swift", text: "// Safe: c is alive.\nlet b = unsafe c\n")
        #expect(Self.unreasoned(reasoned) == [])
        let far = "// Safe throughout: stable.\n" + String(repeating: "\n", count: 99) + "let b = unsafe c\n"
        #expect(Self.unreasoned(SourceText(path: "Sources/Bytes/A.swift", text: far)) == [])
    }
}
