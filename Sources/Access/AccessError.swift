/// Why a token file was not read or not changed.
package enum AccessError: Error, Sendable, CustomStringConvertible {
    /// The file is there and is no token file.
    case invalid(path: String, reason: String)
    /// A token of this name stands in the file.
    case nameTaken(path: String, name: String)
    /// No token of this name stands in the file.
    case nameUnknown(path: String, name: String)

    package var description: String {
        switch self {
        case .invalid(let path, let reason): "\(path): \(reason)"
        case .nameTaken(let path, let name): "\(path): there is a token \"\(name)\" already; revoke it first"
        case .nameUnknown(let path, let name): "\(path): there is no token \"\(name)\""
        }
    }
}
