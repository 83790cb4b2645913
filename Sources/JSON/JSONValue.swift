import Bytes

/// Any JSON value, for requests, answers and configuration; columns use `JSONScanner` and `JSONWriter` instead.
public enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    /// A number written without fraction and exponent that fits.
    case integer(Int64)
    /// Any other number. Infinity and NaN have no JSON form and are written as null.
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)
}

/// The members of an object in the order of the text; two objects are equal if their members are, in order.
public struct JSONObject: Sendable, Equatable {
    public struct Member: Sendable, Equatable {
        public let name: String
        public var value: JSONValue

        public init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    public private(set) var members: [Member]

    /// - Parameter members: no name twice, a precondition of `subscript`'s meaning; the parser refuses such texts.
    public init(_ members: [Member] = []) { self.members = members }

    /// The value of a member, nil if there is none. Setting nil removes it, setting a new one appends it.
    /// Names are compared byte by byte. O(members).
    public subscript(name: String) -> JSONValue? {
        get { index(of: name).map { members[$0].value } }
        set {
            switch (index(of: name), newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append(Member(name, value))
            case (nil, nil): break
            }
        }
    }

    private func index(of name: String) -> Int? {
        members.firstIndex { $0.name.utf8.elementsEqual(name.utf8) }
    }
}

extension JSONValue {
    /// The value of an object's member; nil if there is none or this is not an object.
    public subscript(name: String) -> JSONValue? { asObject?[name] }

    /// The element of an array; nil if there is none or this is not an array.
    public subscript(index: Int) -> JSONValue? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    public var isNull: Bool { self == .null }

    public var asBool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// An integer only; 1.0 is none.
    public var asInteger: Int64? {
        if case .integer(let value) = self { value } else { nil }
    }

    /// Any number; integers past 2^53 are rounded.
    public var asDouble: Double? {
        switch self {
        case .number(let value): value
        case .integer(let value): Double(value)
        default: nil
        }
    }

    public var asString: String? {
        if case .string(let value) = self { value } else { nil }
    }

    public var asArray: [JSONValue]? {
        if case .array(let value) = self { value } else { nil }
    }

    public var asObject: JSONObject? {
        if case .object(let value) = self { value } else { nil }
    }

    /// What kind of value this is, in the words of RFC 8259, for error messages.
    public var kindName: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .integer, .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}

// Literals, so that an answer reads in Swift as it does on the wire.

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByStringInterpolation,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(nilLiteral: ()) { self = .null }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(elements.map { JSONObject.Member($0.0, $0.1) }))
    }
}
