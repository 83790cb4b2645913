import JSON
import Zones

/// The instants a question is about: `from` is in, `to` is not. µs since 1970-01-01 UTC.
package struct TimeRange: Sendable, Equatable {
    /// `.min` where the question sets no start.
    package let from: Int64
    /// `.max` where it sets no end.
    package let to: Int64

    static let always = TimeRange(from: .min, to: .max)

    func contains(_ micros: Int64) -> Bool { from <= micros && micros < to }
}

/// What dates in a question are relative to.
package struct QuestionContext {
    package let nowMicros: Int64
    /// Of the project, where the question names none.
    package let defaultZone: Zone
    /// Finds a zone by its name in the IANA database.
    package let zoneNamed: (String) throws(ZoneError) -> Zone

    package init(
        nowMicros: Int64, defaultZone: Zone = .utc, zoneNamed: @escaping (String) throws(ZoneError) -> Zone
    ) {
        self.nowMicros = nowMicros
        self.defaultZone = defaultZone
        self.zoneNamed = zoneNamed
    }

    /// The zone that a question names at `path`.
    func zone(_ name: String, path: String) throws(QueryError) -> Zone {
        do throws(ZoneError) {
            return try zoneNamed(name)
        } catch {
            throw .invalid(path: path, reason: error.description, allowed: ["a name of the IANA time zone database"])
        }
    }
}

/// Reads the dates of a question: absolute, or relative to now in the question's zone.
struct DateReader {
    let nowMicros: Int64
    let zone: Zone

    private static let allowed = [
        "YYYY-MM-DD", "YYYY-MM-DDTHH:MM:SS[Z|±HH:MM]", "now", "today", "yesterday",
        "N_(minutes|hours|days|weeks|months)_ago",
    ]
    /// More than any calendar question needs, and far from the ends of the arithmetic.
    private static let countMax = 1_000_000

    func range(
        start: (text: String, path: String)?, end: (text: String, path: String)?
    ) throws(QueryError) -> TimeRange {
        var from = Int64.min
        var firstDay: CivilDate?
        if let start {
            switch try moment(start.text, path: start.path) {
            case .date(let day): (from, firstDay) = (zone.startOfDay(day), day)
            case .instant(let micros): (from, firstDay) = (micros, zone.civilDate(atMicros: micros))
            }
        }
        guard let end else { return TimeRange(from: from, to: .max) }
        let to: Int64
        let isReversed: Bool
        switch try moment(end.text, path: end.path) {
        case .date(let day):
            // A day as the end means through that day. Days are compared: one that the zone skips is empty, not wrong.
            to = zone.startOfDay(day.adding(days: 1))
            isReversed = firstDay.map { day < $0 } ?? false
        case .instant(let micros):
            to = micros
            isReversed = to < from
        }
        guard !isReversed else { throw .invalid(path: end.path, reason: "the range ends before it starts") }
        return TimeRange(from: from, to: to)
    }

    private func moment(_ text: String, path: String) throws(QueryError) -> ISO8601.Moment {
        let today = zone.civilDate(atMicros: nowMicros)
        switch text {
        case "now": return .instant(nowMicros)
        case "today": return .date(today)
        case "yesterday": return .date(today.adding(days: -1))
        default: break
        }
        if let moment = ISO8601.moment(text, in: zone) { return moment }
        let parts = text.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[2] == "ago", let count = Int(parts[0]), (0...Self.countMax).contains(count) else {
            throw .invalid(path: path, reason: "\"\(text)\" is no date", allowed: Self.allowed)
        }
        switch parts[1] {
        case "minutes", "minute": return .instant(nowMicros - Int64(count) * 60_000_000)
        case "hours", "hour": return .instant(nowMicros - Int64(count) * 3_600_000_000)
        case "days", "day": return .date(today.adding(days: -count))
        case "weeks", "week": return .date(today.adding(days: -7 * count))
        case "months", "month": return .date(today.adding(months: -count))
        default:
            throw .unknown(
                "unit", String(parts[1]), path: path, allowed: ["minutes", "hours", "days", "weeks", "months"])
        }
    }
}
