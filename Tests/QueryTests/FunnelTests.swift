import Bytes
import Events
import JSON
import TestSupport
import Testing
import Zones

@testable import Query

@Suite struct FunnelTests {
    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func usersPerStepAreThoseOfTryingEveryChain(seed: UInt64) throws {
        var data = RandomData(seed: seed, start: "2024-03-08", days: 4)
        let fixture = try TableFixture()
        var events: [Event] = []
        for round in 0..<8 {
            let batch = data.events(20)
            try fixture.commit(batch, nowMicros: data.start + data.spanMicros * 3 / 4 + Int64(round))
            events += batch
            if [1, 2, 4].contains(round) { try fixture.publish() }
        }
        let snapshot = try fixture.snapshot()
        let naive = NaiveQuery(events: events, clockMicros: snapshot.clockMicros)
        for _ in 0..<30 {
            let json = self.json(&data)
            let question = try question(json)
            guard case .funnel(let funnel) = question.body else { return }
            let expected = naive.funnel(question, funnel)
            for budget in [1 << 30, 2_000] {
                let answer = try QueryEngine.answer(question, snapshot, Execution(budgetBytes: budget))
                let found = answer.rows.map { [$0[1].asInteger, $0[7].asInteger] }
                #expect(found == expected.map { [Int64($0.users), Int64($0.inProgress)] }, "seed \(seed): \(json)")
                let dropped = answer.rows.map { Int($0[6].asInteger!) }
                for step in 1..<expected.count {
                    let rest = expected[step].users + dropped[step - 1] + expected[step - 1].inProgress
                    #expect(expected[step - 1].users == rest)
                }
            }
        }
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func usersAtAStepAreThoseOfTryingEveryChain(seed: UInt64) throws {
        var table = try RandomTable(seed: seed, start: "2024-03-08", days: 4, perRound: 20)
        for _ in 0..<30 {
            var json = try #require(self.json(&table.data).asObject)
            let outcome = table.data.pick(["reached", "converted", "dropped", "in_progress"])
            let step = table.data.pick([1, 2])
            let limit = table.data.pick([1, 3, 100])
            json["users_at"] = [
                "step": .integer(Int64(step)), "outcome": .string(outcome), "limit": .integer(Int64(limit)),
            ]
            let question = try question(.object(json))
            guard case .funnel(let funnel) = question.body, let usersAt = funnel.usersAt else { return }
            let project = table.fixture.project
            let naive = table.naive.users(question, funnel, usersAt)
            let found = naive.map { person, time -> (key: Int64, JSONValue, Int64) in
                let isAnonymous = person.first == "a"
                let id = String(person.dropFirst())
                let key = project.userKey(isAnonymous ? .anonymous : .user, Array(id.utf8).rawSpan)
                let user: JSONValue = [
                    "user_id": .string(id), "anonymous": .bool(isAnonymous),
                    "reached_at": .string(ISO8601.format(micros: time)),
                ]
                return (key, user, time)
            }.sorted { ($1.2, $0.key) < ($0.2, $1.key) }
            for budget in [1 << 30, 2_000] {
                let execution = Execution(budgetBytes: budget, parallel: RandomTable.backwards)
                let answer = try QueryEngine.answer(question, table.snapshot, execution).json
                #expect(answer["users"] == .array(found.prefix(limit).map(\.1)), "seed \(seed): \(json)")
                #expect(answer["user_count"] == .integer(Int64(found.count)))
            }
        }
    }

    private func json(_ data: inout RandomData) -> JSONValue {
        let count = data.pick([2, 3, 4])
        let steps = (0..<count).map { _ -> JSONValue in
            // Few types, so that steps repeat and events fit several.
            let type = data.pick(["page_view", "page_view", "click", "purchase", "$identify"])
            guard data.random.chance(0.4) else { return ["event_type": .string(type)] }
            return ["event_type": .string(type), "filters": data.filter(depth: 1)]
        }
        var question = JSONObject([
            .init("kind", "funnel"), .init("steps", .array(steps)),
            .init("window", data.pick(["1h", "3_hours", ["days": 1], "2d", "14_days"])),
        ])
        if data.random.chance(0.7) { question["date_range"] = data.dateRange() }
        if data.random.chance(0.3) { question["filters"] = data.filter(depth: 1) }
        return .object(question)
    }

    // MARK: Rules, worked by hand

    private func steps(_ events: [Event], _ json: JSONValue, clock: String = "2024-06-01") throws -> [[JSONValue]] {
        let fixture = try TableFixture()
        try fixture.commit(events, nowMicros: micros(clock))
        return try QueryEngine.answer(try question(json), try fixture.snapshot()).rows
    }

    private func users(_ events: [Event], _ json: JSONValue, clock: String = "2024-06-01") throws -> [Int] {
        try steps(events, json, clock: clock).map { Int($0[1].asInteger!) }
    }

    private let abc: JSONValue = [
        "kind": "funnel", "window": "1h",
        "steps": [["event_type": "a"], ["event_type": "b"], ["event_type": "c"]],
    ]

    @Test func stepsCountInTheirOrderOnly() throws {
        let events = [
            event("b", "2024-03-01T10:00:00Z", user: "u"), event("a", "2024-03-01T10:01:00Z", user: "u"),
            event("c", "2024-03-01T10:02:00Z", user: "u"),
        ]
        #expect(try users(events, abc) == [1, 0, 0])
    }

    @Test func theWindowRunsFromStep1AndHoldsItsLastInstant() throws {
        func events(_ last: String) -> [Event] {
            [
                event("a", "2024-03-01T10:00:00Z", user: "u"), event("b", "2024-03-01T10:59:00Z", user: "u"),
                event("c", last, user: "u"),
            ]
        }
        #expect(try users(events("2024-03-01T11:00:00Z"), abc) == [1, 1, 1])
        #expect(try users(events("2024-03-01T11:00:00.000001Z"), abc) == [1, 1, 0])
    }

    @Test func theChainThatReachesDeepestCountsWhicheverEntryItHas() throws {
        // The early entry reaches c; the late one, which b does not follow, does not take that away.
        let early = [
            event("a", "2024-03-01T10:00:00Z", user: "u"), event("b", "2024-03-01T10:10:00Z", user: "u"),
            event("a", "2024-03-01T10:20:00Z", user: "u"), event("c", "2024-03-01T10:30:00Z", user: "u"),
        ]
        #expect(try users(early, abc) == [1, 1, 1])
        // Only the late entry is near enough to c.
        let late = [
            event("a", "2024-03-01T10:00:00Z", user: "u"), event("a", "2024-03-01T10:20:00Z", user: "u"),
            event("b", "2024-03-01T10:30:00Z", user: "u"), event("c", "2024-03-01T11:15:00Z", user: "u"),
        ]
        #expect(try users(late, abc) == [1, 1, 1])
    }

    @Test func eventsOfOneInstantConvertInTheOrderOfTheSteps() throws {
        let events = ["c", "b", "a"].map { event($0, "2024-03-01T10:00:00Z", user: "u") }
        #expect(try users(events, abc) == [1, 1, 1])
    }

    @Test func oneEventFillsOneStep() throws {
        let twice: JSONValue = ["kind": "funnel", "steps": [["event_type": "a"], ["event_type": "a"]]]
        let once = [event("a", "2024-03-01T10:00:00Z", user: "u")]
        #expect(try users(once, twice) == [1, 0])
        #expect(try users(once + once, twice) == [1, 1])
    }

    @Test func simultaneousEventsAreSharedOutSoThatTheChainGoesDeepest() throws {
        // The event with x fits both steps, the other one step 1 only: x must be left for step 2.
        let json: JSONValue = [
            "kind": "funnel", "steps": [["event_type": "a"], ["event_type": "a", "filters": ["x": 1]]],
        ]
        let events = [
            event("a", "2024-03-01T10:00:00Z", user: "u", [("x", .int64(1))]),
            event("a", "2024-03-01T10:00:00Z", user: "u"),
        ]
        #expect(try users(events, json) == [1, 1])
        #expect(try users(events.reversed(), json) == [1, 1])
    }

    @Test func entriesLieInTheRangeCompletionsMayFollowIt() throws {
        var json = abc.asObject!
        json["date_range"] = ["start": "2024-03-01", "end": "2024-03-01"]
        let events = [
            event("a", "2024-03-01T23:59:59Z", user: "in"), event("b", "2024-03-02T00:10:00Z", user: "in"),
            event("a", "2024-03-02T00:00:00Z", user: "late"), event("b", "2024-03-02T00:10:00Z", user: "late"),
            event("a", "2024-02-29T23:59:59Z", user: "early"), event("b", "2024-03-01T00:10:00Z", user: "early"),
        ]
        #expect(try users(events, .object(json)) == [1, 1, 0])
        // The range's end is out of it, also where nothing later is read.
        #expect(try users([event("a", "2024-03-02T00:00:00Z", user: "end")], .object(json)) == [0, 0, 0])
    }

    @Test func aUserWhoseWindowIsOpenIsInProgressNotDropped() throws {
        let events = [
            event("a", "2024-03-01T10:00:00Z", user: "dropped"),
            event("a", "2024-03-01T11:00:00Z", user: "open"), event("b", "2024-03-01T11:10:00Z", user: "open"),
            event("a", "2024-03-01T11:00:00Z", user: "done"), event("b", "2024-03-01T11:10:00Z", user: "done"),
            event("c", "2024-03-01T11:20:00Z", user: "done"),
            // Reached b long ago; a second entry is still open.
            event("a", "2024-03-01T09:00:00Z", user: "again"), event("b", "2024-03-01T09:10:00Z", user: "again"),
            event("a", "2024-03-01T11:30:00Z", user: "again"),
        ]
        let rows = try steps(events, abc, clock: "2024-03-01T12:00:00Z")
        #expect(rows.map { $0[1] } == [4, 3, 1])  // users
        #expect(rows.map { $0[6] } == [1, 0, 0])  // dropped
        #expect(rows.map { $0[7] } == [0, 2, 0])  // in progress
        #expect(rows.map { $0[2] } == [1.0, 0.75, .number(1.0 / 3)])  // conversion rate, to the previous step
        #expect(rows.map { $0[3] } == [0.0, 0.25, 0.0])  // drop-off
        #expect(rows.map { $0[4] } == [1.0, 0.75, 0.25])  // from the first step
        #expect(rows.map { $0[5] } == [1.0, 0.75, 1.0])  // of those who cannot change any more
        // One microsecond later the windows from 11:00 are closed.
        let later = try steps(events, abc, clock: "2024-03-01T12:00:00.000001Z")
        #expect(later.map { $0[7] } == [0, 1, 0])
    }

    @Test func usersAtAStepAreNamedByWhatBecameOfThemThere() throws {
        let events = [
            event("a", "2024-03-01T10:00:00Z", user: "D"),
            event("a", "2024-03-01T11:00:00Z", user: "O"), event("b", "2024-03-01T11:10:00Z", user: "O"),
            event("a", "2024-03-01T11:00:00Z", user: "F"), event("b", "2024-03-01T11:10:00Z", user: "F"),
            event("c", "2024-03-01T11:20:00Z", user: "F"),
            event("a", "2024-03-01T09:00:00Z", anonymous: "G"), event("b", "2024-03-01T09:10:00Z", anonymous: "G"),
            event("a", "2024-03-01T11:30:00Z", anonymous: "G"),
        ]
        let fixture = try TableFixture()
        try fixture.commit(events, nowMicros: micros("2024-03-01T12:00:00Z"))
        func users(_ step: Int64, _ outcome: JSONValue, limit: JSONValue = 100) throws -> JSONValue? {
            var json = abc.asObject ?? JSONObject()
            json["users_at"] = ["step": .integer(step), "outcome": outcome, "limit": limit]
            let answer = try QueryEngine.answer(try question(.object(json)), try fixture.snapshot()).json
            return answer["users"]
        }
        #expect(
            try users(2, "in_progress") == [
                ["user_id": "O", "anonymous": false, "reached_at": "2024-03-01T11:10:00.000000Z"],
                ["user_id": "G", "anonymous": true, "reached_at": "2024-03-01T09:10:00.000000Z"],
            ])
        #expect(try users(2, "in_progress", limit: 1)?.asArray?.count == 1)
        #expect(try users(1, "dropped")?[0]?["user_id"] == "D")
        #expect(try users(3, "converted")?[0]?["user_id"] == "F")
        #expect(try users(3, "dropped") == [])
        #expect(try users(1, "reached")?.asArray?.count == 4)
    }

    @Test func anonymousPeopleCountNobodysEventsDoNot() throws {
        let events = [
            event("a", "2024-03-01T10:00:00Z", anonymous: "x"), event("b", "2024-03-01T10:01:00Z", anonymous: "x"),
            event("a", "2024-03-01T10:00:00Z"), event("b", "2024-03-01T10:01:00Z"),
            // A user called as an anonymous id is somebody else.
            event("a", "2024-03-01T10:00:00Z", user: "x"),
        ]
        #expect(try users(events, abc) == [2, 1, 0])
    }

    @Test func anAnswerOverNothingIsZeros() throws {
        let fixture = try TableFixture()
        let answer = try QueryEngine.answer(try question(abc), try fixture.snapshot())
        #expect(answer.rows.map { $0[1] } == [0, 0, 0])
        #expect(answer.json["overall_conversion_rate"] == 0.0)
    }
}
