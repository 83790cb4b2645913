import Events
import JSON
import Zones

@testable import Query

// One person at a time, and one event at a time.
extension NaiveQuery {
    private static func json(_ value: EventValue.Value) -> JSONValue {
        switch value {
        case .bool(let bool): return .bool(bool)
        case .int64(let integer): return .integer(integer)
        case .float64(let number): return number == number.rounded() ? .integer(Int64(number)) : .number(number)
        case .string(let text): return .string(text)
        case .json(let text): return (try? JSONValue(parsing: text)) ?? "not JSON"
        }
    }

    /// By name.
    static func members(_ event: Event, _ scope: EventValue.Scope) -> JSONValue {
        let own = event.values.filter { $0.scope == scope }.sorted { $0.name < $1.name }
        return .object(JSONObject(own.map { JSONObject.Member($0.name, json($0.value)) }))
    }

    /// Which events are of the person of that id.
    func events(of id: String) -> Set<Int> {
        Set(events.indices.filter { (events[$0].userID ?? events[$0].anonymousID) == id })
    }

    private func time(_ micros: Int64?) -> JSONValue { micros.map { .string(ISO8601.format(micros: $0)) } ?? nil }

    func user(_ question: Question, _ id: String) -> JSONValue {
        let calendar = NaiveCalendar(question.zone, question.weekStart)
        let own = events(of: id)
        let active = activity(question).filter(own.contains).map { events[$0] }
        let told = events.indices.filter { index in
            own.contains(index) && question.range.contains(events[index].timestampMicros)
                && passes(question.filter, events[index])
        }.sorted { (events[$0].timestampMicros, $0) < (events[$1].timestampMicros, $1) }.map { events[$0] }
        var traits: [String: JSONValue] = [:]
        for event in told where event.type != "$group" {
            for member in Self.members(event, .trait).asObject!.members where member.value != .null {
                traits[member.name] = member.value
            }
        }
        func latest(_ scope: EventValue.Scope) -> JSONValue {
            told.map { Self.members($0, scope) }.last { $0 != [:] } ?? [:]
        }
        var features: [String: Int] = [:]
        for event in active where event.type == "feature_used" {
            let name = value(.value(.property, Array("feature_name".utf8)), of: event)
            features[name.map { $0.json.asString ?? $0.json.description } ?? "unknown", default: 0] += 1
        }
        let times = active.map(\.timestampMicros)
        return [
            "user_id": .string(id), "total_events": .integer(Int64(active.count)),
            "unique_days": .integer(Int64(Set(times.map { calendar.bucket($0, .day).start }).count)),
            "session_count": .integer(Int64(sessionCount(active))), "feature_usage": Self.counts(features),
            "page_views": .integer(Int64(active.count { $0.type == "page_view" })),
            "clicks": .integer(Int64(active.count { $0.type == "click" })),
            "purchases": .integer(Int64(active.count { $0.type == "purchase" })),
            "first_seen": time(times.min()), "last_seen": time(times.max()),
            "events_by_type": Self.counts(Dictionary(grouping: active, by: \.type).mapValues(\.count)),
            "traits": .object(JSONObject(traits.sorted { $0.key < $1.key }.map { .init($0.key, $0.value) })),
            "device": latest(.device), "location": latest(.location),
        ]
    }

    /// Half an hour after each event that has no session, the next one begins a new one.
    private func sessionCount(_ active: [Event]) -> Int {
        let given = Set(active.compactMap(\.sessionID))
        let loose = active.filter { $0.sessionID == nil && !$0.isServerSide }.map(\.timestampMicros)
        let halfHour: Int64 = 1_800_000_000
        let starts = Set(loose.filter { time in !loose.contains { $0 < time && time - $0 <= halfHour } })
        return given.count + starts.count
    }

    private static func counts(_ counts: [String: Int]) -> JSONValue {
        let sorted = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        return .object(JSONObject(sorted.map { JSONObject.Member($0.key, .integer(Int64($0.value))) }))
    }

    func adoption(_ question: Question, _ type: String, _ field: Field, _ name: Value) -> JSONValue {
        let calendar = NaiveCalendar(question.zone, question.weekStart)
        let typeTest = Predicate.test(.eventType, .isIn([.text(Array(type.utf8))]))
        let uses = activity(.all([question.filter, typeTest]), in: question.range).map { events[$0] }
            .filter { value(field, of: $0) == name }
        let users = Set(uses.compactMap(Self.person)).count
        let all = Predicate.all([question.filter, .any([.everything, typeTest])])
        let everybody = Set(activity(all, in: question.range).compactMap { Self.person(events[$0]) }).count
        let days = Dictionary(grouping: uses) { calendar.date($0.timestampMicros).description }
        return [
            "feature_name": name.json, "unique_users": .integer(Int64(users)),
            "total_users": .integer(Int64(everybody)),
            "adoption_rate": .number(everybody == 0 ? 0 : Double(users) / Double(everybody)),
            "usage_count": .integer(Int64(uses.count)),
            "daily_usage": .object(
                JSONObject(days.sorted { $0.key < $1.key }.map { .init($0.key, .integer(Int64($0.value.count))) })),
        ]
    }
}
