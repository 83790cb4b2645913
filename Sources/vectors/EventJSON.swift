import Events
import JSON

extension Event {
    /// The event as the vectors tell it: absent fields are left out, values carry their type by name, JSON as text.
    var json: JSONValue {
        var object = JSONObject()
        object["type"] = .string(type)
        object["timestamp_micros"] = .integer(timestampMicros)
        object["user_id"] = userID.map { .string($0) }
        object["anonymous_id"] = anonymousID.map { .string($0) }
        object["session_id"] = sessionID.map { .string($0) }
        object["group_key"] = groupKey.map { .string($0) }
        if isServerSide { object["server_side"] = true }
        if consent != .unknown { object["consent"] = .string("\(consent)") }
        object["event_id"] = eventID.map { .string($0.description) }
        if !values.isEmpty { object["values"] = .array(values.map(\.json)) }
        return .object(object)
    }
}

extension EventValue {
    fileprivate var json: JSONValue {
        let typed: (type: String, value: JSONValue) =
            switch value {
            case .bool(let bool): ("bool", .bool(bool))
            case .int64(let number): ("int64", .integer(number))
            case .float64(let number): ("float64", .number(number))
            case .string(let text): ("string", .string(text))
            case .json(let text): ("json", .string(text))
            }
        return .object(
            JSONObject([
                JSONObject.Member("scope", .string("\(scope)")),
                JSONObject.Member("name", .string(name)),
                JSONObject.Member("type", .string(typed.type)),
                JSONObject.Member("value", typed.value),
            ]))
    }
}
