import Events
import Files
import Parquet
import WAL

/// What can be wrong with a project's tables.
package enum TableError: Error, Sendable, CustomStringConvertible {
    /// `project.json` or a table of another format or key.
    case refused(path: String, reason: String)
    case projectUnknown(String)
    case projectNameInvalid(String)
    case projectExists(String)
    /// A file of the Delta log does not read as one.
    case corruptCommit(path: String, line: Int, reason: String)
    /// Somebody else made this version meanwhile; begin again from the new one.
    case commitConflict(path: String)
    /// A batch that was checked when it came does not decode.
    case corruptBatch(record: UInt64, entry: Int, reason: BatchError)
    /// The table went away under a reader: begin again on the newest version.
    case fileMissing(path: String)

    package var description: String {
        switch self {
        case .refused(let path, let reason): "\(path): \(reason)"
        case .projectUnknown(let name): "there is no project \"\(name)\""
        case .projectNameInvalid(let name):
            "\"\(name)\" is no project name: 1 to 63 of a–z, 0–9 and -, and not \"wal\""
        case .projectExists(let name): "project \"\(name)\" exists already"
        case .corruptCommit(let path, let line, let reason): "\(path): line \(line): \(reason)"
        case .commitConflict(let path): "\(path): another writer made this version"
        case .corruptBatch(let record, let entry, let reason): "record \(record), entry \(entry): \(reason)"
        case .fileMissing(let path): "\(path): missing"
        }
    }
}
