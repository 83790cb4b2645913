import Bytes
import JSON

/// A value as questions see it. Equality is the language's: numbers by what they are worth, text byte by byte,
/// and nothing equals a value of another type.
package enum Value: Sendable, Hashable {
    case bool(Bool)
    /// Every number that is whole and fits.
    case integer(Int64)
    /// Any other finite number; made by `init(_:)` only, so that 1.0 is never one.
    case fraction(Double)
    case text([UInt8])
    /// The id of a person who is known by an anonymous id only; a user's id of the same text is another person.
    case anonymous([UInt8])
    /// An array or an object as its JSON text.
    case json([UInt8])

    /// The number `value`; whole numbers become integers, -0 becomes 0.
    init(_ value: Double) {
        if let integer = Int64(exactly: value) {
            self = .integer(integer)
        } else {
            self = .fraction(value)
        }
    }

    init(_ text: String) { self = .text(Array(text.utf8)) }

    /// The value of a JSON text; nil for null.
    init?(json text: RawSpan) {
        switch JSONScanner.scalar(text) {
        case .null: return nil
        case .bool(let value): self = .bool(value)
        case .integer(let value): self = .integer(value)
        case .double(let value): self.init(value)
        case .string(let range, let hasEscapes):
            guard hasEscapes else {
                self = .text(text.copy(range))
                return
            }
            var bytes: [UInt8] = []
            JSONScanner.appendString(range, of: text, to: &bytes)
            self = .text(bytes)
        case .other: self = .json(text.copy())
        }
    }

    var isNumber: Bool {
        switch self {
        case .integer, .fraction: true
        case .bool, .text, .anonymous, .json: false
        }
    }

    var json: JSONValue {
        switch self {
        case .bool(let value): .bool(value)
        case .integer(let value): .integer(value)
        case .fraction(let value): .number(value)
        case .text(let bytes), .anonymous(let bytes): .string(String(decoding: bytes, as: UTF8.self))
        case .json(let bytes): (try? JSONValue(parsing: bytes)) ?? .string(String(decoding: bytes, as: UTF8.self))
        }
    }

    private var rank: Int {
        switch self {
        case .bool: 0
        case .integer, .fraction: 1
        case .text: 2
        case .anonymous: 3
        case .json: 4
        }
    }

    /// Less than, equal or greater than 0 as this value stands before, at or after `other`: false, true, numbers,
    /// texts by their bytes, anonymous ids by theirs, then arrays and objects by theirs.
    func compare(_ other: Value) -> Int {
        switch (self, other) {
        case (.bool(let left), .bool(let right)): (left ? 1 : 0) - (right ? 1 : 0)
        case (.integer(let left), .integer(let right)): left < right ? -1 : left > right ? 1 : 0
        case (.fraction(let left), .fraction(let right)): left < right ? -1 : left > right ? 1 : 0
        case (.integer(let left), .fraction(let right)): Value.compare(left, right)
        case (.fraction(let left), .integer(let right)): -Value.compare(right, left)
        case (.text(let left), .text(let right)), (.json(let left), .json(let right)),
            (.anonymous(let left), .anonymous(let right)):
            left.rawSpan.compare(right.rawSpan)
        default: rank - other.rank
        }
    }

    /// Exact, where a conversion to a double would round. `right` is no whole number within Int64.
    private static func compare(_ left: Int64, _ right: Double) -> Int {
        if right >= 0x1p63 { return -1 }
        if right < -0x1p63 { return 1 }
        return left <= Int64(right.rounded(.down)) ? -1 : 1
    }

    /// Whether two values are of types that have an order between them.
    func isComparable(to other: Value) -> Bool { rank == other.rank }
}
