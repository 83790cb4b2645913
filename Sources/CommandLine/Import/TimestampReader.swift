import Zones

/// Reads points in time as exports write them.
struct TimestampReader {
    enum Unit: String, CaseIterable {
        /// By the size of the number: seconds until the year 5138, milliseconds, microseconds.
        case auto
        case s, ms, us
    }

    var unit = Unit.auto
    /// Of times that name no offset.
    var zone = Zone.utc

    /// - Returns: µs since 1970-01-01 UTC, of a date its first instant; nil if `text` is no number and no ISO 8601.
    func micros(_ text: String) -> Int64? {
        let trimmed = text.utf8.first == UInt8(ascii: " ") || text.utf8.last == UInt8(ascii: " ")
            ? String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) : text
        if let number = Int64(trimmed) { return micros(number) }
        switch ISO8601.moment(trimmed, in: zone) {
        case .date(let date): return zone.startOfDay(date)
        case .instant(let micros): return micros
        case nil: return decimal(trimmed)
        }
    }

    /// - Returns: nil if it overflows or is beyond the size of any unit.
    func micros(_ number: Int64) -> Int64? {
        let factor: Int64
        switch (unit, number.magnitude) {
        case (.s, _), (.auto, ..<100_000_000_000): factor = 1_000_000
        case (.ms, _), (.auto, ..<100_000_000_000_000): factor = 1000
        case (.us, _), (.auto, ..<100_000_000_000_000_000): factor = 1
        case (.auto, _): return nil
        }
        let (micros, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : micros
    }

    /// A number with a fraction, such as the seconds of Python's `time.time()`; exact, not by way of a double.
    private func decimal(_ text: String) -> Int64? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let whole = Int64(parts[0]), !parts[1].isEmpty, !parts[0].hasPrefix("+"),
            parts[1].utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let base = micros(whole), let next = micros(whole == .max ? whole - 1 : whole + 1)
        else { return nil }
        let unitMicros = (next - base).magnitude
        let digits = parts[1].prefix(6)
        guard let fraction = Int64(digits + String(repeating: "0", count: 6 - digits.count)) else { return nil }
        let part = fraction * Int64(clamping: unitMicros) / 1_000_000
        let (sum, overflow) = parts[0].hasPrefix("-")
            ? base.subtractingReportingOverflow(part) : base.addingReportingOverflow(part)
        return overflow ? nil : sum
    }
}
