import Events
import JSON
import Zones

/// An event as a JSON object of the shape that `import` reads.
enum EventJSON {
    static func value(_ event: Event) -> JSONValue {
        var members: [JSONObject.Member] = []
        func add(_ name: String, _ text: String?) {
            if let text { members.append(.init(name, .string(text))) }
        }
        add("event_id", event.eventID?.description)
        add("event_type", event.type)
        add("timestamp", ISO8601.format(micros: event.timestampMicros))
        add("user_id", event.userID)
        add("anonymous_id", event.anonymousID)
        add("session_id", event.sessionID)
        add("group_key", event.groupKey)
        if event.consent != .unknown { add("consent", "\(event.consent)") }
        if event.isServerSide { members.append(.init("server_side", true)) }
        let scopes: [(EventValue.Scope, String)] = [
            (.property, "properties"), (.device, "device"), (.location, "location"), (.context, "context"),
            (.trait, "traits"),
        ]
        for (scope, name) in scopes {
            let values = event.values.filter { $0.scope == scope }
            guard !values.isEmpty else { continue }
            members.append(.init(name, .object(JSONObject(values.map { .init($0.name, json($0.value)) }))))
        }
        return .object(JSONObject(members))
    }

    static func json(_ value: EventValue.Value) -> JSONValue {
        switch value {
        case .bool(let bool): .bool(bool)
        case .int64(let number): .integer(number)
        case .float64(let number): .number(number)
        case .string(let text): .string(text)
        case .json(let text):
            // The batch's decoder has checked it; a name twice, which JSON allows, is shown as text.
            (try? JSONValue(parsing: text)) ?? .string(text)
        }
    }
}
