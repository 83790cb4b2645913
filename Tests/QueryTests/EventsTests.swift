import Bytes
import Events
import JSON
import TestSupport
import Testing
import Zones

@testable import Query

@Suite struct EventsTests {
    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func pagesFollowOneAnotherThroughAllEventsInTheirOrder(seed: UInt64) throws {
        var table = try RandomTable(seed: seed, start: "2024-03-08", days: 4)
        for _ in 0..<25 {
            let limit = table.data.pick([1, 3, 17, 100, 1000])
            let order = table.data.pick(["asc", "desc"])
            let own: [(String, JSONValue)] = [("limit", .integer(Int64(limit))), ("order", .string(order))]
            let (json, question) = try table.question("events", own)
            let expected = self.expected(table, question, isDescending: order == "desc")
            var found: [JSONValue] = []
            var page = json
            while true {
                let answer = try QueryEngine.answer(
                    try QueryTests.question(page), table.snapshot, Execution(parallel: RandomTable.backwards)
                ).json
                let events = try #require(answer["events"]?.asArray)
                found += events.map(Self.sorted)
                let next = try #require(answer["next_cursor"])
                #expect(next.isNull || events.count == limit, "seed \(seed): \(page)")
                #expect(events.count <= limit)
                guard case .string = next, found.count < 10_000 else { break }
                var object = try #require(json.asObject)
                object["cursor"] = next
                page = .object(object)
            }
            #expect(found == expected, "seed \(seed): \(json)")
        }
    }

    private func expected(_ table: RandomTable, _ question: Question, isDescending: Bool) -> [JSONValue] {
        let chosen = table.naive.activity(question).sorted { left, right in
            let (first, second) = (table.naive.events[left], table.naive.events[right])
            let isBefore = (first.timestampMicros, left) < (second.timestampMicros, right)
            return isBefore != isDescending
        }
        return chosen.map { index in
            let event = table.naive.events[index]
            func text(_ string: String?) -> JSONValue { string.map { .string($0) } ?? nil }
            let source: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
            let derived =
                "evt_"
                + (source + (0..<6).reversed().map { UInt8((index + 1) >> ($0 * 8) & 255) })
                .map { String($0 / 16, radix: 16) + String($0 % 16, radix: 16) }.joined()
            var json: JSONObject = JSONObject([
                .init("event_id", .string(event.eventID?.description ?? derived)),
                .init("event_type", .string(event.type)), .init("user_id", text(event.userID)),
                .init("anonymous_id", text(event.anonymousID)), .init("session_id", text(event.sessionID)),
                .init("group_key", text(event.groupKey)),
                .init("timestamp", .string(ISO8601.format(micros: event.timestampMicros))),
                .init("received_at", .string(ISO8601.format(micros: table.receivedMicros[index]))),
            ])
            for (name, scope) in [
                ("properties", EventValue.Scope.property), ("device", .device), ("location", .location),
                ("context", .context), ("traits", .trait),
            ] { json[name] = NaiveQuery.members(event, scope) }
            json["position"] = .integer(table.positions[index])
            return .object(json)
        }
    }

    /// The values of an event by name.
    private static func sorted(_ event: JSONValue) -> JSONValue {
        guard var object = event.asObject else { return event }
        for scope in ["properties", "device", "location", "context", "traits"] {
            guard let members = object[scope]?.asObject?.members else { continue }
            object[scope] = .object(JSONObject(members.sorted { $0.name < $1.name }))
        }
        return .object(object)
    }

    // MARK: Rules, worked by hand

    private func answer(_ events: [Event], _ json: JSONValue) throws -> Answer {
        let fixture = try TableFixture()
        try fixture.commit(events, nowMicros: micros("2024-06-01"))
        try fixture.publish()
        return try QueryEngine.answer(try question(json), try fixture.snapshot())
    }

