import Events
import JSON
import Synchronization
import TestSupport
import Testing

@testable import Query

@Suite struct AggregateTests {
    static let zones = ["UTC", "Asia/Kolkata", "Asia/Kathmandu", "America/New_York", "Africa/Cairo", "Pacific/Apia"]

    @Test(arguments: [
        (1, "2024-03-08", 4), (2, "2024-04-25", 3), (3, "2011-12-28", 5), (4, "2024-11-01", 4), (5, "2024-02-27", 40),
        (6, "1969-12-30", 4), (7, "2024-03-30", 2),
    ] as [(UInt64, String, Int)])
    func answersAreThoseOfPlainLoopsOverTheEvents(seed: UInt64, start: String, days: Int) throws {
        var data = RandomData(seed: seed, start: start, days: days)
        let fixture = try TableFixture()
        var events: [Event] = []
        for round in 0..<6 {
            let batch = data.events(60)
            // The clock stands in the middle of the data, so that some buckets are not over.
            try fixture.commit(batch, nowMicros: data.start + data.spanMicros / 2 + Int64(round))
            events += batch
            if round == 1 || round == 3 { try fixture.publish() }
        }
        let snapshot = try fixture.snapshot()
        #expect(snapshot.tailRowCount == 120)
        let naive = NaiveQuery(events: events, clockMicros: snapshot.clockMicros)
        for _ in 0..<60 {
            let json = data.aggregate(zones: Self.zones)
            let question = try question(json)
            guard case .aggregate(let aggregate) = question.body else { return }
            let expected = naive.rows(question, aggregate)
            let answer = try QueryEngine.answer(question, snapshot)
            #expect(answer.rows == expected, "seed \(seed): \(json)")
            let little = Execution(budgetBytes: 200_000, parallel: backwards)
            let banded = try QueryEngine.answer(question, snapshot, little)
            #expect(banded.rows == expected, "seed \(seed), in bands: \(json)")
        }
    }

    @Test func veryManyGroupsAndTimesFarApartAreCountedTheSameWay() throws {
        let fixture = try TableFixture()
        var random = SeededRandom(seed: 8)
        let events = (0..<9000).map { index -> Event in
            let hour = Int64.random(in: 0..<300_000, using: &random)
            var event = Event(type: "a", timestampMicros: micros("1990-01-01") + hour * 3_600_000_000)
            event.userID = "u\(Int.random(in: 0..<50, using: &random))"
            event.values = [
                EventValue(.property, "x", .string("x\(Int.random(in: 0..<500, using: &random))")),
                EventValue(.property, "y", .int64(Int64.random(in: 0..<500, using: &random))),
            ]
            return event
        }
        for start in stride(from: 0, to: 9000, by: 3000) {
            try fixture.commit(Array(events[start..<(start + 3000)]), nowMicros: micros("2024-06-01") + Int64(start))
        }
        let snapshot = try fixture.snapshot()
        let naive = NaiveQuery(events: events, clockMicros: snapshot.clockMicros)
        for groups in [["x", "y"], ["y", "x", "user_id"], ["hour"], ["x", "month"]] as [[String]] {
            let question = try question([
                "kind": "aggregate", "metrics": ["count", ["type": "count_distinct", "field": "user_id"]],
                "group_by": .array(groups.map { .string($0) }), "time_zone": "Pacific/Apia",
            ])
            guard case .aggregate(let aggregate) = question.body else { return }
            let answer = try QueryEngine.answer(question, snapshot)
            let expected = naive.rows(question, aggregate)
            let isSame = answer.rows == expected
            #expect(isSame && expected.count > 4096, "by \(groups): \(answer.rows.count) and \(expected.count) rows")
        }
    }

    /// Any order of tasks must do.
    private let backwards: Execution.Parallel = { count, body in
        for index in (0..<count).reversed() { body(index) }
    }
}
