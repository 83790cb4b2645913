import Files
import Zstd

/// What can be wrong with a log. Each case names the file, and the byte where that helps.
package enum WALError: Error, Equatable, Sendable, CustomStringConvertible {
    case file(FileError)
    /// Not a segment, or one of a format this program does not know.
    case notASegment(path: String, reason: String)
    /// A record that must be good is not: rot.
    case corruptRecord(path: String, byteOffset: Int, reason: String)
    /// Records that were durable are gone.
    case recordsLost(path: String, lastFound: UInt64, lastDurable: UInt64)
    /// The tables hold records that this log never had: an older log was put in place of the newer one.
    case behindTables(path: String, lastFound: UInt64, lastPublished: UInt64)
    /// The segments do not follow one another.
    case brokenChain(path: String, reason: String)
    /// A body's bytes do not match the directory.
    case corruptBody(path: String, sequence: UInt64, entry: Int, reason: String)
    /// The sources file of a segment is missing or damaged.
    case corruptCheckpoint(path: String, reason: String)
    /// Segments kept disappearing while they were being opened.
    case unstable(path: String)

    package var description: String {
        switch self {
        case .file(let error): error.description
        case .notASegment(let path, let reason): "\(path): \(reason)"
        case .corruptRecord(let path, let byteOffset, let reason): "\(path): byte \(byteOffset): \(reason)"
        case .recordsLost(let path, let lastFound, let lastDurable):
            "\(path): last intact record is \(lastFound) but \(lastDurable) was durable"
        case .behindTables(let path, let lastFound, let lastPublished):
            "\(path): ends at record \(lastFound) but the tables hold \(lastPublished): an older log than the tables'; "
                + "restore both together, or move the log away to begin a new one behind the tables"
        case .brokenChain(let path, let reason): "\(path): \(reason)"
        case .corruptBody(let path, let sequence, let entry, let reason):
            "\(path): record \(sequence), entry \(entry): \(reason)"
        case .corruptCheckpoint(let path, let reason): "\(path): \(reason)"
        case .unstable(let path): "\(path): segments changed while they were being opened"
        }
    }
}
