import Bytes

/// Dates and instants as text: the profile of RFC 3339, and local times without an offset.
package enum ISO8601 {
    package enum Moment: Sendable, Equatable {
        case date(CivilDate)
        /// Microseconds since the epoch.
        case instant(Int64)
    }

    /// Reads `YYYY-MM-DD` or, after a `T` or a space, `HH:MM[:SS[.fraction]]` and `Z`, `±HH:MM` or `±HH`.
    ///
    /// Without an offset it is a time on the clocks of `zone`: the first of two instants, or the first after a skipped
    /// time. Digits past microseconds are dropped; second 60 is the next minute's first.
    /// - Returns: nil for anything else.
    package static func moment(_ text: String, in zone: Zone) -> Moment? {
        let bytes = Array(text.utf8)
        var scanner = Scanner(bytes.rawSpan)
        guard let date = scanner.date() else { return nil }
        if scanner.isAtEnd { return .date(date) }
        guard scanner.accepts("T") || scanner.accepts("t") || scanner.accepts(" "), let time = scanner.time() else {
            return nil
        }
        if scanner.isAtEnd {
            return .instant(zone.micros(day: date, secondOfDay: time.secondOfDay, micros: time.micros))
        }
        guard let offset = scanner.offsetSeconds(), scanner.isAtEnd else { return nil }
        let seconds = date.daysSinceEpoch * 86_400 + time.secondOfDay - offset
        // Years have four digits, so nothing can overflow.
        return .instant(Int64(seconds) * 1_000_000 + Int64(time.micros))
    }

    /// Reads `YYYY-MM-DD`.
    package static func date(_ text: String) -> CivilDate? {
        guard case .date(let date)? = moment(text, in: .utc) else { return nil }
        return date
    }

    /// `2024-03-01T00:00:00.000000Z`, or with the zone's offset: `2024-03-01T01:00:00.000000+01:00`.
    package static func format(micros: Int64, zone: Zone = .utc) -> String {
        let offset = zone.offsetSeconds(atUTCMicros: micros)
        let local = Int(micros.flooredQuotient(1_000_000)) + offset
        let date = CivilDate(daysSinceEpoch: local.flooredQuotient(86_400))
        let second = local.flooredRemainder(86_400)
        let time = [second / 3600, second / 60 % 60, second % 60].map { padded($0, 2) }.joined(separator: ":")
        let fraction = padded(Int(micros.flooredRemainder(1_000_000)), 6)
        return "\(date)T\(time).\(fraction)" + (zone == .utc ? "Z" : text(offsetSeconds: offset))
    }

    private static func text(offsetSeconds: Int) -> String {
        let magnitude = abs(offsetSeconds)
        // Local mean times before standard time are not whole minutes.
        let parts = [magnitude / 3600, magnitude / 60 % 60] + (magnitude % 60 == 0 ? [] : [magnitude % 60])
        return (offsetSeconds < 0 ? "-" : "+") + parts.map { padded($0, 2) }.joined(separator: ":")
    }

    fileprivate static func padded(_ number: Int, _ digitCount: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, digitCount - digits.utf8.count)) + digits
    }

    private struct Scanner: ~Escapable {
        let text: RawSpan
        var offset = 0

        @_lifetime(copy text)
        init(_ text: RawSpan) { self.text = text }

        var isAtEnd: Bool { offset == text.byteCount }

        mutating func accepts(_ character: Unicode.Scalar) -> Bool {
            guard !isAtEnd, text.uncheckedByte(offset) == UInt8(ascii: character) else { return false }
            offset += 1
            return true
        }

        mutating func digit() -> Int? {
            guard !isAtEnd else { return nil }
            let digit = text.uncheckedByte(offset) &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            offset += 1
            return Int(digit)
        }

        /// Exactly `digitCount` digits.
        mutating func number(_ digitCount: Int, in range: ClosedRange<Int>) -> Int? {
            var value = 0
            for _ in 0..<digitCount {
                guard let digit = digit() else { return nil }
                value = value * 10 + digit
            }
            return range.contains(value) ? value : nil
        }

        mutating func date() -> CivilDate? {
            guard let year = number(4, in: 0...9999), accepts("-"), let month = number(2, in: 1...12), accepts("-"),
                let day = number(2, in: 1...31)
            else { return nil }
            return CivilDate(year: year, month: month, day: day)
        }

        mutating func time() -> (secondOfDay: Int, micros: Int)? {
            guard let hour = number(2, in: 0...23), accepts(":"), let minute = number(2, in: 0...59) else { return nil }
            let secondOfDay = hour * 3600 + minute * 60
            guard accepts(":") else { return (secondOfDay, 0) }
            guard let second = number(2, in: 0...60) else { return nil }
            guard accepts(".") || accepts(",") else { return (secondOfDay + second, 0) }
            guard var micros = digit() else { return nil }
            for _ in 0..<5 { micros = micros * 10 + (digit() ?? 0) }
            while digit() != nil {}
            return (secondOfDay + second, micros)
        }

        mutating func offsetSeconds() -> Int? {
            if accepts("Z") || accepts("z") { return 0 }
            let sign = accepts("-") ? -1 : 1
            guard sign == -1 || accepts("+"), let hours = number(2, in: 0...23) else { return nil }
            if isAtEnd { return sign * hours * 3600 }
            _ = accepts(":")
            guard let minutes = number(2, in: 0...59) else { return nil }
            let seconds = accepts(":") ? number(2, in: 0...59) : 0
            return seconds.map { sign * (hours * 3600 + minutes * 60 + $0) }
        }
    }
}

extension CivilDate: CustomStringConvertible {
    /// `YYYY-MM-DD`.
    package var description: String {
        [ISO8601.padded(year, 4), ISO8601.padded(month, 2), ISO8601.padded(day, 2)].joined(separator: "-")
    }
}
