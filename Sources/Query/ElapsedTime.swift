import JSON

/// Lengths of time as questions write them: elapsed time, not calendar days.
enum ElapsedTime {
    static let microsMax: Int64 = 3660 * 86_400_000_000
    static let units: [(names: [String], micros: Int64)] = [
        (["s", "second", "seconds"], 1_000_000), (["m", "min", "minute", "minutes"], 60_000_000),
        (["h", "hour", "hours"], 3_600_000_000), (["d", "day", "days"], 86_400_000_000),
        (["w", "week", "weeks"], 604_800_000_000),
    ]
    static let forms = ["\"7d\"", "\"12_hours\"", "{\"days\": 7}"]
}

extension ObjectReader {
    /// A length of time in µs, `"7d"`, `"12_hours"` or `{"days": 7}`; nil where it is missing.
    func elapsedMicros(_ name: String) throws(QueryError) -> Int64? {
        guard let value = self[name] else { return nil }
        let path = path(of: name)
        let error = QueryError.invalid(
            path: path, reason: "a time of more than 0 and at most 3660 days is expected", allowed: ElapsedTime.forms)
        let count: Int64?
        let unit: String
        if let text = value.asString {
            let digits = text.prefix { $0.isASCII && $0.isNumber }
            count = Int64(digits)
            unit = String(text.dropFirst(digits.count).drop { $0 == "_" || $0 == " " })
        } else if let object = value.asObject, object.members.count == 1 {
            (unit, count) = (object.members[0].name, object.members[0].value.asInteger)
        } else {
            throw error
        }
        guard let known = ElapsedTime.units.first(where: { $0.names.contains(unit) }) else {
            throw .unknown("unit", unit, path: path, allowed: ElapsedTime.units.flatMap(\.names))
        }
        guard let count, count > 0, count <= ElapsedTime.microsMax / known.micros else { throw error }
        return count * known.micros
    }
}
