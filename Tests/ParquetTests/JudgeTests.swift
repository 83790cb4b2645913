import Bytes
import Files
import Foundation
import TestSupport
import Testing

@testable import Parquet

/// Other engines read what we write and write what we read: judges/check_parquet.py.
@Suite struct JudgeTests {
    let folder = TemporaryFolder()

    struct JudgeFailure: Error, CustomStringConvertible {
        let description: String
    }

    struct Column: Codable {
        let name: String
        let kind: String
        let cells: [String?]
    }

    struct Table: Codable {
        let file: String
        let columns: [Column]
    }

    @Test func pyarrowDuckDBPolarsAndClickHouseReadEveryForm() throws {
        var random = SeededRandom(seed: 21)
        var columns = [ParquetColumn("key", .int64, isOptional: false)]
        for (index, form) in RoundTripTests.forms.enumerated() {
            columns.append(ParquetColumn("c\(index)", form.type, isOptional: index % 2 == 0, encoding: form.encoding))
            columns.append(ParquetColumn("n\(index)", form.type, isOptional: true, encoding: form.encoding))
        }
        let groups = [2300, 1, 129].map { rowCount in
            columns.map { column in
                let nullChance = !column.isOptional ? 0 : rowCount == 1 ? 1 : 0.2
                return RandomColumns.make(column.type, rowCount: rowCount, nullChance: nullChance, random: &random)
            }
        }
        var settings = ParquetWriterSettings()
        settings.pageRowsMax = 500
        try check(columns, groups, settings)
    }

    @Test func enginesReadTheDefaults() throws {
        var random = SeededRandom(seed: 22)
        let rowCount = 45_000
        let keys = (0..<rowCount).map { _ in Int64.random(in: .min ... .max, using: &random) / 16 }.sorted()
        let distinct = (0..<rowCount).map { "session \($0) \(random.next())" }
        let columns = [
            ParquetColumn("user_key", .int64, isOptional: false),
            ParquetColumn("timestamp", .timestampMicros, isOptional: false),
            ParquetColumn("event_type", .string, isOptional: false),
            ParquetColumn("session_id", .string, isOptional: true),
            ParquetColumn("event_id", .fixed(16), isOptional: true),
            ParquetColumn("one", .string, isOptional: true),
        ]
        let present = [Bool](repeating: true, count: rowCount)
        let group: [ColumnValues] = [
            .int64(keys, validity: nil),
            RandomColumns.make(.timestampMicros, rowCount: rowCount, nullChance: 0, random: &random),
            .strings(RandomColumns.strings(present, distinctMax: 18, &random)),
            .strings(StringColumn(dictionary: ByteStrings(distinct), codes: (0..<UInt32(rowCount)).map { $0 })),
            RandomColumns.make(.fixed(16), rowCount: rowCount, nullChance: 0.5, random: &random),
            .strings(RandomColumns.strings(present, distinctMax: 1, &random)),
        ]
        try check(columns, [group], ParquetWriterSettings())
    }

    /// The same check with one cell changed: each engine must object.
    @Test func theJudgesCanFail() throws {
        let columns = [ParquetColumn("c", .int64, isOptional: true)]
        try write(folder("ours.parquet"), columns, [[.int64([1, 2, 3], validity: nil)]])
        let cells = [Column(name: "c", kind: "int64", cells: ["1", "2", "4"])]
        let json = try JSONEncoder().encode(Table(file: "ours.parquet", columns: cells))
        try json.write(to: URL(fileURLWithPath: folder("cells.json")))
        let failure = #expect(throws: JudgeFailure.self) {
            try judge(["check", folder("ours.parquet"), folder("cells.json")])
        }
        for engine in ["pyarrow", "duckdb", "polars", "chdb", "datafusion"] {
            #expect(failure?.description.contains("\(engine): ") == true, "\(engine) saw nothing")
        }
    }

    private func check(
        _ columns: [ParquetColumn], _ groups: [[ColumnValues]], _ settings: ParquetWriterSettings
    ) throws {
        try write(folder("ours.parquet"), columns, groups, settings)
        let cells = columns.enumerated().map { index, column in
            Column(name: column.name, kind: kind(column.type), cells: groups.flatMap { $0[index].cells })
        }
        let json = try JSONEncoder().encode(Table(file: "ours.parquet", columns: cells))
        try json.write(to: URL(fileURLWithPath: folder("cells.json")))
        try judge(["check", folder("ours.parquet"), folder("cells.json")])
    }

    @Test func whatPyarrowAndDuckDBWriteIsRead() throws {
        try judge(["write", folder.path])
        let manifest = try Data(contentsOf: URL(fileURLWithPath: folder("manifest.json")))
        let tables = try JSONDecoder().decode([Table].self, from: manifest)
        #expect(tables.count == 90)
        for table in tables {
            let file = try ParquetFile(folder(table.file), disk: .posix)
            for (index, column) in table.columns.enumerated() {
                #expect(kind(file.schema.columns[index].type) == column.kind, "\(table.file), \(column.name)")
                do {
                    let cells = try file.rowGroups.indices.flatMap { try file.read(column: index, rowGroup: $0).cells }
                    #expect(cells == column.cells, "\(table.file), column \(column.name)")
                } catch {
                    Issue.record("\(table.file), column \(column.name): \(error)")
                }
            }
        }
    }

    /// Files without checksums and compression, so that the decoders of every encoding meet the damage.
    @Test func damagedFilesOfOthersNeverTrap() throws {
        try judge(["write", folder.path])
        var random = SeededRandom(seed: 23)
        for form in ["plain", "tiny_pages", "raw_encodings"] {
            for version in ["v1.0", "v2.0"] {
                let bytes = try Disk.posix.contents(folder("pyarrow-\(form)-\(version)-129-0.5.parquet"))
                #expect(readAll(bytes) == nil)
                for _ in 0..<400 {
                    var damaged = bytes
                    for _ in 0..<Int.random(in: 1...3, using: &random) {
                        let byteOffset = Int.random(in: 0..<bytes.count, using: &random)
                        damaged[byteOffset] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                    }
                    _ = readAll(damaged)
                }
            }
        }
    }

    @Test func whatIsLeftOutIsNamed() throws {
        try judge(["write", folder.path])
        for codec in ["snappy", "gzip"] {
            let path = folder("refused-\(codec).parquet")
            let error = #expect(throws: ParquetError.self) {
                try ParquetFile(path, disk: .posix).read(column: 0, rowGroup: 0)
            }
            guard case .unsupportedCodec(name: codec, let place) = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
            #expect(place.file == path && place.column == "i64" && place.rowGroup == 0 && place.byteOffset > 0)
        }
        let error = #expect(throws: ParquetError.self) {
            try ParquetFile(folder("refused-nested.parquet"), disk: .posix)
        }
        guard case .unsupported(let what, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(what == "nested column list")
    }

    private func kind(_ type: ParquetType) -> String {
        if case .fixed = type { return "fixed" }
        return "\(type)"
    }

    /// Runs the script; throws what it prints if it is not content.
    private func judge(_ arguments: [String]) throws {
        guard let python = ProcessInfo.processInfo.environment["TIDEMARK_PYTHON"], !python.isEmpty else {
            throw JudgeFailure(
                description: "TIDEMARK_PYTHON must name a Python with pyarrow, duckdb, chdb, polars and deltalake;"
                    + " scripts/test sets it")
        }
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("judges/check_parquet.py").path
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = [script] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw JudgeFailure(description: text) }
    }
}
