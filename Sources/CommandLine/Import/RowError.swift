import Bytes
import Events
import JSON

/// Why one row of an import was not taken.
enum RowError: Error, Equatable, CustomStringConvertible {
    case repeatedColumn(String)
    case fieldCount(expected: Int, found: Int)
    case notUTF8(column: Int)
    /// The line the row begins on and the last one that it swallowed.
    case unterminatedQuote(lines: ClosedRange<Int>)
    case textAfterQuote(column: Int)
    case tooLong(limit: Int)
    case notJSON(JSONError)
    case notAnObject(found: String)
    case noType
    case noTimestamp
    case timestamp(String)
    case value(column: String, expected: String, found: String)
    /// With the name of the value that it is about.
    case event(BatchError, name: String?)
    /// The collector did not store it.
    case refused(String)

    var description: String {
        switch self {
        case .repeatedColumn(let name): "two columns are called \"\(name.shortened)\""
        case .fieldCount(let expected, let found): "\(found) fields where the header has \(expected)"
        case .notUTF8(let column): "field \(column) is not UTF-8"
        case .unterminatedQuote(let lines):
            "a quote is not closed"
                + (lines.count == 1 ? "" : "; lines \(lines.lowerBound)–\(lines.upperBound) belong to it")
        case .textAfterQuote(let column): "text behind the closing quote of field \(column)"
        case .tooLong(let limit): "longer than \(limit) bytes"
        case .notJSON(let error): "not JSON: \(error.reason.rawValue) at column \(error.column)"
        case .notAnObject(let found): "a JSON object is expected, this is \(found)"
        case .noType: "no event type"
        case .noTimestamp: "no timestamp"
        case .timestamp(let text): "no timestamp can be read from \"\(text.shortened)\""
        case .value(let column, let expected, let found):
            "\(column): expected \(expected), found \"\(found.shortened)\""
        case .event(let error, let name): "not an event: " + (name.map { "\"\($0)\": " } ?? "") + error.reason
        case .refused(let reason): "not stored by the collector: \(reason)"
        }
    }
}

extension String {
    /// At most 60 characters, for messages.
    var shortened: String { count <= 60 ? self : prefix(57) + "..." }
}
