import JSON

/// What documents are about; each kind is a set of names of its own.
package enum DocumentKind: String, Sendable, CaseIterable {
    case dashboard
    /// A saved question.
    case question
    /// What people wrote about an event or a property.
    case description
    /// A link that opens a dashboard without a token.
    case share
    /// Somebody's login.
    case session
    /// A secret of the server's own.
    case key
}

/// The name of a document.
package struct DocumentKey: Sendable, Hashable {
    /// Empty for what belongs to the server and not to a project.
    package let project: String
    package let kind: DocumentKind
    package let id: String

    package init(project: String, kind: DocumentKind, id: String) {
        (self.project, self.kind, self.id) = (project, kind, id)
    }
}

/// One document as it is stored. Times are µs since 1970-01-01 UTC.
package struct Document: Sendable, Equatable {
    package let key: DocumentKey
    package let name: String
    package let body: JSONValue
    /// 1 when it is made, and one more with each write.
    package let version: Int64
    package let createdMicros: Int64
    package let updatedMicros: Int64
}

/// What must be so for a write to happen.
package enum WriteCondition: Sendable, Equatable {
    /// There is no such document yet.
    case isNew
    /// There is one, of any version.
    case exists
    /// There is one of this version.
    case hasVersion(Int64)
    /// Nothing: it is made or replaced.
    case always
}
