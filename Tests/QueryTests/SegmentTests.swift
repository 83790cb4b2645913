import Events
import JSON
import TestSupport
import Testing

@testable import Query

@Suite struct SegmentTests {
    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func peopleAreThoseOfAskingEachConditionOfEachPerson(seed: UInt64) throws {
        var table = try RandomTable(seed: seed, start: "2024-03-08", days: 4, perRound: 20)
        for _ in 0..<60 {
            let (json, question) = try table.question("segment", [("segment", table.data.segment())])
            guard case .segment(let segment) = question.body else { return }
            let expected = table.naive.segment(question, segment)
            for budget in [1 << 30, 4_000] {
                let answer = try QueryEngine.answer(
                    question, table.snapshot, Execution(budgetBytes: budget, parallel: RandomTable.backwards)
                ).json
                #expect(answer["user_ids"] == .array(expected), "seed \(seed): \(json)")
                #expect(answer["user_count"] == .integer(Int64(expected.count)))
            }
        }
    }

    // MARK: Rules, worked by hand

    private func people(
        _ events: [Event], _ segment: JSONValue, _ own: [(String, JSONValue)] = []
    ) throws -> JSONValue? {
        let fixture = try TableFixture()
        try fixture.commit(events, nowMicros: micros("2024-03-20T12:00:00Z"))
        let members = [("kind", "segment"), ("segment", segment)] + own
        let json = JSONValue.object(JSONObject(members.map { .init($0.0, $0.1) }))
        return try QueryEngine.answer(try question(json), try fixture.snapshot()).json["user_ids"]
    }

    private let purchases = [
        event("purchase", "2024-03-01", user: "once"), event("purchase", "2024-03-01", user: "twice"),
        event("purchase", "2024-03-15", user: "twice"), event("page_view", "2024-03-15", anonymous: "never"),
        event("$identify", "2024-03-15", user: "only known"),
    ]

    @Test func whoDidSomethingSoManyTimes() throws {
        #expect(try people(purchases, ["did": "purchase"]) == ["once", "twice"])
        #expect(try people(purchases, ["did": "purchase", "times": ["gte": 2]]) == ["twice"])
        #expect(try people(purchases, ["did": "purchase", "times": ["lt": 2]]) == ["never", "once"])
        #expect(try people(purchases, ["did": "purchase", "times": ["gte": 1, "lte": 1]]) == ["once"])
        #expect(try people(purchases, ["not": ["did": "purchase"]]) == ["never"])
        #expect(try people(purchases, ["did": "$identify"]) == ["only known"])
    }

    @Test func withinIsTheLastPartOfTheRangeAndOfTimeUpToTheClockWithoutAnEnd() throws {
        let week: JSONValue = ["did": "purchase", "within": "7d"]
        #expect(try people(purchases, week) == ["twice"])
        let march = [("date_range", ["start": "2024-03-01", "end": "2024-03-07"] as JSONValue)]
        #expect(try people(purchases, week, march) == ["once", "twice"])
        let sixth = [("date_range", ["start": "2024-03-01", "end": "2024-03-08"] as JSONValue)]
        #expect(try people(purchases, week, sixth) == [])
    }

    @Test func aPropertyIsThatOfAnyEventATraitTheLatest() throws {
        func plan(_ plan: String, _ time: String) -> Event {
            var event = event("a", time, user: "u", [("plan", .string(plan))])
            event.values.append(EventValue(.trait, "plan", .string(plan)))
            return event
        }
        let events = [plan("pro", "2024-03-01"), plan("free", "2024-03-02"), event("a", "2024-03-01", user: "v")]
        #expect(try people(events, ["property": "plan", "op": "eq", "value": "pro"]) == ["u"])
        #expect(try people(events, ["trait": "plan", "op": "eq", "value": "pro"]) == [])
        #expect(try people(events, ["trait": "plan", "op": "eq", "value": "free"]) == ["u"])
        #expect(try people(events, ["trait": "plan", "op": "ne", "value": "free"]) == ["v"])
        #expect(try people(events, ["trait": "plan", "op": "not_exists"]) == ["v"])
    }

    @Test func theLimitCutsTheListAndNotTheCount() throws {
        let fixture = try TableFixture()
        let events = (0..<5000).map { event("a", "2024-03-01", user: "u\($0)") }
        try fixture.commit(events, nowMicros: micros("2024-06-01"))
        let json: JSONValue = ["kind": "segment", "segment": ["did": "a"], "limit": 3]
        let answer = try QueryEngine.answer(try question(json), try fixture.snapshot()).json
        #expect(answer["user_ids"] == ["u0", "u1", "u10"])
        #expect(answer["user_count"] == 5000)
    }
}
