import Zones

@testable import Query

/// Buckets found by walking through time in quarters of an hour with nothing but the zone's offset, for zones whose
/// offsets are whole quarters and whose clocks are not set back over midnight. Slow; remembers what it found.
final class NaiveCalendar {
    private let zone: Zone
    private let weekStart: Weekday
    private var known: [Label: (start: Int64, end: Int64)] = [:]

    private static let quarterMicros: Int64 = 900_000_000

    /// Equal for instants of one bucket. An hour that the clocks repeat differs by its offset.
    private struct Label: Hashable {
        let unit: BucketUnit
        let number: Int
        let offsetSeconds: Int?
    }

    init(_ zone: Zone, _ weekStart: Weekday) { (self.zone, self.weekStart) = (zone, weekStart) }

    private static func floor(_ number: Int64, _ divisor: Int64) -> Int64 {
        number / divisor - (number % divisor < 0 ? 1 : 0)
    }

    /// The day that clocks show, in days since 1970-01-01.
    private func localDay(_ micros: Int64) -> Int { Int(Self.floor(localMicros(micros), 86_400_000_000)) }

    private func localMicros(_ micros: Int64) -> Int64 {
        micros + Int64(zone.offsetSeconds(atUTCMicros: micros)) * 1_000_000
    }

    func date(_ micros: Int64) -> CivilDate { CivilDate(daysSinceEpoch: localDay(micros)) }

    private func label(_ micros: Int64, _ unit: BucketUnit) -> Label {
        let day = localDay(micros)
        switch unit {
        case .hour:
            let hour = Self.floor(localMicros(micros), 3_600_000_000)
            return Label(unit: unit, number: Int(hour), offsetSeconds: zone.offsetSeconds(atUTCMicros: micros))
        case .day: return Label(unit: unit, number: day, offsetSeconds: nil)
        case .week:
            // 1970-01-01 was a Thursday: three days after a Monday.
            let weekStartDay = Weekday.allCases.firstIndex(of: weekStart) ?? 0
            let week = Self.floor(Int64(day + 3 - weekStartDay), 7)
            return Label(unit: unit, number: Int(week), offsetSeconds: nil)
        case .month, .quarter, .year:
            let date = CivilDate(daysSinceEpoch: day)
            return Label(unit: unit, number: date.year * 12 + date.month, offsetSeconds: nil)
        }
    }

    /// The first instant of the bucket that holds `micros`, and the first after it.
    func bucket(_ micros: Int64, _ unit: BucketUnit) -> (start: Int64, end: Int64) {
        let label = label(micros, unit)
        if let bucket = known[label] { return bucket }
        var start = Self.floor(micros, Self.quarterMicros) * Self.quarterMicros
        var end = start + Self.quarterMicros
        while self.label(start - Self.quarterMicros, unit) == label { start -= Self.quarterMicros }
        while self.label(end, unit) == label { end += Self.quarterMicros }
        known[label] = (start, end)
        return (start, end)
    }
}
