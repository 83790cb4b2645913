import Events
import Files
import JSON
import TestSupport
import Testing
import Zones

@testable import Query

@Suite struct CatalogTests {
    private func period(
        _ start: String? = nil, _ end: String? = nil, zone: String? = nil
    ) throws -> EventCatalog.Period {
        let context = QuestionContext(
            nowMicros: micros("2024-03-20T12:00:00Z"),
            zoneNamed: { name throws(ZoneError) in
                try Zone(named: name, disk: .posix)
            })
        return try EventCatalog.Period(start: start, end: end, timeZone: zone, context: context)
    }

    private func time(_ micros: Int64?) -> JSONValue { micros.map { .string(ISO8601.format(micros: $0)) } ?? nil }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func namesAreThoseOfPlainLoopsOverTheEvents(seed: UInt64) throws {
        let table = try RandomTable(seed: seed, start: "2024-03-08", days: 4)
        for period in [try period(), try period("2024-03-09", "2024-03-10", zone: "Asia/Kolkata")] {
            let events = table.naive.events.filter { period.range.contains($0.timestampMicros) }
            let types = Dictionary(grouping: events, by: \.type).map { type, own -> (Int, String, JSONValue) in
                let times = own.map(\.timestampMicros)
                var json = JSONObject([
                    .init("name", .string(type)), .init("count", .integer(Int64(own.count))),
                    .init("users", .integer(Int64(Set(own.compactMap(NaiveQuery.person)).count))),
                    .init("first_seen", time(times.min())), .init("last_seen", time(times.max())),
                ])
                if type.hasPrefix("$") { json["reserved"] = true }
                return (own.count - (type.hasPrefix("$") ? 1_000_000 : 0), type, .object(json))
            }.sorted { ($1.0, $0.1) < ($0.0, $1.1) }
            for budget in [1 << 30, 50_000] {
                let execution = Execution(budgetBytes: budget, parallel: RandomTable.backwards)
                let listing = try EventCatalog.names(table.snapshot, period, execution)
                #expect(listing.items.map { .object($0.json) } == types.map(\.2), "seed \(seed)")
                #expect(listing.eventCount == events.count)
            }
        }
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func propertiesAreThoseOfPlainLoopsOverTheEvents(seed: UInt64) throws {
        let table = try RandomTable(seed: seed, start: "2024-03-08", days: 4)
        for (type, period) in [
            (nil, try period()), ("page_view", try period()), ("$identify", try period("2024-03-09", "2024-03-10")),
        ] as [(String?, EventCatalog.Period)] {
            let events = table.naive.events.filter { event in
                period.range.contains(event.timestampMicros)
                    && type.map { event.type == $0 } ?? !event.type.hasPrefix("$")
            }
            let expected = properties(events)
            let execution = Execution(parallel: RandomTable.backwards)
            let listing = try EventCatalog.properties(table.snapshot, eventType: type, period, execution)
            #expect(listing.items.map { .object($0.json) } == expected, "seed \(seed)")
            #expect(listing.eventCount == events.count)
        }
    }

    private func properties(_ events: [Event]) -> [JSONValue] {
        let naive = NaiveQuery(events: events, clockMicros: 0)
        let scopes: [(String, EventValue.Scope)] = [
            ("properties", .property), ("device", .device), ("location", .location), ("context", .context),
            ("traits", .trait),
        ]
        var found: [(Int, String, JSONValue)] = []
        for (prefix, scope) in scopes {
            for name in Set(events.flatMap(\.values).filter { $0.scope == scope }.map(\.name)) {
                let field = Field.value(scope, Array(name.utf8))
                let own = events.filter { naive.value(field, of: $0) != nil }
                guard !own.isEmpty else { continue }
                let values = own.map { naive.value(field, of: $0)! }
                let counts = Dictionary(grouping: values) { $0 }.map { (value: $0.key, count: $0.value.count) }
                func count(_ holds: (Value) -> Bool) -> JSONValue { .integer(Int64(values.count(where: holds))) }
                let types: JSONValue = [
                    "string": count { if case .text = $0 { true } else { false } }, "number": count(\.isNumber),
                    "boolean": count { if case .bool = $0 { true } else { false } },
                    "json": count { if case .json = $0 { true } else { false } },
                ]
                let most = counts.sorted { left, right in
                    left.count != right.count ? left.count > right.count : left.value.compare(right.value) < 0
                }.prefix(10)
                let times = own.map(\.timestampMicros)
                let json: JSONValue = [
                    "name": .string(prefix + "." + name), "scope": .string(prefix),
                    "count": .integer(Int64(own.count)), "fill_rate": .number(Double(own.count) / Double(events.count)),
                    "types": types, "distinct": .integer(Int64(counts.count)),
                    "samples": .array(most.map { ["value": $0.value.json, "count": .integer(Int64($0.count))] }),
                    "first_seen": time(times.min()), "last_seen": time(times.max()),
                ]
                found.append((own.count, prefix + "." + name, json))
            }
        }
        return found.sorted { ($1.0, $0.1) < ($0.0, $1.1) }.map(\.2)
    }

    @Test func pastTenThousandValuesTheyAreNotCountedAndTheSamplesCountsAreStillRight() throws {
        let fixture = try TableFixture()
        for round in 0..<3 {
            let events = (0..<8000).map { index in
                let id = index % 4 == 0 ? "often" : "\(round) \(index)"
                return event(
                    "a", "2024-03-0\(round + 1)", user: "u",
                    [("id", .string(id)), ("few", .int64(Int64(index % 3)))])
            }
            try fixture.commit(events, nowMicros: micros("2024-06-01") + Int64(round))
            if round < 2 { try fixture.publish() }
        }
        let listing = try EventCatalog.properties(try fixture.snapshot(), eventType: nil, try period())
        let id = try #require(listing.items.first { $0.name == "properties.id" }?.json)
        #expect(id["count"] == 24_000)
        #expect(id["distinct"] == .null)
        #expect(id["samples"]?[0] == ["value": "often", "count": 6000])
        #expect(id["samples"]?.asArray?.count == 10)
        #expect(listing.items.first { $0.name == "properties.few" }?.json["distinct"] == 3)
        let little = Execution(budgetBytes: 9999)
        #expect(throws: QueryError.self) {
            try EventCatalog.properties(try fixture.snapshot(), eventType: nil, try period(), little)
        }
    }

