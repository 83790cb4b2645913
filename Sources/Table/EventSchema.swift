import Bytes
import Events
import Parquet

/// The columns of the root table: protocol/table.md §2 and §3.
package enum EventSchema {
    /// The columns every table has, in order.
    package enum Fixed: Int, CaseIterable, Sendable {
        case userKey, timestamp, position, eventType, eventID, userID, anonymousID, sessionID, groupKey, consent
        case serverSide, originalTimestamp, receivedAt, source, sequence

        package var name: String {
            switch self {
            case .userKey: "user_key"
            case .timestamp: "timestamp"
            case .position: "position"
            case .eventType: "event_type"
            case .eventID: "event_id"
            case .userID: "user_id"
            case .anonymousID: "anonymous_id"
            case .sessionID: "session_id"
            case .groupKey: "group_key"
            case .consent: "consent"
            case .serverSide: "server_side"
            case .originalTimestamp: "original_timestamp"
            case .receivedAt: "received_at"
            case .source: "source"
            case .sequence: "sequence"
            }
        }

        var type: ParquetType {
            switch self {
            case .userKey, .position, .sequence: .int64
            case .timestamp, .originalTimestamp, .receivedAt: .timestampMicros
            case .eventType, .userID, .anonymousID, .sessionID, .groupKey, .source: .string
            case .eventID: .fixed(16)
            case .consent: .int32
            case .serverSide: .bool
            }
        }

        var isOptional: Bool { rawValue > Fixed.eventType.rawValue }
    }

    /// A property, device or location value that has a column of its own.
    package struct Promoted: Sendable, Equatable {
        package let scope: EventValue.Scope
        package let name: String
        let type: ParquetType
        package var columnName: String { scope.columnPrefix + "_" + name }
    }

    package static let promoted: [Promoted] =
        [
            "url", "referrer", "page_name", "element_id", "element_type", "element_text", "feature_name",
            "feature_version", "purchase_id", "currency", "error_type", "error_message", "stack_trace", "form_name",
        ].map { Promoted(scope: .property, name: $0, type: .string) }
        + [Promoted(scope: .property, name: "amount", type: .double)]
        + ["type", "os", "browser", "screen_resolution"].map { Promoted(scope: .device, name: $0, type: .string) }
        + ["country", "region", "city"].map { Promoted(scope: .location, name: $0, type: .string) }

    /// The scopes' JSON columns, then the one for what this version does not know.
    package static let jsonScopes: [EventValue.Scope] = [.property, .device, .location, .context, .trait]
    static let extraColumn = "_extra_json"

    /// The column that holds a value by its path, and what is left to look up in it.
    package static func jsonColumn(_ scope: EventValue.Scope) -> String { "_" + scope.columnPrefix + "_json" }

    static let parquet = ParquetSchema(
        Fixed.allCases.map { ParquetColumn($0.name, $0.type, isOptional: $0.isOptional) }
            + promoted.map { ParquetColumn($0.columnName, $0.type, isOptional: true) }
            + jsonScopes.map { ParquetColumn(jsonColumn($0), .string, isOptional: true) }
            + [ParquetColumn(extraColumn, .string, isOptional: true)])

    /// The index of the column that values of this scope and name are promoted to, if their type fits. O(name).
    static func promotedIndex(_ scope: EventValue.Scope, _ name: RawSpan) -> Int? {
        promotedIndexes[[scope.rawValue] + name.copy()]
    }

    /// By scope and name.
    private static let promotedIndexes = Dictionary(
        uniqueKeysWithValues: promoted.enumerated().map { index, promoted in
            ([promoted.scope.rawValue] + promoted.name.utf8, firstPromoted + index)
        })

    static let firstPromoted = Fixed.allCases.count
    static let firstJSON = firstPromoted + promoted.count
    static let extraIndex = firstJSON + jsonScopes.count
}

extension EventValue.Scope {
    package var columnPrefix: String {
        switch self {
        case .property: "properties"
        case .device: "device"
        case .location: "location"
        case .context: "context"
        case .trait: "traits"
        }
    }
}
