import Bytes
import Events
import JSON

/// What a text or a JSON value becomes in an event.
enum ValueReader {
    /// The value of a CSV field.
    /// - Parameter column: for the message.
    /// - Returns: nil for an empty field: no value.
    static func value(_ text: String, _ kind: ValueKind, column: String) throws(RowError) -> EventValue.Value? {
        if text.isEmpty { return nil }
        func failed(_ expected: String) -> RowError { .value(column: column, expected: expected, found: text) }
        switch kind {
        case .auto: return inferred(text)
        case .string: return .string(text)
        case .int:
            guard let number = Int64(text) else { throw failed("a whole number of 64 bits") }
            return .int64(number)
        case .float:
            guard let number = Double(text), number.isFinite else { throw failed("a number") }
            return .float64(number)
        case .bool:
            switch text.lowercased() {
            case "true", "t", "1", "yes": return .bool(true)
            case "false", "f", "0", "no": return .bool(false)
            default: throw failed("true or false")
            }
        case .json:
            guard isJSON(text) else { throw failed("JSON") }
            return .json(text)
        }
    }

    /// The value of a member of a JSON object.
    /// - Returns: nil for null: no value.
    static func value(_ json: JSONValue, _ kind: ValueKind, column: String) throws(RowError) -> EventValue.Value? {
        if case .null = json { return nil }
        if kind == .json { return .json(json.description) }
        if case .string(let text) = json {
            // An empty string is a value in JSON, and none in CSV.
            return kind == .auto || kind == .string ? .string(text) : try value(text, kind, column: column)
        }
        if kind != .auto { return try value(json.description, kind, column: column) }
        switch json {
        case .bool(let bool): return .bool(bool)
        case .integer(let number): return .int64(number)
        case .number(let number): return .float64(number)
        default: return .json(json.description)
        }
    }

    /// Only plain decimals become numbers: "007", "+1" and "1e3" stay what they are. Zeros at the end of a fraction are
    /// lost: "1.50" is 1.5.
    private static func inferred(_ text: String) -> EventValue.Value {
        switch text.utf8.first {
        case UInt8(ascii: "t") where text == "true": return .bool(true)
        case UInt8(ascii: "f") where text == "false": return .bool(false)
        case UInt8(ascii: "{"), UInt8(ascii: "["): return isJSON(text) ? .json(text) : .string(text)
        default: return number(text) ?? .string(text)
        }
    }

    private static func number(_ text: String) -> EventValue.Value? {
        let digits = text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...]
        let whole = digits.prefix { isDigit($0) }
        guard !whole.isEmpty, whole.count == 1 || whole.first != UInt8(ascii: "0") else { return nil }
        if whole.count == digits.count { return text == "-0" ? nil : Int64(text).map { .int64($0) } }
        let rest = digits.dropFirst(whole.count)
        // More digits than a double holds are an identifier rather than a measure.
        guard rest.first == UInt8(ascii: "."), rest.count > 1, digits.count <= 17,
            rest.dropFirst().allSatisfy({ isDigit($0) }), let number = Double(text), number.isFinite
        else { return nil }
        return .float64(number)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    private static func isJSON(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return JSONScanner.isValid(bytes.rawSpan)
    }
}
