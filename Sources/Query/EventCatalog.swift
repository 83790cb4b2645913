import Events
import JSON
import Table
import Zones

/// What a project's events are called, and what values they have.
package enum EventCatalog {
    /// Which events are looked at.
    package struct Period: Sendable {
        package let range: TimeRange
        package let zone: Zone

        /// Reads dates as questions have them: docs/questions.md §1.3.
        /// - Throws: `.invalid` at `start`, `end` or `time_zone`.
        package init(
            start: String?, end: String?, timeZone: String?, context: QuestionContext
        ) throws(QueryError) {
            var zone = context.defaultZone
            if let timeZone { zone = try context.zone(timeZone, path: "time_zone") }
            self.zone = zone
            range = try DateReader(nowMicros: context.nowMicros, zone: zone).range(
                start: start.map { ($0, "start") }, end: end.map { ($0, "end") })
        }

        /// Equal for periods of the same events.
        package var cacheKey: String { "\(range.from)_\(range.to)_\(zone.name)" }
    }

    /// One name with what is known of it, as JSON without what people say of it.
    package struct Item: Sendable {
        package let name: String
        package let json: JSONObject
    }

    package struct Listing: Sendable {
        package let items: [Item]
        /// How many events were looked at.
        package let eventCount: Int
        package let meta: Answer.Meta
    }

    private static let metrics = [
        AggregateQuestion.Metric(measure: .count, alias: "count", path: ""),
        AggregateQuestion.Metric(measure: .countDistinct(.person), alias: "users", path: ""),
        AggregateQuestion.Metric(measure: .least(.fixed(.timestamp)), alias: "first_seen", path: ""),
        AggregateQuestion.Metric(measure: .greatest(.fixed(.timestamp)), alias: "last_seen", path: ""),
    ]
    private static let byType = AggregateQuestion.Column(name: "event_type", dimension: .field(.eventType))
    private static let reservedPrefix = [UInt8(ascii: "$")]
    /// Everything; that it names their prefix brings in the reserved types.
    private static let withReserved = Predicate.any([
        .everything, .test(.eventType, .startsWith(reservedPrefix)),
    ])

    /// The types of a period's events: `name`, `count`, `users`, `first_seen`, `last_seen`, and `reserved` where it is.
    /// Most frequent first, ties by name; reserved types last.
    /// - Throws: `QueryError`, and what reading the table throws.
    package static func names(
        _ snapshot: Snapshot, _ period: Period, _ execution: Execution = Execution()
    ) throws -> Listing {
        let aggregate = AggregateQuestion(metrics: metrics, groups: [byType])
        let question = Question(aggregate, of: withReserved, in: period.range)
        let result = try AggregateRun(question, aggregate, snapshot, execution).answer()
        var types: [(name: [UInt8], isReserved: Bool, numbers: [Int64])] = []
        for (group, key) in result.groups.keys.enumerated() {
            guard case .text(let name)? = key[0] else { continue }
            let numbers = metrics.indices.map { metric -> Int64 in
                guard case .integer(let number)? = result.groups.states[metric][group].result(metrics[metric].measure)
                else { return 0 }
                return number
            }
            types.append((name, name.starts(with: reservedPrefix), numbers))
        }
        types.sort { left, right in
            if left.isReserved != right.isReserved { return right.isReserved }
            if left.numbers[0] != right.numbers[0] { return left.numbers[0] > right.numbers[0] }
            return left.name.lexicographicallyPrecedes(right.name)
        }
        let items = types.map { type in
            let name = String(decoding: type.name, as: UTF8.self)
            var json = JSONObject([
                .init("name", .string(name)), .init("count", .integer(type.numbers[0])),
                .init("users", .integer(type.numbers[1])),
                .init("first_seen", .string(ISO8601.format(micros: type.numbers[2]))),
                .init("last_seen", .string(ISO8601.format(micros: type.numbers[3]))),
            ])
            if type.isReserved { json["reserved"] = true }
            return Item(name: name, json: json)
        }
        return Listing(
            items: items, eventCount: types.reduce(0) { $0 + Int($1.numbers[0]) },
            meta: Answer.Meta(range: period.range, zone: period.zone, snapshot, result.report))
    }

    /// The values of a period's events, of one type or of all activity: `name`, `scope`, `count`, `fill_rate`, `types`,
    /// `distinct`, `samples`, `first_seen`, `last_seen`. Those of most events first, ties by name.
    /// - Throws: `QueryError`, and what reading the table throws.
    package static func properties(
        _ snapshot: Snapshot, eventType: String?, _ period: Period, _ execution: Execution = Execution()
    ) throws -> Listing {
        var predicate = Predicate.everything
        if let eventType { predicate = .test(.eventType, .isIn([Value(eventType)])) }
        let scan = Scan(snapshot, period.range)
        let run = PropertyRun(scan, predicate.ofActivity, execution)
        let (properties, eventCount) = try run.properties()
        return Listing(
            items: properties.map { Item(name: $0.name, json: $0.json(eventCount: eventCount)) },
            eventCount: eventCount,
            meta: Answer.Meta(range: period.range, zone: period.zone, snapshot, ScanReport(scan)))
    }
}