    @Test func aNameIsFilledAsOftenAsEventsHaveAValue() throws {
        let fixture = try TableFixture()
        let plans: [[(String, EventValue.Value)]] = [
            [("plan", .string("pro"))], [("plan", .string("pro"))], [("plan", .int64(3))], [("plan", .json("null"))],
        ]
        try fixture.commit(
            plans.map { event("a", "2024-03-01", user: "u", $0) }, nowMicros: micros("2024-06-01"))
        let listing = try EventCatalog.properties(try fixture.snapshot(), eventType: "a", try period())
        let time: JSONValue = "2024-03-01T00:00:00.000000Z"
        #expect(
            listing.items.map { .object($0.json) } == [
                [
                    "name": "properties.plan", "scope": "properties", "count": 3, "fill_rate": 0.75,
                    "types": ["string": 2, "number": 1, "boolean": 0, "json": 0], "distinct": 2,
                    "samples": [["value": "pro", "count": 2], ["value": 3, "count": 1]], "first_seen": time,
                    "last_seen": time,
                ]
            ] as [JSONValue])
    }

    @Test func aPeriodIsThatOfAQuestionAndItsErrorsNameThePlace() throws {
        let period = try period("30_days_ago", "today", zone: "Asia/Kolkata")
        let same = try question([
            "kind": "aggregate", "date_range": ["start": "30_days_ago", "end": "today"], "time_zone": "Asia/Kolkata",
        ])
        #expect(period.range == same.range)
        #expect(throws: QueryError.self) { try self.period("never") }
        #expect(throws: QueryError.self) { try self.period(zone: "Mars/Olympus") }
    }

    @Test func aCancelledListingEndsBetweenSomeValuesOfAChunk() throws {
        let fixture = try TableFixture()
        try fixture.commit(
            (0..<20_000).map { event("a", "2024-03-01", user: "u", [("n", .int64(Int64($0)))]) },
            nowMicros: micros("2024-06-01"))
        let snapshot = try fixture.snapshot()
        let impatient = Execution.cancelled(after: 10)
        #expect(throws: QueryError.cancelled) {
            try EventCatalog.properties(snapshot, eventType: nil, try period(), impatient)
        }
    }
}
