import JSON
import Zones

/// What answers are kept by.
enum CacheKey {
    /// What only concerns the call, and the dates, which are resolved.
    private static let left = ["project", "date_range", "time_zone", "timeout_ms", "query_id"]
    private static let filterDates = ["start_date", "end_date"]

    /// The question's JSON with its members in order, its dates resolved, and what its warnings are: they are in the
    /// answer. In ASCII: Swift's strings are equal also where their bytes are not, and questions tell these apart.
    static func text(_ question: JSONValue, _ range: TimeRange, _ zone: Zone, _ warnings: [String]) -> String {
        var rest = question.asObject ?? JSONObject()
        for name in left { rest[name] = nil }
        if var filters = rest["filters"]?.asObject {
            for name in filterDates { filters[name] = nil }
            rest["filters"] = filters.members.isEmpty ? nil : .object(filters)
        }
        let key: JSONValue = [
            "question": .object(rest), "from": .integer(range.from), "to": .integer(range.to),
            "time_zone": .string(zone.name), "warnings": .array(warnings.map { .string($0) }),
        ]
        return sorted(key).description.utf8.reduce(into: "") { text, byte in
            // No JSON has a backslash before an x.
            if byte < 0x80 { text.unicodeScalars.append(Unicode.Scalar(byte)) } else { text += "\\x\(byte)," }
        }
    }

    private static func sorted(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let object):
            let members = object.members.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
            return .object(JSONObject(members.map { JSONObject.Member($0.name, sorted($0.value)) }))
        case .array(let elements): return .array(elements.map(sorted))
        case .null, .bool, .integer, .number, .string: return value
        }
    }
}
