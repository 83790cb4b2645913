import Events
import Foundation
import JSON
import Testing

@testable import Query

/// A real shop's clicks: 31,106 events of 600 users, from the Python package retentioneering (`datasets/ecom.csv.gz`).
@Suite struct EcomTests {
    private struct Row {
        let user: String
        let session: String
        let type: String
        let time: String
        let platform: String
        let channel: String
    }

    private struct DatasetMissing: Error, CustomStringConvertible { let description: String }

    /// The rows of the file, in time order, read by the Python that tests are given.
    private static func rows() throws -> [Row] {
        guard let python = ProcessInfo.processInfo.environment["TIDEMARK_PYTHON"] else {
            throw DatasetMissing(
                description: "TIDEMARK_PYTHON does not name a Python with retentioneering; scripts/test sets it")
        }
        // The package is found but not imported: what it depends on need not be there.
        let script = """
            import gzip, importlib.util, os, sys
            spec = importlib.util.find_spec("retentioneering")
            if spec is None: sys.exit("retentioneering is not installed")
            path = os.path.join(spec.submodule_search_locations[0], "datasets", "ecom.csv.gz")
            sys.stdout.buffer.write(gzip.open(path).read())
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = ["-c", script]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw DatasetMissing(description: "\(python) cannot read retentioneering's ecom.csv.gz")
        }
        return text.split(separator: "\n").dropFirst().map { line in
            let cells = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            return Row(
                user: cells[0], session: cells[1], type: cells[2], time: cells[3], platform: cells[4],
                channel: cells[5])
        }.sorted { $0.time < $1.time }
    }

    /// The first half published, the rest in the log.
    private static func fixture(_ rows: [Row]) throws -> TableFixture {
        let fixture = try TableFixture()
        let events = rows.map { row -> Event in
            var event = event(row.type, row.time, user: row.user, [("channel", .string(row.channel))])
            event.sessionID = row.session
            event.values.append(EventValue(.device, "type", .string(row.platform)))
            return event
        }
        for start in stride(from: 0, to: events.count, by: 4000) {
            let batch = Array(events[start..<min(start + 4000, events.count)])
            try fixture.commit(batch, nowMicros: micros("2026-01-01") + Int64(start))
            if start == 12_000 { try fixture.publish() }
        }
        return fixture
    }

    private func answer(_ json: JSONValue, _ fixture: TableFixture) throws -> Answer {
        try QueryEngine.answer(try question(json), try fixture.snapshot())
    }

    @Test func theShopsFunnelAndBreakdownsAreWhatAPlainReadingOfTheFileGives() throws {
        let rows = try Self.rows()
        #expect(rows.count == 31_106)
        let fixture = try Self.fixture(rows)
        #expect(try fixture.snapshot().tailRowCount == 31_106 - 16_000)

        var funnel: JSONObject = JSONObject([
            .init("kind", "funnel"), .init("window", "7d"),
            .init("steps", .array(["product_view", "add_to_cart", "cart", "purchase"].map { ["event_type": $0] })),
        ])
        #expect(try answer(.object(funnel), fixture).rows.map { $0[1] } == [598, 487, 353, 131])
        funnel["date_range"] = ["start": "2024-03-01", "end": "2024-03-31"]
        #expect(try answer(.object(funnel), fixture).rows.map { $0[1] } == [282, 90, 48, 19])

        let byType = try answer(
            ["kind": "aggregate", "metrics": ["count"], "group_by": "event_type", "order_by": "count DESC"], fixture)
        let expected = Dictionary(grouping: rows, by: \.type).mapValues(\.count)
            .sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }
        #expect(byType.rows == expected.map { [.string($0.key), .integer(Int64($0.value))] })

        let byMonth = try answer(
            [
                "kind": "aggregate", "metrics": [["type": "count_distinct", "field": "user_id"]],
                "group_by": [["time": "month"]],
            ], fixture)
        let months = Dictionary(grouping: rows) { String($0.time.prefix(7)) + "-01" }
            .mapValues { Set($0.map(\.user)).count }.sorted { $0.key < $1.key }
        #expect(byMonth.rows == months.map { [.string($0.key), true, .integer(Int64($0.value))] })

        let platforms = try answer(
            [
                "kind": "aggregate", "metrics": ["count", ["type": "count_distinct", "field": "session_id"]],
                "filters": ["event_type": "purchase"], "dimensions": ["device.type", "channel"],
            ], fixture)
        let purchases = Dictionary(grouping: rows.filter { $0.type == "purchase" }) { [$0.platform, $0.channel] }
            .sorted { $0.key.lexicographicallyPrecedes($1.key) }
        #expect(
            platforms.rows
                == purchases.map { key, rows in
                    key.map { .string($0) }
                        + [.integer(Int64(rows.count)), .integer(Int64(Set(rows.map(\.session)).count))]
                })
    }
}
