import Events
import JSON
import Table
import TestSupport

@testable import Query

/// Random events in a table: some published, some in the log's tail.
struct RandomTable {
    var data: RandomData
    let fixture: TableFixture
    let naive: NaiveQuery
    /// The position of each event, and when it was received.
    let positions: [Int64]
    let receivedMicros: [Int64]
    let snapshot: Snapshot

    init(seed: UInt64, start: String, days: Int, perRound: Int = 60) throws {
        var data = RandomData(seed: seed, start: start, days: days)
        fixture = try TableFixture()
        var events: [Event] = []
        var positions: [Int64] = []
        var receivedMicros: [Int64] = []
        for round in 0..<6 {
            var batch = data.events(perRound)
            for index in batch.indices where data.random.chance(0.2) {
                let bytes = (0..<16).map { _ in UInt8.random(in: 0...255, using: &data.random) }
                batch[index].eventID = EventID(bytes: bytes)
            }
            let now = data.start + data.spanMicros / 2 + Int64(round)
            try fixture.commit(batch, nowMicros: now)
            events += batch
            positions += batch.indices.map { Int64(round + 1) << 20 + Int64($0) }
            receivedMicros += batch.map { _ in now }
            if round == 1 || round == 3 { try fixture.publish() }
        }
        self.data = data
        snapshot = try fixture.snapshot()
        naive = NaiveQuery(events: events, clockMicros: snapshot.clockMicros)
        (self.positions, self.receivedMicros) = (positions, receivedMicros)
    }

    /// A question's members with a filter, a range and a zone, each now and then.
    mutating func question(
        _ kind: String, _ own: [(String, JSONValue)]
    ) throws -> (json: JSONValue, question: Question) {
        var json = JSONObject([.init("kind", .string(kind))] + own.map { .init($0.0, $0.1) })
        json["time_zone"] = .string(data.pick(AggregateTests.zones))
        if data.random.chance(0.5) { json["filters"] = data.filter() }
        if data.random.chance(0.6) { json["date_range"] = data.dateRange() }
        return (.object(json), try read(.object(json)))
    }

    private func read(_ json: JSONValue) throws -> Question { try QueryTests.question(json) }

    /// Any order of tasks must do.
    static let backwards: Execution.Parallel = { count, body in
        for index in (0..<count).reversed() { body(index) }
    }
}
