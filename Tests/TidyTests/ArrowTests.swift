import Testing

/// Arrows point down only, and each C library has one importer.
@Suite struct ArrowTests {
    @Test func importsGoAsDrawn() throws {
        let sources = try Tree.here.swiftSources().filter { !$0.isTest }
        let violations = sources.flatMap { Self.strayImports($0, Arrows.all) }
        #expect(violations.isEmpty, "\(report(violations))")
    }

    @Test func everyModuleIsDrawn() throws {
        let modules = Set(try Tree.here.swiftSources().filter { !$0.isTest }.map(\.module))
        let drawn = Set(Arrows.all.map(\.name))
        #expect(modules.subtracting(drawn).sorted() == [])
    }

    @Test func everyArrowPointsDown() {
        var above = Set<String>()
        for module in Arrows.all {
            let own = module.imports.filter { !$0.hasPrefix("C") || !Self.isLibrary($0) }.subtracting(Arrows.system)
            #expect(own.subtracting(above).sorted() == [], "\(module.name)")
            above.insert(module.name)
        }
    }

    @Test func eachLibraryHasOneImporter() {
        let libraries = Arrows.all.flatMap(\.imports).filter(Self.isLibrary).sorted()
        #expect(libraries == Set(libraries).sorted())
        #expect(!libraries.isEmpty)
    }

    @Test func nothingBelowTheLineKnowsTheMachine() {
        for module in Arrows.belowTheLine {
            #expect(!module.imports.contains("Foundation"), "\(module.name)")
            #expect(module.name == "Files" || !module.imports.contains("Glibc"), "\(module.name)")
        }
    }

    @Test func theCodeMapInTheArchitectureSaysTheSame() throws {
        let map = Self.codeMap(try Tree.here.text("ARCHITECTURE.md"))
        for module in Arrows.all {
            #expect(map[module.name] == module.imports.subtracting(Arrows.system), "\(module.name)")
        }
        #expect(map.keys.filter { name in !Arrows.all.contains { $0.name == name } }.sorted() == [])
    }

    /// A module of a C library: a `C` and a capital.
    static func isLibrary(_ module: String) -> Bool {
        let letters = module.prefix(2)
        return letters.first == "C" && letters.last?.isUppercase == true
    }

    static func strayImports(_ source: SourceText, _ modules: [Arrows.Module]) -> [String] {
        let allowed = modules.first { $0.name == source.module }?.imports ?? []
        return imports(source).filter { !allowed.contains($0.module) }
            .map { "\(source.path):\($0.line): \(source.module) → \($0.module)" }
    }

    /// `import X`, `@testable import X`, `package import struct X.Y`.
    static func imports(_ source: SourceText) -> [(module: String, line: Int)] {
        let kinds: Set<String> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
        return source.words.indices.compactMap { index in
            guard source.words[index].text == "import" else { return nil }
            return source.words[(index + 1)...].first { !kinds.contains($0.text) }.map { ($0.text, $0.line) }
        }
    }

    /// The rows "| `Module` | what | `Import` `Import` |" of the code map.
    static func codeMap(_ text: String) -> [String: Set<String>] {
        var map: [String: Set<String>] = [:]
        for line in text.split(separator: "\n") where line.hasPrefix("| `") {
            let cells = line.split(separator: "|").map { $0.split(separator: "`").map(String.init) }
            guard cells.count == 3, let name = cells[0].dropFirst().first else { continue }
            map[name] = Set(cells[2].filter { $0.contains(where: \.isLetter) })
        }
        return map
    }

    // MARK: The rules themselves

    @Test func aStrayImportIsFound() {
        let text = "import Bytes\n@preconcurrency package import struct Files.File\n// import Parquet\nimport Table"
        let source = SourceText(path: "Sources/WAL/A.swift", text: text)
        let modules = [Arrows.Module("WAL", "Bytes Files")]
        #expect(Self.strayImports(source, modules) == ["Sources/WAL/A.swift:4: WAL → Table"])
    }

    @Test func aCodeMapIsRead() {
        #expect(Self.codeMap("| `A` | of `x` | `B` `CC` |\n| `D` | y | |\n") == ["A": ["B", "CC"], "D": []])
    }
}
