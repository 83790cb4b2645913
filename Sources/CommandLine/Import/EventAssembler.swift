import Bytes
import Crypto
import Events
import JSON

/// Makes an event of one row by the roles of its fields.
struct EventAssembler {
    enum Field {
        case text(String)
        case json(JSONValue)

        /// As an id; nil for none.
        var identifier: String? {
            switch self {
            case .text(let text): text.isEmpty ? nil : text
            case .json(.null): nil
            case .json(.string(let text)): text.isEmpty ? nil : text
            case .json(let json): json.description
            }
        }
    }

    var timestamps = TimestampReader()
    /// Of rows that name none.
    var defaultType: String?

    /// - Parameters:
    ///   - names: of the columns, for messages.
    ///   - roles: as many as `names` and `fields`.
    func event(_ names: [String], _ roles: [ColumnRole], _ fields: [Field]) throws(RowError) -> Event {
        var event = Event(type: defaultType ?? "", timestampMicros: 0)
        var hasTimestamp = false
        for (index, field) in fields.enumerated() {
            switch roles[index] {
            case .ignored: break
            case .identity(let identity):
                if let text = field.identifier { set(identity, text, in: &event) }
            case .timestamp:
                guard let micros = try micros(field) else { break }
                event.timestampMicros = micros
                hasTimestamp = true
            case .scope(let scope): try addMembers(of: field, names[index], scope, to: &event)
            case .value(let scope, let name, let kind):
                let value: EventValue.Value?
                switch field {
                case .text(let text): value = try ValueReader.value(text, kind, column: names[index])
                case .json(let json): value = try ValueReader.value(json, kind, column: names[index])
                }
                if let value { event.values.append(EventValue(scope, name, value)) }
            }
        }
        guard !event.type.isEmpty else { throw .noType }
        guard hasTimestamp else { throw .noTimestamp }
        return event
    }

    private func set(_ identity: ColumnRole.Identity, _ text: String, in event: inout Event) {
        switch identity {
        case .type: event.type = text
        case .user: event.userID = text
        case .anonymous: event.anonymousID = text
        case .session: event.sessionID = text
        case .group: event.groupKey = text
        case .eventID: event.eventID = ImportIDs.id(given: text)
        }
    }

    private func micros(_ field: Field) throws(RowError) -> Int64? {
        guard let text = field.identifier else { return nil }
        guard let micros = timestamps.micros(text) else { throw .timestamp(text) }
        return micros
    }

    /// A CSV field in the role of a scope holds the object as JSON text.
    private func addMembers(
        of field: Field, _ column: String, _ scope: EventValue.Scope, to event: inout Event
    ) throws(RowError) {
        let json: JSONValue
        switch field {
        case .json(let value): json = value
        case .text(let text):
            if text.isEmpty { return }
            do { json = try JSONValue(parsing: text) } catch { throw .notJSON(error) }
        }
        if case .null = json { return }
        guard let object = json.asObject else {
            throw .value(column: column, expected: "a JSON object", found: json.description)
        }
        for member in object.members {
            guard let value = try ValueReader.value(member.value, .auto, column: column + "." + member.name) else {
                continue
            }
            event.values.append(EventValue(scope, member.name, value))
        }
    }
}

/// Ids by content, so that importing a file again, or an edited one, stores only what is new.
///
/// An id is the first 16 bytes of SHA-256 over the event as mapped and how often the same was seen in this import
/// before: the n-th exact repeat of a row always gets the n-th id. About 50 bytes of memory a distinct row.
struct ImportIDs {
    private var seen: [EventID: UInt64] = [:]

    /// O(bytes of the event).
    mutating func id(for event: Event) -> EventID {
        var writer = ByteWriter(capacity: 256)
        Self.appendContent(of: event, to: &writer)
        let contentBytes = writer.count
        writer.append(fixed: UInt64(0))
        let first = Self.digest(writer.bytes)
        let occurrence = seen[first, default: 0]
        seen[first] = occurrence + 1
        guard occurrence > 0 else { return first }
        writer.patch(at: contentBytes, fixed: occurrence)
        return Self.digest(writer.bytes)
    }

    /// The id that a row names itself: our own form and UUIDs as they are, any other text by its SHA-256.
    static func id(given text: String) -> EventID {
        if let id = EventID(text) { return id }
        let digits = text.filter { $0 != "-" }
        if digits.utf8.count == 32, let id = EventID("evt_" + digits.lowercased()) { return id }
        return digest(Array("id:".utf8) + Array(text.utf8))
    }

    private static func digest(_ bytes: [UInt8]) -> EventID {
        guard let id = EventID(bytes: Array(SHA256.hash(bytes)[0..<EventID.byteCount])) else {
            preconditionFailure("an id is sixteen bytes")
        }
        return id
    }

    /// The same bytes for the same event, in whatever order its values stand.
    private static func appendContent(of event: Event, to writer: inout ByteWriter) {
        append(event.type, to: &writer)
        writer.append(fixed: event.timestampMicros)
        for text in [event.userID, event.anonymousID, event.sessionID, event.groupKey] {
            writer.append(text == nil ? 0 : 1)
            append(text ?? "", to: &writer)
        }
        let values = event.values.sorted { ($0.scope.rawValue, $0.name) < ($1.scope.rawValue, $1.name) }
        writer.append(count: values.count)
        for value in values {
            writer.append(value.scope.rawValue)
            append(value.name, to: &writer)
            switch value.value {
            case .bool(let bool):
                writer.append(ValueType.bool.rawValue)
                writer.append(bool ? 1 : 0)
            case .int64(let number):
                writer.append(ValueType.int64.rawValue)
                writer.append(fixed: number)
            case .float64(let number):
                writer.append(ValueType.float64.rawValue)
                writer.append(fixed: number.bitPattern)
            case .string(let text):
                writer.append(ValueType.string.rawValue)
                append(text, to: &writer)
            case .json(let text):
                writer.append(ValueType.json.rawValue)
                append(text, to: &writer)
            }
        }
    }

    private static func append(_ text: String, to writer: inout ByteWriter) {
        writer.append(count: text.utf8.count)
        writer.append(utf8: text)
    }
}
