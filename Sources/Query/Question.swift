import JSON
import Zones

/// A question that was read and understood: docs/questions.md. Its dates are instants already.
package struct Question: Sendable {
    package let project: String?
    package let range: TimeRange
    package let zone: Zone
    package let weekStart: Weekday
    /// Which events it is about, without what the kind itself adds.
    package private(set) var filter: Predicate
    package let body: Body
    /// What was read in a way that the asker may not have meant.
    package let warnings: [String]
    /// How long the asker wants to wait, in ms; nil leaves it to the server.
    package let timeoutMillis: Int?
    /// The asker's name for this call, by which it can be cancelled: `[A-Za-z0-9_-]{1,64}`.
    package let queryID: String?
    /// Equal for questions that have the same answer over the same snapshot of a project: the question's JSON with its
    /// members in order, its dates resolved, and without what only concerns the call.
    package let cacheKey: String

    package enum Body: Sendable {
        case aggregate(AggregateQuestion)
        case funnel(FunnelQuestion)
        case events(EventsQuestion)
        case user(UserQuestion)
        case adoption(AdoptionQuestion)
        case segment(SegmentQuestion)

        /// How many tests of events stand in it.
        fileprivate var testCount: Int {
            switch self {
            case .aggregate, .events, .user: 0
            case .funnel(let funnel): funnel.steps.reduce(0) { $0 + $1.filter.testCount }
            case .adoption(let adoption): adoption.usage.testCount
            case .segment(let segment): segment.conditions.reduce(0) { $0 + $1.predicate.testCount }
            }
        }
    }

    /// The members of each kind that no other has.
    static let ownMembers: [(kind: String, members: [String])] = [
        ("aggregate", AggregateQuestion.members), ("funnel", FunnelQuestion.members),
        ("events", EventsQuestion.members), ("user", UserQuestion.members), ("adoption", AdoptionQuestion.members),
        ("segment", SegmentQuestion.members),
    ]
    package static var kinds: [String] { ownMembers.map(\.kind) }

    /// - Throws: `.invalid` with the JSON path of the first thing that is wrong.
    package init(parsing json: JSONValue, context: QuestionContext) throws(QueryError) {
        let kinds = try ObjectReader(json, path: "", allowed: nil)
        guard let kind = try kinds.choice("kind", of: Self.kinds, what: "kind") else {
            throw .invalid(path: "kind", reason: "missing", allowed: Self.kinds)
        }
        let own = Self.ownMembers.filter { $0.kind == kind }.flatMap(\.members)
        let reader = try ObjectReader(json, path: "", allowed: Self.members + own)
        project = try reader.string("project")
        timeoutMillis = try reader.integer("timeout_ms", in: Self.timeoutsMillis)
        queryID = try Self.queryID(reader)
        if let name = try reader.string("time_zone") {
            zone = try context.zone(name, path: "time_zone")
        } else {
            zone = context.defaultZone
        }
        let weekdays = Weekday.allCases.map { "\($0)" }
        let weekStart = try reader.choice("week_start", of: weekdays, what: "weekday") ?? "monday"
        self.weekStart = Weekday.allCases[weekdays.firstIndex(of: weekStart) ?? 0]
        var warnings: [String] = []
        let filterReader = FilterReader(zone: zone)
        let filters = try filterReader.filters(reader["filters"], path: "filters", warnings: &warnings)
        filter = filters.predicate
        let dates = DateReader(nowMicros: context.nowMicros, zone: zone)
        range = try Self.range(reader, filters, dates, &warnings)
        switch kind {
        case "aggregate": body = .aggregate(try AggregateQuestion(reader, warnings: &warnings))
        case "funnel": body = .funnel(try FunnelQuestion(reader, filterReader, warnings: &warnings))
        case "events": body = .events(try EventsQuestion(reader))
        case "user": body = .user(try UserQuestion(reader))
        case "adoption": body = .adoption(try AdoptionQuestion(reader, filterReader, warnings: &warnings))
        default: body = .segment(try SegmentQuestion(reader, filterReader, warnings: &warnings))
        }
        guard filter.testCount + body.testCount <= Self.testCountMax else {
            throw .invalid(path: "", reason: "more than \(Self.testCountMax) tests")
        }
        self.warnings = warnings
        cacheKey = CacheKey.text(json, range, zone, warnings)
    }

    /// A part of another kind's answer: counts of events, in UTC.
    init(_ aggregate: AggregateQuestion, of filter: Predicate, in range: TimeRange) {
        (self.range, zone, weekStart, self.filter, body) = (range, .utc, .monday, filter, .aggregate(aggregate))
        (project, warnings, timeoutMillis, queryID, cacheKey) = (nil, [], nil, nil, "")
    }

    /// The same question about fewer events.
    func filtered(by predicate: Predicate) -> Question {
        var filtered = self
        filtered.filter = .all([filter, predicate])
        return filtered
    }

    /// The members that every kind has.
    static let members = [
        "kind", "project", "filters", "date_range", "time_zone", "week_start", "timeout_ms", "query_id",
    ]
    private static let timeoutsMillis = 100...600_000
    private static let queryIDBytesMax = 64
    /// Each test keeps a code a row of the chunk that is looked at.
    private static let testCountMax = 256

    private static func queryID(_ reader: ObjectReader) throws(QueryError) -> String? {
        guard let id = try reader.string("query_id") else { return nil }
        let isValid = id.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isValid, (1...queryIDBytesMax).contains(id.utf8.count) else {
            throw .invalid(path: "query_id", reason: "1 to \(queryIDBytesMax) of A-Z, a-z, 0-9, _ and - are expected")
        }
        return id
    }

    /// The dates of the call win over those of the filters.
    private static func range(
        _ reader: ObjectReader, _ filters: FilterReader.Filters, _ dates: DateReader, _ warnings: inout [String]
    ) throws(QueryError) -> TimeRange {
        guard let call = reader["date_range"] else { return try dates.range(start: filters.start, end: filters.end) }
        let range = try ObjectReader(call, path: "date_range", allowed: ["start", "end"])
        if filters.start != nil || filters.end != nil {
            warnings.append("date_range: it replaces the dates of the filters")
        }
        var ends: [String: (text: String, path: String)] = [:]
        for name in ["start", "end"] {
            if let text = try range.string(name) { ends[name] = (text, range.path(of: name)) }
        }
        return try dates.range(start: ends["start"], end: ends["end"])
    }
}
