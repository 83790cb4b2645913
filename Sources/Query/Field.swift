import Bytes
import Events
import Table

/// What a question names of an event.
package enum Field: Sendable, Hashable {
    /// `user_id`: in filters any id of the person, in metrics and groups the person.
    case person
    case fixed(EventSchema.Fixed)
    /// A value by its scope and the UTF-8 bytes of its name.
    case value(EventValue.Scope, [UInt8])
    /// A name without a scope: properties, then device, location, context.
    case bare([UInt8])

    /// The scopes that a bare name is looked for in, first to last.
    static let bareScopes: [EventValue.Scope] = [.property, .device, .location, .context]
    private static let fixed: [EventSchema.Fixed] = [
        .eventType, .anonymousID, .sessionID, .groupKey, .timestamp, .receivedAt, .eventID, .consent, .serverSide,
        .source, .sequence, .position,
    ]
    static let eventType = Field.fixed(.eventType)
    static let currency = Field.value(.property, Array("currency".utf8))
    static let amount = Field.value(.property, Array("amount".utf8))

    static let allowed =
        ["user_id"] + fixed.map(\.name) + EventValue.Scope.allCases.map { $0.columnPrefix + ".<name>" } + ["<name>"]

    /// - Parameter warnings: told of a bare name that looks like a misspelt column.
    init(parsing text: String, path: String, warnings: inout [String]) throws(QueryError) {
        if text == "user_id" {
            self = .person
        } else if let column = Field.fixed.first(where: { $0.name == text }) {
            self = .fixed(column)
        } else if let dot = text.utf8.firstIndex(of: UInt8(ascii: ".")) {
            let prefix = String(text[..<dot])
            let name = Array(text[text.utf8.index(after: dot)...].utf8)
            let prefixes = EventValue.Scope.allCases.map(\.columnPrefix)
            guard let scope = EventValue.Scope.allCases.first(where: { $0.columnPrefix == prefix }) else {
                throw .unknown("scope", prefix, path: path, allowed: prefixes)
            }
            guard !name.isEmpty else {
                throw .invalid(path: path, reason: "\"\(text)\" names no value", allowed: [prefix + ".<name>"])
            }
            self = .value(scope, name)
        } else if text.isEmpty {
            throw .invalid(path: path, reason: "an empty field name", allowed: Field.allowed)
        } else {
            self = .bare(Array(text.utf8))
            let isPromoted = EventSchema.promoted.contains { $0.scope == .property && $0.name == text }
            if !isPromoted, text.utf8.count > 3,
                let near = nearestName(to: text, in: ["user_id"] + Field.fixed.map(\.name)) {
                warnings.append("\(path): \"\(text)\" is read as a property; the column is \"\(near)\"")
            }
        }
    }

    var isTime: Bool { self == .fixed(.timestamp) || self == .fixed(.receivedAt) }

    /// Whether the field may be the property of that name: itself, or the bare name.
    func isProperty(_ property: Field) -> Bool {
        guard case .value(.property, let name) = property else { return false }
        return self == property || self == .bare(name)
    }
}
