import Events
import Foundation
import TestSupport
import Testing
import WAL

@testable import Parquet
@testable import Table

/// Other engines read what we publish through the Delta log: judges/check_table.py.
@Suite struct JudgeTests {
    struct JudgeFailure: Error, CustomStringConvertible {
        let description: String
    }

    struct Column: Codable {
        let name: String
        let kind: String
        let cells: [String?]
    }

    struct ExpectedTable: Codable {
        let name: String
        let version: Int64
        /// The columns by which the rows are ordered.
        let keys: [String]
        let partitions: [String]
        let transactions: [String: UInt64]
        let configuration: [String: String]
        let columns: [Column]
    }

    @Test func deltaRSDuckDBPolarsPyarrowAndClickHouseReadTheSameRows() throws {
        let fixture = try TableFixture()
        try fixture.commit([fullShipment()])
        for seed in 1...4 as ClosedRange<UInt64> { try fixture.fill(records: 4, seed: seed) }
        _ = try fixture.publisher(sliceRows: 90).publish(through: .max)
        let root = try fixture.project.newestEvents(disk: .posix)
        #expect(root.version >= 3, "several commits")
        let events = expected(
            "events", root, keys: ["user_key", "timestamp", "position"],
            columns: EventSchema.parquet.columns + [ParquetColumn("date", .date, isOptional: false)],
            rows: fixture.expectedRows().map { row in
                var row = row
                row["date"] = "\(row.integer("timestamp") / TableEvents.dayMicros)"
                return row
            })
        for column in events.columns {
            #expect(column.cells.contains { $0 != nil }, "\(column.name) is filled somewhere")
        }
        var tables = [events]
        for (name, keys) in [
            ("ledger", ["record", "source"]), ("identities", ["position"]), ("quarantine", ["position"]),
        ] {
            tables.append(try sibling(fixture, name, keys: keys, root))
        }
        let json = try JSONEncoder().encode(["tables": tables])
        try json.write(to: URL(fileURLWithPath: fixture.folder("expected.json")))
        try judge([fixture.project.folder, fixture.folder("expected.json")])
    }

    /// The siblings are compared with what our own reader finds, which other tests compare with the oracle.
    private func sibling(
        _ fixture: TableFixture, _ name: String, keys: [String], _ root: TableVersion
    ) throws -> ExpectedTable {
        let folder = fixture.project.folder + "/" + name
        let table = try DeltaLog(tableFolder: folder, disk: .posix).newest()
        #expect(table.version == root.transactions["tidemark-table:" + name].map { Int64($0) })
        let file = try FileCache(tableFolder: folder, disk: .posix).open(table.files[0])
        return expected(name, table, keys: keys, columns: file.schema.columns, rows: try fixture.tableRows(name))
    }

    private func expected(
        _ name: String, _ version: TableVersion, keys: [String], columns: [ParquetColumn], rows: [Row]
    ) -> ExpectedTable {
        let sorted = rows.sorted { left, right in
            guard let key = keys.first(where: { left[$0] != right[$0] }) else { return false }
            guard Int64(left[key] ?? "") != nil else { return (left[key] ?? "") < (right[key] ?? "") }
            return left.integer(key) < right.integer(key)
        }
        return ExpectedTable(
            name: name, version: version.version, keys: keys, partitions: name == "events" ? ["date"] : [],
            transactions: version.transactions, configuration: version.configuration,
            columns: columns.map { column in
                Column(name: column.name, kind: kind(column), cells: sorted.map { $0[column.name] })
            })
    }

    private func kind(_ column: ParquetColumn) -> String {
        if column.name.hasSuffix("_json") || column.name == "traits" { return "json" }
        if case .fixed = column.type { return "fixed" }
        return "\(column.type)"
    }

    /// A batch with a value in every column.
    private func fullShipment() -> Shipment {
        let events = (0..<20).map { index in
            let time = TableEvents.startMicros + Int64(index) * 7_000_000_001
            var event = Event(type: "every column", timestampMicros: time)
            event.userID = "user 🧭 \(index % 7)"
            event.anonymousID = "device \(index)"
            event.sessionID = "session \(index / 3)"
            event.groupKey = "группа"
            event.isServerSide = true
            event.consent = index % 2 == 0 ? .granted : .denied
            event.eventID = EventID(bytes: [UInt8](repeating: 255, count: 15) + [UInt8(index)])
            event.values = EventSchema.promoted.map { promoted in
                let value: EventValue.Value =
                    promoted.name == "amount" ? .float64(Double(index) / 3) : .string("\(promoted.name) \(index % 4) é")
                return EventValue(promoted.scope, promoted.name, value)
            }
            for scope in EventValue.Scope.allCases {
                event.values.append(EventValue(scope, "big", .int64(.max - Int64(index))))
                event.values.append(EventValue(scope, "list", .json("[null, \"\\u0000\", {\"a\": -0.0}]")))
            }
            return event
        }
        var shipment = Shipment(events: events)
        shipment.clockOffsetMicros = 3_000_000
        shipment.codec = .raw
        shipment.unknownColumn = (201, [1, 2, 255])
        return shipment
    }

    /// Runs the script; throws what it prints if it is not content.
    private func judge(_ arguments: [String]) throws {
        guard let python = ProcessInfo.processInfo.environment["TIDEMARK_PYTHON"] else {
            throw JudgeFailure(
                description: "TIDEMARK_PYTHON does not name a Python with deltalake, duckdb, duckdb-extension-delta, "
                    + "chdb, polars and pyarrow; scripts/test sets it")
        }
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("judges/check_table.py").path
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
