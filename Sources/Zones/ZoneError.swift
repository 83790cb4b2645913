import Bytes
import Files

/// Why a time zone cannot be had, or a question about one not answered.
package enum ZoneError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Not a name such as `Europe/Berlin`: letters, digits, `_`, `+`, `-` and single slashes between them.
    case invalidName(String)
    /// The system's time zone database has no such zone.
    case unknown(String)
    /// The zone's file is there and cannot be read.
    case unreadable(FileError)
    /// The file is no TZif file this module can read.
    case malformed(name: String, DecodeError)
    /// More buckets lie in the interval than the caller allows.
    case tooManyBuckets(limit: Int)

    package var description: String {
        switch self {
        case .invalidName(let name): "invalid time zone name \"\(name)\""
        case .unknown(let name): "unknown time zone \"\(name)\""
        case .unreadable(let error): error.description
        case .malformed(let name, let error): "time zone file \"\(name)\": \(error)"
        case .tooManyBuckets(let limit): "more than \(limit) buckets"
        }
    }
}
