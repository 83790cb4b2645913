import Bytes

/// What a TZif footer says of the time after the file's last transition: a TZ string of POSIX (XBD 8.3) with the
/// extensions of RFC 9636 §3.3.1, such as `EST5EDT,M3.2.0,M11.1.0` or `<+1030>-10:30<+11>-11,M10.1.0,M4.1.0`.
struct POSIXRule: Equatable {
    /// Daylight saving time, twice a year.
    struct Daylight: Equatable {
        let offsetSeconds: Int
        let start: YearlyMoment
        let end: YearlyMoment
    }

    /// A local moment that comes once a year.
    struct YearlyMoment: Equatable {
        enum Day: Equatable {
            /// 1...365, 29 February never counted.
            case julian(Int)
            /// 0...365.
            case ordinal(Int)
            /// `week` 5 is the last; `weekday` 0 is Sunday.
            case weekday(month: Int, week: Int, weekday: Int)
        }
        let day: Day
        /// From that day's midnight; may be negative or past 24 hours.
        let seconds: Int

        /// Seconds since the epoch on a local clock.
        func localSeconds(year: Int) -> Int {
            let date: Int
            switch day {
            case .julian(let ordinal):
                let isLeap = CivilDate.dayCount(year: year, month: 2) == 29
                date = first(year, 1) + ordinal - 1 + (isLeap && ordinal >= 60 ? 1 : 0)
            case .ordinal(let ordinal): date = first(year, 1) + ordinal
            case .weekday(let month, let week, let weekday):
                let start = CivilDate(daysSinceEpoch: first(year, month))
                let until = (weekday - start.weekday.rawValue % 7 + 7) % 7
                var dayOfMonth = 1 + until + (week - 1) * 7
                if dayOfMonth > CivilDate.dayCount(year: year, month: month) { dayOfMonth -= 7 }
                date = start.daysSinceEpoch + dayOfMonth - 1
            }
            return date * 86_400 + seconds
        }

        private func first(_ year: Int, _ month: Int) -> Int {
            CivilDate(daysSinceEpoch: 0).adding(months: (year - 1970) * 12 + month - 1).daysSinceEpoch
        }
    }

    let offsetSeconds: Int
    let daylight: Daylight?

    /// - Throws: `.invalid` at the byte of `text` where it stops being a TZ string.
    init(_ text: RawSpan) throws(DecodeError) {
        var scanner = Scanner(text)
        try scanner.skipName()
        let standard = -(try scanner.seconds(hoursMax: 24))
        offsetSeconds = standard
        guard !scanner.isAtEnd else {
            daylight = nil
            return
        }
        try scanner.skipName()
        let offset = scanner.isNext(",") ? standard + 3600 : -(try scanner.seconds(hoursMax: 24))
        let start = try scanner.moment()
        let end = try scanner.moment()
        guard scanner.isAtEnd else { throw scanner.invalid }
        daylight = Daylight(offsetSeconds: offset, start: start, end: end)
    }

    private struct Scanner: ~Escapable {
        let text: RawSpan
        var offset = 0

        @_lifetime(copy text)
        init(_ text: RawSpan) { self.text = text }

        var isAtEnd: Bool { offset == text.byteCount }
        var invalid: DecodeError { .invalid(what: "TZ string", offset: offset) }
        var next: UInt8? { isAtEnd ? nil : text.uncheckedByte(offset) }

        func isNext(_ character: Unicode.Scalar) -> Bool { next == UInt8(ascii: character) }

        mutating func accepts(_ character: Unicode.Scalar) -> Bool {
            guard isNext(character) else { return false }
            offset += 1
            return true
        }

        mutating func expect(_ character: Unicode.Scalar) throws(DecodeError) {
            guard accepts(character) else { throw invalid }
        }

        mutating func skipName() throws(DecodeError) {
            if accepts("<") {
                while let byte = next, byte != UInt8(ascii: ">") { offset += 1 }
                return try expect(">")
            }
            let start = offset
            while let byte = next, (byte | 0x20) &- UInt8(ascii: "a") < 26 { offset += 1 }
            guard offset > start else { throw invalid }
        }

        mutating func number(_ range: ClosedRange<Int>) throws(DecodeError) -> Int {
            var value = 0
            let start = offset
            while let byte = next, byte &- UInt8(ascii: "0") < 10, offset - start < 4 {
                value = value * 10 + Int(byte - UInt8(ascii: "0"))
                offset += 1
            }
            guard offset > start, range.contains(value) else { throw invalid }
            return value
        }

        /// `[+-]hh[:mm[:ss]]`.
        mutating func seconds(hoursMax: Int) throws(DecodeError) -> Int {
            let sign = accepts("-") ? -1 : 1
            if sign == 1 { _ = accepts("+") }
            var total = try number(0...hoursMax) * 3600
            if accepts(":") {
                total += try number(0...59) * 60
                if accepts(":") { total += try number(0...59) }
            }
            return sign * total
        }

        /// `,date[/time]`.
        mutating func moment() throws(DecodeError) -> YearlyMoment {
            try expect(",")
            let day: YearlyMoment.Day
            if accepts("J") {
                day = .julian(try number(1...365))
            } else if accepts("M") {
                let month = try number(1...12)
                try expect(".")
                let week = try number(1...5)
                try expect(".")
                day = .weekday(month: month, week: week, weekday: try number(0...6))
            } else {
                day = .ordinal(try number(0...365))
            }
            return YearlyMoment(day: day, seconds: accepts("/") ? try seconds(hoursMax: 167) : 7200)
        }
    }
}
