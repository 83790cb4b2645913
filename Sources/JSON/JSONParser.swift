import Bytes

extension JSONValue {
    /// Parses one JSON text: RFC 8259, strictly, in UTF-8, nothing after the value, no member name twice,
    /// at most 64 containers within each other. O(n).
    ///
    /// Numbers: without fraction and exponent and within Int64 `.integer`, else the nearest double. `-0` is a double.
    /// - Throws: `JSONError` with the reason and the place.
    public init(parsing text: RawSpan) throws(JSONError) {
        var cursor = JSONCursor(text)
        self = try cursor.value(depth: 0)
        try cursor.expectEnd()
    }

    public init(parsing text: [UInt8]) throws(JSONError) { try self.init(parsing: text.rawSpan) }

    public init(parsing text: String) throws(JSONError) { try self.init(parsing: Array(text.utf8)) }
}

extension JSONCursor {
    fileprivate mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        switch try peek() {
        case UInt8(ascii: "{"): return .object(try object(depth))
        case UInt8(ascii: "["): return .array(try array(depth))
        default: break
        }
        let start = offset
        switch try scalar() {
        case .null: return .null
        case .bool(let value): return .bool(value)
        case .integer(let value): return .integer(value)
        case .double(let value): return .number(value)
        case .string(let range, let hasEscapes):
            return .string(try text(StringToken(range: range, hasEscapes: hasEscapes)))
        case .other: throw error(.numberOutOfRange, at: start)
        }
    }

    private mutating func array(_ depth: Int) throws(JSONError) -> [JSONValue] {
        try enter(depth)
        if try accepts(UInt8(ascii: "]")) { return [] }
        var elements: [JSONValue] = []
        repeat { elements.append(try value(depth: depth + 1)) } while try hasMore(before: UInt8(ascii: "]"))
        return elements
    }

    private mutating func object(_ depth: Int) throws(JSONError) -> JSONObject {
        try enter(depth)
        if try accepts(UInt8(ascii: "}")) { return JSONObject() }
        var members: [JSONObject.Member] = []
        // Bytes, not strings: two spellings that Unicode calls equivalent are two names.
        var names: Set<[UInt8]> = []
        repeat {
            let token = try name()
            let name = try text(token)
            guard names.insert(Array(name.utf8)).inserted else {
                throw error(.duplicateName, at: token.range.lowerBound - 1)
            }
            members.append(JSONObject.Member(name, try value(depth: depth + 1)))
        } while try hasMore(before: UInt8(ascii: "}"))
        return JSONObject(members)
    }

    private func text(_ token: StringToken) throws(JSONError) -> String {
        guard token.hasEscapes else { return bytes.text(token.range) }
        var utf8: [UInt8] = []
        utf8.reserveCapacity(token.range.count)
        try forEachByte(of: token) { utf8.append($0) }
        return String(decoding: utf8, as: UTF8.self)
    }
}
