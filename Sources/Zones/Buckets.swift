/// How long the buckets of a series are.
package enum BucketUnit: String, Sendable, CaseIterable {
    case hour, day, week, month, quarter, year
}

// Buckets cut time without gap or overlap. All but hours are whole local days; an hour is a local hour named by its
// first instant, so that a repeated one is two buckets.
extension Zone {
    /// The first instant of the bucket that holds an instant.
    package func bucketStart(
        of micros: Int64, unit: BucketUnit, weekStart: Weekday = .monday
    ) -> Int64 {
        guard unit != .hour else { return hourStart(micros) }
        let first = civilDate(atMicros: micros).first(of: unit, weekStart: weekStart)
        // A clock set back over midnight shows a day again that has ended; the later bucket has it.
        let next = startOfDay(first.next(unit))
        return next <= micros ? next : startOfDay(first)
    }

    /// The first instant after the bucket that holds an instant, and thus of a later bucket.
    package func bucketEnd(
        of micros: Int64, unit: BucketUnit, weekStart: Weekday = .monday
    ) -> Int64 {
        guard unit != .hour else { return hourEnd(micros) }
        var first = civilDate(atMicros: micros).first(of: unit, weekStart: weekStart)
        repeat { first = first.next(unit) } while startOfDay(first) <= micros && startOfDay(first) < .max
        return startOfDay(first)
    }

    /// The starts of all buckets that share an instant with `start..<end`, ascending; a day skipped whole has none.
    /// - Throws: `.tooManyBuckets` if there are more than `countMax`.
    package func buckets(
        from start: Int64, to end: Int64, unit: BucketUnit, weekStart: Weekday = .monday, countMax: Int
    ) throws(ZoneError) -> [Int64] {
        guard start < end else { return [] }
        var starts = [bucketStart(of: start, unit: unit, weekStart: weekStart)]
        while starts.count <= countMax {
            let next = bucketEnd(of: starts[starts.count - 1], unit: unit, weekStart: weekStart)
            guard next < end else { return starts }
            starts.append(next)
        }
        throw .tooManyBuckets(limit: countMax)
    }

    private static var hourMicros: Int64 { 3_600_000_000 }

    private func hourStart(_ micros: Int64) -> Int64 {
        let start = micros.saturatingAdding(-microsIntoHour(micros))
        return max(start, transitions(around: micros).last ?? .min)
    }

    private func hourEnd(_ micros: Int64) -> Int64 {
        let end = micros.saturatingAdding(Self.hourMicros - microsIntoHour(micros))
        return min(end, transitions(around: micros).next ?? .max)
    }

    private func microsIntoHour(_ micros: Int64) -> Int64 {
        let offsetMicros = Int64(offsetSeconds(atUTCMicros: micros)) * 1_000_000
        return (micros.flooredRemainder(Self.hourMicros) + offsetMicros).flooredRemainder(Self.hourMicros)
    }
}

extension CivilDate {
    /// The first day of the week, month, quarter or year this one is in.
    package func first(of unit: BucketUnit, weekStart: Weekday = .monday) -> CivilDate {
        switch unit {
        case .hour, .day: self
        case .week: adding(days: -((weekday.rawValue - weekStart.rawValue + 7) % 7))
        case .month: firstOfMonth()
        case .quarter: firstOfMonth(adding: -((month - 1) % 3))
        case .year: firstOfMonth(adding: 1 - month)
        }
    }

    /// The day one unit later.
    func next(_ unit: BucketUnit) -> CivilDate {
        switch unit {
        case .hour, .day: adding(days: 1)
        case .week: adding(days: 7)
        case .month: adding(months: 1)
        case .quarter: adding(months: 3)
        case .year: adding(months: 12)
        }
    }
}
