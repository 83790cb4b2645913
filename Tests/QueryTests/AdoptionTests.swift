import Events
import JSON
import TestSupport
import Testing

@testable import Query

@Suite struct AdoptionTests {
    @Test(arguments: [(1, "2024-03-08", 4), (2, "2011-12-28", 5), (3, "2024-11-01", 4)] as [(UInt64, String, Int)])
    func numbersAreThoseOfPlainLoopsOverTheEvents(seed: UInt64, start: String, days: Int) throws {
        var table = try RandomTable(seed: seed, start: start, days: days)
        for _ in 0..<30 {
            let type = table.data.pick(["page_view", "click", "$identify"])
            let fieldName = table.data.pick(["page_name", "properties.color", "color", "device.type"])
            let name = table.data.pick(["a", "b", 1, true, "é"] as [JSONValue])
            let own: [(String, JSONValue)] = [
                ("feature_name", name), ("event_type", .string(type)), ("field", .string(fieldName)),
            ]
            let (json, question) = try table.question("adoption", own)
            guard case .adoption(let adoption) = question.body else { return }
            var warnings: [String] = []
            let field = try Field(parsing: fieldName, path: "", warnings: &warnings)
            let expected = table.naive.adoption(question, type, field, adoption.featureName)
            for budget in [1 << 30, 100_000] {
                let answer = try QueryEngine.answer(
                    question, table.snapshot, Execution(budgetBytes: budget, parallel: RandomTable.backwards))
                #expect(answer.json["adoption"] == expected, "seed \(seed): \(json)")
            }
        }
    }

    @Test func aFeatureIsUsedByPartOfThoseWhoDidAnything() throws {
        let export: [(String, EventValue.Value)] = [("feature_name", .string("export"))]
        let events = [
            event("feature_used", "2024-03-01", user: "u", export),
            event("feature_used", "2024-03-02", user: "u", export),
            event("feature_used", "2024-03-02", user: "v", [("feature_name", .string("import"))]),
            event("page_view", "2024-03-02", anonymous: "w"), event("$identify", "2024-03-02", user: "only known"),
            event("feature_used", "2024-03-09", user: "v", export),
        ]
        let fixture = try TableFixture()
        try fixture.commit(events, nowMicros: micros("2024-06-01"))
        let json: JSONValue = [
            "kind": "adoption", "feature_name": "export", "date_range": ["start": "2024-03-01", "end": "2024-03-07"],
        ]
        let answer = try QueryEngine.answer(try question(json), try fixture.snapshot())
        #expect(
            answer.json["adoption"] == [
                "feature_name": "export", "unique_users": 1, "total_users": 3, "adoption_rate": .number(1.0 / 3),
                "usage_count": 2, "daily_usage": ["2024-03-01": 1, "2024-03-02": 1],
            ])
    }

    @Test func whoOnlyUsesAReservedTypeCountsAmongAll() throws {
        var known = event("$identify", "2024-03-01", user: "u")
        known.values = [EventValue(.trait, "plan", .string("pro"))]
        let fixture = try TableFixture()
        try fixture.commit([known, event("a", "2024-03-01", user: "v")], nowMicros: micros("2024-06-01"))
        let json: JSONValue = [
            "kind": "adoption", "feature_name": "pro", "event_type": "$identify", "field": "traits.plan",
        ]
        let adoption = try QueryEngine.answer(try question(json), try fixture.snapshot()).json["adoption"]
        #expect(adoption?["unique_users"] == 1)
        #expect(adoption?["total_users"] == 2)
        #expect(adoption?["adoption_rate"] == 0.5)
    }

    @Test func nothingIsAdoptedByNobody() throws {
        let answer = try QueryEngine.answer(
            try question(["kind": "adoption", "feature_name": "export"]), try TableFixture().snapshot())
        #expect(answer.json["adoption"]?["adoption_rate"] == 0.0)
        #expect(answer.json["adoption"]?["daily_usage"] == [:])
    }
}