    @Test func eachValueKeepsItsTypeWhereverItIsStored() throws {
        let values: [(String, EventValue.Value)] = [
            ("amount", .float64(2.5)), ("page_name", .string("a")), ("url", .int64(7)), ("n", .int64(1)),
            ("b", .bool(true)),
            ("items", .json(#"[1,{"a":null}]"#)), ("nothing", .json("null")), ("quote\"d", .string("\u{1}")),
        ]
        let answer = try answer([event("a", "2024-03-01T10:00:00Z", user: "u", values)], ["kind": "events"])
        let properties = try #require(answer.json["events"]?[0]?["properties"])
        #expect(Set(properties.asObject?.members.map(\.name) ?? []).count == values.count)
        #expect(properties["amount"] == 2.5)
        #expect(properties["page_name"] == "a")
        #expect(properties["url"] == 7)
        #expect(properties["n"] == 1)
        #expect(properties["b"] == true)
        #expect(properties["items"] == [1, ["a": nil]])
        #expect(properties["nothing"] == .null)
        #expect(properties["quote\"d"] == "\u{1}")
    }

    @Test func eventsOfOneInstantStandByTheirArrivalAndPagesCutBetweenThem() throws {
        let events = (0..<5).map { event("a", "2024-03-01T10:00:00Z", user: "u\($0)") }
        var page: JSONValue = ["kind": "events", "limit": 2]
        var users: [JSONValue] = []
        for _ in 0..<3 {
            let answer = try answer(events, page).json
            users += try #require(answer["events"]?.asArray).map { $0["user_id"] ?? nil }
            page = ["kind": "events", "limit": 2, "cursor": answer["next_cursor"] ?? nil]
        }
        #expect(users == ["u4", "u3", "u2", "u1", "u0"])
        #expect(page["cursor"] == .null)
    }

    @Test func reservedTypesAreShownWhereTheyAreAskedFor() throws {
        let events = ["a", "$identify"].map { event($0, "2024-03-01T10:00:00Z", user: "u") }
        #expect(try answer(events, ["kind": "events"]).rows.count == 1)
        #expect(try answer(events, ["kind": "events", "filters": ["event_type": "$identify"]]).rows.count == 1)
    }

    @Test func chunksThatCannotHoldTheNewestAreNotRead() throws {
        let fixture = try TableFixture()
        for day in 1...28 {
            let date = "2024-02-" + (day < 10 ? "0" : "") + "\(day)T10:00:00Z"
            try fixture.commit((0..<10).map { _ in event("a", date, user: "u") }, nowMicros: micros("2024-06-01"))
        }
        try fixture.publish()
        let snapshot = try fixture.snapshot()
        let few = try QueryEngine.answer(try question(["kind": "events", "limit": 5]), snapshot)
        #expect(few.meta.rowsRead == 80)
        let all = try QueryEngine.answer(try question(["kind": "events", "limit": 1000]), snapshot)
        #expect(all.meta.rowsRead == 280)
        #expect(all.rows.count == 280)
    }

    @Test func whatAPageTakesIsWhatItsValuesTakeAndNotTheirText() throws {
        let list = "[" + (0..<5000).map { _ in "[1]" }.joined(separator: ",") + "]"
        let fixture = try TableFixture()
        try fixture.commit(
            [event("a", "2024-03-01T10:00:00Z", user: "u", [("list", .json(list))])], nowMicros: micros("2024-06-01"))
        let little = Execution(budgetBytes: 60_000)
        let snapshot = try fixture.snapshot()
        #expect(throws: QueryError.self) { try QueryEngine.answer(try question(["kind": "events"]), snapshot, little) }
    }

    @Test func aCancelledQuestionEndsWithinAChunk() throws {
        let fixture = try TableFixture()
        try fixture.commit([event("a", "2024-03-01T10:00:00Z", user: "u")], nowMicros: micros("2024-06-01"))
        let snapshot = try fixture.snapshot()
        let tests = (0..<50).map { JSONValue.object(JSONObject([.init("n\($0)", 1)])) }
        let json: JSONValue = ["kind": "events", "filters": ["or": .array(tests)]]
        let impatient = Execution.cancelled(after: 10)
        #expect(throws: QueryError.cancelled) { try QueryEngine.answer(try question(json), snapshot, impatient) }
    }

    @Test func aPageThatTakesMoreThanItMayIsRefused() throws {
        let fixture = try TableFixture()
        let big = String(repeating: "x", count: 5000)
        try fixture.commit(
            (0..<10).map { event("a", "2024-03-01T10:00:0\($0)Z", user: "u", [("big", .string(big + "\($0)"))]) },
            nowMicros: micros("2024-06-01"))
        let snapshot = try fixture.snapshot()
        let little = Execution(budgetBytes: 60_000)
        #expect(throws: QueryError.self) { try QueryEngine.answer(try question(["kind": "events"]), snapshot, little) }
        #expect(try QueryEngine.answer(try question(["kind": "events", "limit": 5]), snapshot, little).rows.count == 5)
    }
}
