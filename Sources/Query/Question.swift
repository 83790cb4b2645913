import JSON
import Zones

/// A question that was read and understood: docs/questions.md. Its dates are instants already.
package struct Question: Sendable {
    package let project: String?
    package let range: TimeRange
    package let zone: Zone
    package let weekStart: Weekday
    /// Which events it is about, without what the kind itself adds.
    package let filter: Predicate
    package let body: Body
    /// What was read in a way that the asker may not have meant.
    package let warnings: [String]

    package enum Body: Sendable {
        case aggregate(AggregateQuestion)
        case funnel(FunnelQuestion)
    }

    package static let kinds = ["aggregate", "funnel"]

    /// - Throws: `.invalid` with the JSON path of the first thing that is wrong.
    package init(parsing json: JSONValue, context: QuestionContext) throws(QueryError) {
        let kinds = try ObjectReader(json, path: "", allowed: nil)
        guard let kind = try kinds.choice("kind", of: Self.kinds, what: "kind") else {
            throw .invalid(path: "kind", reason: "missing", allowed: Self.kinds)
        }
        let own = kind == "aggregate" ? AggregateQuestion.members : FunnelQuestion.members
        let reader = try ObjectReader(json, path: "", allowed: Self.members + own)
        project = try reader.string("project")
        zone = try Self.zone(reader, context)
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
        default: body = .funnel(try FunnelQuestion(reader, filterReader, warnings: &warnings))
        }
        self.warnings = warnings
    }

    /// The members that every kind has.
    private static let members = ["kind", "project", "filters", "date_range", "time_zone", "week_start"]

    private static func zone(_ reader: ObjectReader, _ context: QuestionContext) throws(QueryError) -> Zone {
        guard let name = try reader.string("time_zone") else { return context.defaultZone }
        do throws(ZoneError) {
            return try context.zoneNamed(name)
        } catch {
            throw .invalid(
                path: "time_zone", reason: error.description, allowed: ["a name of the IANA time zone database"])
        }
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
