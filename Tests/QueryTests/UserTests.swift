import Events
import JSON
import TestSupport
import Testing

@testable import Query

@Suite struct UserTests {
    @Test(
        arguments: [
            (1, "2024-03-08", 4), (2, "2024-04-25", 3), (3, "2011-12-28", 5), (4, "2024-11-01", 4),
            (5, "2024-03-30", 2),
        ] as [(UInt64, String, Int)])
    func metricsAreThoseOfPlainLoopsOverTheEvents(seed: UInt64, start: String, days: Int) throws {
        var table = try RandomTable(seed: seed, start: start, days: days)
        for _ in 0..<40 {
            let id = table.data.pick(["u1", "u2", "u3", "u4", "x", "a1", "a2", "nobody"])
            let (json, question) = try table.question("user", [("user_id", .string(id))])
            let answer = try QueryEngine.answer(
                question, table.snapshot, Execution(parallel: RandomTable.backwards))
            var user = try #require(answer.json["user"]?.asObject)
            for name in ["device", "location"] {
                let members = user[name]?.asObject?.members ?? []
                user[name] = .object(JSONObject(members.sorted { $0.name < $1.name }))
            }
            #expect(JSONValue.object(user) == table.naive.user(question, id), "seed \(seed): \(json)")
        }
    }

    @Test func theTimelineIsThePersonsEventsPageByPage() throws {
        var table = try RandomTable(seed: 21, start: "2024-03-08", days: 4)
        for id in ["u1", "x", "a2", "nobody"] {
            let (json, question) = try table.question("user", [("user_id", .string(id))])
            let own = table.naive.events(of: id)
            let expected = table.naive.activity(question).filter(own.contains).sorted { left, right in
                let (first, second) = (table.naive.events[left], table.naive.events[right])
                return (second.timestampMicros, right) < (first.timestampMicros, left)
            }.map { JSONValue.integer(table.positions[$0]) }
            var found: [JSONValue] = []
            var timeline = JSONObject([.init("limit", 7)])
            repeat {
                var page = try #require(json.asObject)
                page["timeline"] = .object(timeline)
                let answer = try QueryEngine.answer(try QueryTests.question(.object(page)), table.snapshot).json
                found += try #require(answer["events"]?.asArray).map { $0["position"] ?? nil }
                timeline["cursor"] = answer["next_cursor"]
            } while timeline["cursor"] != .null && found.count < 1000
            #expect(found == expected, "\(json)")
        }
    }

    // MARK: Rules, worked by hand

    private func user(_ events: [Event], _ own: [(String, JSONValue)] = []) throws -> Answer {
        let fixture = try TableFixture()
        try fixture.commit(events, nowMicros: micros("2024-06-01"))
        try fixture.publish()
        let members = [("kind", "user"), ("user_id", "u")] + own
        let json = JSONValue.object(JSONObject(members.map { .init($0.0, $0.1) }))
        return try QueryEngine.answer(try question(json), try fixture.snapshot())
    }

    @Test func aSessionEndsWhereNothingHappensForMoreThanHalfAnHour() throws {
        func sessions(_ times: [String], session: String? = nil, isServerSide: Bool = false) throws -> JSONValue? {
            let events = times.map { time in
                var event = event("a", "2024-03-01T\(time)Z", user: "u")
                (event.sessionID, event.isServerSide) = (session, isServerSide)
                return event
            }
            return try user(events).json["user"]?["session_count"]
        }
        #expect(try sessions(["10:00:00", "10:30:00"]) == 1)
        #expect(try sessions(["10:00:00", "10:30:00.000001"]) == 2)
        #expect(try sessions(["23:50:00", "23:59:59"]) == 1)
        #expect(try sessions(["10:00:00", "12:00:00"], session: "s") == 1)
        #expect(try sessions(["10:00:00"], isServerSide: true) == 0)
    }

    @Test func daysAreThoseOfTheQuestionsZoneAndTheRangeCounts() throws {
        let events = ["2024-03-09T18:20:00Z", "2024-03-09T18:40:00Z"].map { event("page_view", $0, user: "u") }
        #expect(try user(events).json["user"]?["unique_days"] == 1)
        let kolkata = [("time_zone", JSONValue("Asia/Kolkata"))]
        #expect(try user(events, kolkata).json["user"]?["unique_days"] == 2)
        let range = kolkata + [("date_range", ["start": "2024-03-10"])]
        let answer = try user(events, range).json["user"]
        #expect(answer?["page_views"] == 1)
        #expect(answer?["first_seen"] == "2024-03-09T18:40:00.000000Z")
    }

    @Test func aFeatureWithoutANameIsUnknown() throws {
        let events = [
            event("feature_used", "2024-03-01", user: "u", [("feature_name", .string("export"))]),
            event("feature_used", "2024-03-02", user: "u", [("feature_name", .string("export"))]),
            event("feature_used", "2024-03-02", user: "u"),
        ]
        #expect(try user(events).json["user"]?["feature_usage"] == ["export": 2, "unknown": 1])
    }

