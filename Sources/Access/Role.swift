/// What a token may do.
package enum Role: String, Sendable, CaseIterable {
    /// Sends events to one project.
    case ingest
    /// Sends events to several projects, on behalf of others.
    case relay
    /// Everything, in every project.
    case admin
    /// Asks questions about its projects.
    case read
    /// Asks, and changes what is stored beside the events: dashboards, descriptions, shares.
    case write

    /// Whether this role may do what `other` may: admin ⊃ write ⊃ read; what sends events asks nothing.
    package func includes(_ other: Role) -> Bool {
        switch self {
        case .admin: true
        case .write: other == .write || other == .read
        case .ingest, .relay, .read: other == self
        }
    }

    /// How many projects a token of this role names.
    package var projectCounts: ClosedRange<Int> {
        switch self {
        case .ingest: 1...1
        case .relay: 0...Int.max
        case .admin: 0...0
        case .read, .write: 1...Int.max
        }
    }
}
