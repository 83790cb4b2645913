import Bytes
import Events
import JSON
import WAL

@testable import Table

/// One event as protocol/table.md says it is stored: slow, row by row, from the event and not from columns.
struct StoredEvent {
    var record: UInt64
    var source: SourceID
    var row: Row

    var position: Int64 { row.integer("position") }
    /// The UTC day of the timestamp.
    var day: Int { Int((Double(row.integer("timestamp")) / 86_400_000_000).rounded(.down)) }
    /// What makes it the same event as another; nil for an event without an explicit id.
    var identity: String? { row["event_id"].map { "\(row.integer("user_key")) \($0)" } }
}

struct EventOracle {
    let project: Project

    func row(_ event: Event, _ shipment: Shipment, index: Int, position: Int64) -> Row {
        var row: Row = [:]
        row["user_key"] = "\(userKey(event))"
        let offset = shipment.clockOffsetMicros
        let isCorrected = abs(offset) > 2_000_000 && !shipment.flags.contains(.isImport)
        row["timestamp"] = "\(event.timestampMicros + (isCorrected ? offset : 0))"
        if isCorrected { row["original_timestamp"] = "\(event.timestampMicros)" }
        row["position"] = "\(position)"
        row["event_type"] = event.type
        row["event_id"] = event.eventID.map { Hex.encode($0.bytes) }
        row["user_id"] = event.userID
        row["anonymous_id"] = event.anonymousID
        row["session_id"] = event.sessionID
        row["group_key"] = event.groupKey
        if event.consent != .unknown { row["consent"] = event.consent == .granted ? "1" : "2" }
        if event.isServerSide { row["server_side"] = "true" }
        row["received_at"] = "\(shipment.receivedMicros)"
        row["source"] = shipment.source.description
        row["sequence"] = "\(shipment.base + UInt64(index))"
        addValues(event.values, to: &row)
        return row
    }

    private func userKey(_ event: Event) -> Int64 {
        if let user = event.userID { return project.userKey(.user, Array(user.utf8).rawSpan) }
        guard let anonymous = event.anonymousID else { return 0 }
        return project.userKey(.anonymous, Array(anonymous.utf8).rawSpan)
    }

    private func addValues(_ values: [EventValue], to row: inout Row) {
        var objects: [String: [JSONObject.Member]] = [:]
        for value in values {
            let scope = ["", "properties", "device", "location", "context", "traits"][Int(value.scope.rawValue)]
            if let cell = promotedCell(scope, value) {
                row[scope + "_" + value.name] = cell
            } else {
                objects["_" + scope + "_json", default: []].append(.init(value.name, json(value.value)))
            }
        }
        for (column, members) in objects { row[column] = JSONValue.object(JSONObject(members)).description }
    }

    private func promotedCell(_ scope: String, _ value: EventValue) -> String? {
        let names = [
            "properties": [
                "url", "referrer", "page_name", "element_id", "element_type", "element_text", "feature_name",
                "feature_version", "purchase_id", "currency", "error_type", "error_message", "stack_trace", "form_name",
            ],
            "device": ["type", "os", "browser", "screen_resolution"], "location": ["country", "region", "city"],
        ]
        switch value.value {
        case .string(let text): return names[scope]?.contains(value.name) == true ? text : nil
        case .float64(let number): return scope == "properties" && value.name == "amount" ? number.cell : nil
        case .int64(let number):
            guard scope == "properties", value.name == "amount", number.magnitude <= 1 << 53 else { return nil }
            return Double(number).cell
        case .bool, .json: return nil
        }
    }

    private func json(_ value: EventValue.Value) -> JSONValue {
        switch value {
        case .bool(let value): .bool(value)
        case .int64(let value): .integer(value)
        case .float64(let value): .number(value)
        case .string(let value): .string(value)
        case .json(let text): (try? JSONValue(parsing: Array(text.utf8))) ?? .string("not JSON: \(text)")
        }
    }

    /// Who stays: in order of position, each unless one that stays has its identity on a day at most one apart.
    static func withoutDuplicates(_ events: [StoredEvent]) -> [StoredEvent] {
        var days: [String: [Int]] = [:]
        return events.sorted { $0.position < $1.position }.filter { event in
            guard let identity = event.identity else { return true }
            if days[identity, default: []].contains(where: { abs($0 - event.day) <= 1 }) { return false }
            days[identity, default: []].append(event.day)
            return true
        }
    }
}