    @Test func namesThatOnlyLookAlikeAreTwo() throws {
        let names = ["\u{e9}", "e\u{301}"]
        let events = names.map { name in
            var event = event("feature_used", "2024-03-01", user: "u", [("feature_name", .string(name))])
            event.values.append(EventValue(.trait, name, .string(name)))
            return event
        }
        let user = try user(events).json["user"]
        for name in names {
            #expect(user?["feature_usage"]?[name] == 1)
            #expect(Array(user?["traits"]?[name]?.asString?.utf8 ?? "".utf8) == Array(name.utf8))
        }
    }

    @Test func traitsAreTheLatestOfEachAndADeviceIsTheLatestAsAWhole() throws {
        func described(_ type: String, _ time: String, _ values: [(EventValue.Scope, String, String)]) -> Event {
            var event = event(type, time, user: "u")
            event.values = values.map { EventValue($0.0, $0.1, .string($0.2)) }
            return event
        }
        let events = [
            described("$set_traits", "2024-03-01", [(.trait, "plan", "free"), (.trait, "team", "red")]),
            described("$identify", "2024-03-02", [(.trait, "plan", "pro")]),
            described("$group", "2024-03-03", [(.trait, "plan", "of the group")]),
            described("a", "2024-03-01", [(.device, "os", "Linux"), (.device, "browser", "Firefox")]),
            described("a", "2024-03-02", [(.device, "os", "iOS")]),
        ]
        let user = try user(events).json["user"]
        #expect(user?["traits"] == ["plan": "pro", "team": "red"])
        #expect(user?["device"] == ["os": "iOS"])
        #expect(user?["total_events"] == 2)
    }

    @Test func aUserAndAnAnonymousPersonOfOneIDAreBothInTheAnswerWithAWarning() throws {
        let both = [event("a", "2024-03-01", user: "u"), event("a", "2024-03-02", anonymous: "u")]
        let answer = try user(both)
        #expect(answer.json["user"]?["total_events"] == 2)
        #expect(answer.meta.warnings.count == 1)
        // An event of a user who has this anonymous id is that user's.
        let other = try user([event("a", "2024-03-02", user: "v", anonymous: "u")])
        #expect(other.json["user"]?["total_events"] == 0)
        #expect(other.meta.warnings == [])
    }

    @Test func traitsThatTakeMoreThanTheyMayAreRefused() throws {
        var known = event("$identify", "2024-03-01", user: "u")
        known.values = (0..<20).map { EventValue(.trait, "t\($0)", .string(String(repeating: "x", count: 5000))) }
        let fixture = try TableFixture()
        try fixture.commit([known], nowMicros: micros("2024-06-01"))
        let snapshot = try fixture.snapshot()
        let user = try question(["kind": "user", "user_id": "u"])
        #expect(throws: QueryError.self) { try QueryEngine.answer(user, snapshot, Execution(budgetBytes: 50_000)) }
        #expect(throws: Never.self) { try QueryEngine.answer(user, snapshot, Execution(budgetBytes: 200_000)) }
    }

    @Test func aCancelledQuestionEndsBetweenSomeEventsOfAPerson() throws {
        let fixture = try TableFixture()
        try fixture.commit(
            (0..<20_000).map { _ in event("a", "2024-03-01", user: "u") }, nowMicros: micros("2024-06-01"))
        let impatient = Execution.cancelled(after: 20)
        let snapshot = try fixture.snapshot()
        #expect(throws: QueryError.cancelled) {
            try QueryEngine.answer(try question(["kind": "user", "user_id": "u"]), snapshot, impatient)
        }
    }

    @Test func nobodyIsZerosAndNulls() throws {
        let user = try user([event("a", "2024-03-01", user: "v")]).json["user"]
        #expect(user?["total_events"] == 0)
        #expect(user?["session_count"] == 0)
        #expect(user?["first_seen"] == .null)
        #expect(user?["traits"] == [:])
    }

    @Test func onlyChunksThatCanHoldThePersonsKeysAreRead() throws {
        // One file of 240,000 rows in several row groups, which hold different ranges of keys.
        let fixture = try TableFixture()
        for part in 0..<4 {
            let events = (0..<60_000).map { index in
                event("a", "2024-03-01T10:00:00Z", user: index == 7 ? "u" : "user \(part) \(index % 5000)")
            }
            try fixture.commit(events, nowMicros: micros("2024-06-01"))
        }
        try fixture.publish()
        let snapshot = try fixture.snapshot()
        #expect(snapshot.rowCount == 240_000)
        let answer = try QueryEngine.answer(try question(["kind": "user", "user_id": "u"]), snapshot)
        #expect(answer.json["user"]?["total_events"] == 4)
        #expect(answer.meta.rowsRead < 240_000)
    }
}
