import Bytes
import Events
import JSON
import Table
import Zones

/// Reads whole events of a chunk, as answers show them.
struct EventReader {
    static let columns = [
        "event_id", "event_type", "user_id", "anonymous_id", "session_id", "group_key", "timestamp", "received_at",
        "properties", "device", "location", "context", "traits", "position",
    ]
    /// The columns that hold texts as they are, in order, between `event_id` and `timestamp`.
    private static let texts: [EventSchema.Fixed] = [.eventType, .userID, .anonymousID, .sessionID, .groupKey]

    /// The values of one scope: columns of their own, then the JSON of the rest.
    struct ScopeReader {
        private let promoted: [(name: String, values: ColumnValues)]
        private let rest: StringColumn?

        init(_ view: ChunkView, _ scope: EventValue.Scope) throws {
            promoted = try EventSchema.promoted.filter { $0.scope == scope }.compactMap { column in
                try view.values(column.columnName).map { (column.name, $0) }
            }
            if case .strings(let column)? = try view.values(EventSchema.jsonColumn(scope)) {
                rest = column
            } else {
                rest = nil
            }
        }

        /// The values of a row, each with its JSON type; null is one. A value that has a column of its own comes first.
        func members(_ row: Int) -> [JSONObject.Member] {
            var members = promoted.compactMap { column in
                column.values.value(row).map { JSONObject.Member(column.name, $0.json) }
            }
            guard let rest, rest.codes[row] != StringColumn.null else { return members }
            let ownNames = Set(members.map { Array($0.name.utf8) })
            let text = rest.dictionary.span(Int(rest.codes[row]))
            JSONScanner.forEachMember(
                of: text,
                named: { name, value in
                    guard !ownNames.contains(name) else { return }
                    let json = Value(json: text.extracting(value))?.json ?? .null
                    members.append(JSONObject.Member(String(decoding: name, as: UTF8.self), json))
                })
            return members
        }
    }

    private let ids: EventIDs
    private let texts: [ColumnValues?]
    private let timestamps: [Int64]
    private let positions: [Int64]
    private let received: ColumnValues?
    private let scopes: [ScopeReader]

    init(_ view: ChunkView) throws {
        ids = try EventIDs(view)
        texts = try Self.texts.map { try view.values($0.name) }
        timestamps = try view.integers(.timestamp)
        positions = try view.integers(.position)
        received = try view.values(EventSchema.Fixed.receivedAt.name)
        scopes = try EventSchema.jsonScopes.map { try ScopeReader(view, $0) }
    }

    /// The values of `columns`.
    func event(_ row: Int) -> [JSONValue] {
        var event: [JSONValue] = [ids.value(row)?.json ?? .null]
        event += texts.map { $0?.value(row)?.json ?? .null }
        event.append(.string(ISO8601.format(micros: timestamps[row])))
        if case .integer(let micros)? = received?.value(row) {
            event.append(.string(ISO8601.format(micros: micros)))
        } else {
            event.append(.null)
        }
        event += scopes.map { .object(JSONObject($0.members(row))) }
        event.append(.integer(positions[row]))
        return event
    }
}

extension JSONScanner {
    /// Calls `body` with the name of each top-level member, escapes resolved, and the range of its value.
    static func forEachMember(of text: RawSpan, named body: (_ name: [UInt8], _ value: Range<Int>) -> Void) {
        _ = forEachMember(of: text) { range, hasEscapes, value in
            guard hasEscapes else { return body(text.copy(range), value) }
            var name: [UInt8] = []
            appendString(range, of: text, to: &name)
            body(name, value)
        }
    }
}
