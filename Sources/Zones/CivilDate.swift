/// A day of the week; raw values as in ISO 8601.
package enum Weekday: Int, Sendable, CaseIterable {
    case monday = 1
    case tuesday, wednesday, thursday, friday, saturday, sunday
}

/// A day of the proleptic Gregorian calendar, in no time zone.
package struct CivilDate: Sendable, Hashable, Comparable {
    package let year: Int
    /// 1...12.
    package let month: Int
    /// 1...31.
    package let day: Int

    /// - Returns: nil unless there is such a day.
    package init?(year: Int, month: Int, day: Int) {
        guard (1...12).contains(month), day >= 1, day <= Self.dayCount(year: year, month: month) else { return nil }
        (self.year, self.month, self.day) = (year, month, day)
    }

    /// The day that many days after 1970-01-01 (Hinnant, "chrono-compatible low-level date algorithms").
    package init(daysSinceEpoch: Int) {
        // Years begin in March here, so that the leap day is a year's last; an era is 400 years.
        let shifted = daysSinceEpoch + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// Days from 1970-01-01 to this one; the inverse of `init(daysSinceEpoch:)`.
    package var daysSinceEpoch: Int {
        let yearFromMarch = month <= 2 ? year - 1 : year
        let era = (yearFromMarch >= 0 ? yearFromMarch : yearFromMarch - 399) / 400
        let yearOfEra = yearFromMarch - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    package var weekday: Weekday {
        // 1970-01-01 was a Thursday.
        let fromMonday = (daysSinceEpoch + 3) % 7
        return Weekday.allCases[fromMonday < 0 ? fromMonday + 7 : fromMonday]
    }

    /// - Parameter days: within ±10^9, a precondition of the arithmetic.
    package func adding(days: Int) -> CivilDate { CivilDate(daysSinceEpoch: daysSinceEpoch + days) }

    /// The same day of another month, or that month's last day if it is shorter.
    /// - Parameter months: within ±10^9, a precondition of the arithmetic.
    package func adding(months: Int) -> CivilDate {
        let total = year * 12 + month - 1 + months
        let newMonth = (total % 12 + 12) % 12
        let newYear = (total - newMonth) / 12
        return CivilDate(
            year: newYear, month: newMonth + 1, clampedDay: min(day, Self.dayCount(year: newYear, month: newMonth + 1)))
    }

    /// The first day of the month that lies `months` after this one's.
    package func firstOfMonth(adding months: Int = 0) -> CivilDate {
        CivilDate(year: year, month: month, clampedDay: 1).adding(months: months)
    }

    private init(year: Int, month: Int, clampedDay: Int) {
        (self.year, self.month, day) = (year, month, clampedDay)
    }

    static func dayCount(year: Int, month: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    package static func < (left: CivilDate, right: CivilDate) -> Bool {
        (left.year, left.month, left.day) < (right.year, right.month, right.day)
    }
}
