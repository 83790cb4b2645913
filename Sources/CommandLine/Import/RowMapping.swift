import Events

/// What a column, or a member of a JSON object, is in an event.
enum ColumnRole: Equatable {
    case identity(Identity)
    case timestamp
    case value(EventValue.Scope, name: String, ValueKind)
    /// A JSON object whose members are values.
    case scope(EventValue.Scope)
    case ignored

    enum Identity: String, CaseIterable {
        case type, user, anonymous, session, group, eventID
    }
}

/// What kind of value a text stands for.
enum ValueKind: String, CaseIterable {
    /// Inferred, value by value.
    case auto
    case string, int, float, bool, json
}

/// Which column is what: by the options, else by well-known names, else a property of the column's own name.
struct RowMapping: Equatable {
    /// One `--property name[:type]=column`.
    struct NamedValue: Equatable {
        let scope: EventValue.Scope
        let name: String
        let kind: ValueKind
        let column: String

        /// - Returns: nil unless `text` is `name[:type]=column` or `column[:type]`.
        init?(_ scope: EventValue.Scope, _ text: String) {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let left = parts[0].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard let kind = left.count == 2 ? ValueKind(rawValue: String(left[1])) : .auto, !left[0].isEmpty else {
                return nil
            }
            self.scope = scope
            self.name = String(left[0])
            self.kind = kind
            column = parts.count == 2 ? String(parts[1]) : name
            if column.isEmpty { return nil }
        }
    }

    /// Columns named by options.
    var identityColumns: [ColumnRole.Identity: String] = [:]
    var timestampColumn: String?
    /// If there are any, no other column becomes a value.
    var namedValues: [NamedValue] = []
    /// Kind of the values that are not named.
    var defaultKind = ValueKind.auto

    /// Names that many exports use, the best first.
    private static let knownIdentities: [(ColumnRole.Identity, [String])] = [
        (.type, ["event_type", "event", "event_name", "type"]),
        (.user, ["user_id", "distinct_id", "user"]),
        (.anonymous, ["anonymous_id"]),
        (.session, ["session_id", "session"]),
        (.group, ["group_key", "group_id"]),
        (.eventID, ["event_id", "insert_id", "$insert_id"]),
    ]
    private static let knownTimestamps = ["timestamp", "time", "event_time", "ts"]
    private static let scopeNames: [String: EventValue.Scope] = [
        "properties": .property, "device": .device, "location": .location, "context": .context, "traits": .trait,
    ]

    /// The roles of columns of these names, in their order. O(names²).
    func roles(_ names: [String]) -> [ColumnRole] {
        var roles = [ColumnRole?](repeating: nil, count: names.count)
        func give(_ role: ColumnRole, to name: String?) {
            guard let name, let index = names.firstIndex(of: name), roles[index] == nil else { return }
            roles[index] = role
        }
        for (identity, known) in Self.knownIdentities {
            let free = known.first { name in names.contains(name) && !isNamed(name) }
            give(.identity(identity), to: identityColumns[identity] ?? free)
        }
        let free = Self.knownTimestamps.first { names.contains($0) && !isNamed($0) }
        give(.timestamp, to: timestampColumn ?? free)
        return zip(names, roles).map { name, role in role ?? valueRole(name) }
    }

    /// Names of options that fit no column.
    func missing(in names: [String]) -> [String] {
        let wanted = Array(identityColumns.values) + [timestampColumn].compactMap(\.self) + namedValues.map(\.column)
        return wanted.filter { !names.contains($0) }.sorted()
    }

    private func isNamed(_ column: String) -> Bool { namedValues.contains { $0.column == column } }

    private func valueRole(_ column: String) -> ColumnRole {
        if let named = namedValues.first(where: { $0.column == column }) {
            return .value(named.scope, name: named.name, named.kind)
        }
        guard namedValues.isEmpty else { return .ignored }
        if let scope = Self.scopeNames[column] { return .scope(scope) }
        if let dot = column.firstIndex(of: "."), let scope = Self.scopeNames[String(column[..<dot])] {
            let name = String(column[column.index(after: dot)...])
            if !name.isEmpty { return .value(scope, name: name, defaultKind) }
        }
        return .value(.property, name: column, defaultKind)
    }
}
