import Files

/// Why a configuration cannot be used, and where.
package struct ConfigError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Problem: Equatable, Sendable {
        case unreadable(FileError)
        /// The file is not YAML; the text is the parser's own.
        case syntax(String)
        /// YAML that configuration has no use for, such as tags or a second document.
        case unsupported(String)
        case overLimit(what: String, limit: Int)
        case duplicateKey(String)
        /// `nearest` is the known name that differs least, if one is near.
        case unknownKey(String, nearest: String?)
        /// `found` is the text of the file, its variables not expanded.
        case wrongValue(key: String, expected: String, found: String)
        case unsetVariable(key: String, name: String)
        /// A section of the top level that another file has too.
        case repeatedSection(String, otherFile: String, otherLine: Int)
        /// A value that is of the right form and that its user refuses.
        case refused(key: String, reason: String)
    }

    package let file: String
    /// Counted from 1; nil if the whole file is meant.
    package let line: Int?
    package let problem: Problem

    package var description: String {
        let place = line.map { "\(file):\($0): " } ?? "\(file): "
        return switch problem {
        case .unreadable(let error): error.description
        case .syntax(let text): place + text
        case .unsupported(let what): place + "\(what) are not supported"
        case .overLimit(let what, let limit): place + "\(what) over the limit of \(limit)"
        case .duplicateKey(let key): place + "key \"\(key)\" occurs twice"
        case .unknownKey(let key, let nearest):
            place + "unknown key \"\(key)\"" + (nearest.map { ", did you mean \"\($0)\"?" } ?? "")
        case .wrongValue(let key, let expected, let found): place + "\(key): expected \(expected), found \(found)"
        case .unsetVariable(let key, let name): place + "\(key): the environment variable \(name) is not set"
        case .repeatedSection(let name, let otherFile, let otherLine):
            place + "section \"\(name)\" stands in \(otherFile):\(otherLine) already"
        case .refused(let key, let reason): place + "\(key): \(reason)"
        }
    }
}
