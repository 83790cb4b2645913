import Files

/// Why the store did not do what it was asked.
package enum MetadataError: Error, Equatable, Sendable, CustomStringConvertible {
    /// No connection to the database can be had, or it broke: nothing is known of a write that was under way.
    case unreachable(reason: String)
    /// The file is no database, or one of another program; it was not touched.
    case foreignFile(path: String)
    /// The file does not hold together.
    case damaged(path: String, reason: String)
    /// A stored document is not what this module writes.
    case malformedDocument(place: String, reason: String)
    /// A later release has been here.
    case newerSchema(found: Int64, known: Int64)
    /// The database refused a statement.
    case refused(reason: String)
    /// There is such a document already.
    case exists
    /// There is no such document.
    case missing
    /// The document has another version than the writer saw.
    case versionConflict(current: Int64)
    /// A key or a name holds U+0000, which PostgreSQL cannot store.
    case textWithNul

    package var description: String {
        switch self {
        case .unreachable(let reason): "the database of dashboards cannot be reached: \(reason)"
        case .foreignFile(let path): "\(path) is not a database of queryd; move it away or name another data folder"
        case .damaged(let path, let reason): "\(path) is damaged: \(reason)"
        case .malformedDocument(let place, let reason): "\(place) is not to be read: \(reason)"
        case .newerSchema(let found, let known):
            "the database has schema \(found), and this release knows none past \(known)"
        case .refused(let reason): "the database refused a statement: \(reason)"
        case .exists: "there is such a document already"
        case .missing: "there is no such document"
        case .versionConflict(let current): "the document has version \(current) by now"
        case .textWithNul: "a key or a name holds the character U+0000"
        }
    }

    /// Whether the store as a whole is of no use at present, whoever asks and whatever for.
    package var isOfTheStore: Bool {
        switch self {
        case .unreachable, .foreignFile, .damaged, .newerSchema: true
        case .malformedDocument, .refused, .exists, .missing, .versionConflict, .textWithNul: false
        }
    }
}
