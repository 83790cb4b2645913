import Bytes

/// What one value of a JSON text is, without building it.
public enum JSONScalar: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int64)
    case double(Double)
    /// The range between the quotes. With escapes, `JSONScanner.appendString` resolves them; without, it is the text.
    case string(Range<Int>, hasEscapes: Bool)
    /// An array, an object, a number past the largest double, or no JSON at all.
    case other
}

/// Reads JSON columns in place: no allocation, and no trap whatever the bytes are.
public enum JSONScanner {
    /// Whether `text` is one JSON value by the grammar of RFC 8259, in UTF-8, at most 64 containers deep. O(n).
    /// Unlike the parser it does not look for a name that occurs twice or a number past the largest double.
    public static func isValid(_ text: RawSpan) -> Bool {
        var cursor = JSONCursor(text)
        do throws(JSONError) {
            try cursor.skipValue()
            try cursor.expectEnd()
            return true
        } catch {
            return false
        }
    }

    /// The range of the value of the object's first member called `name`; reads no further than that. Each value may
    /// be 64 containers deep: the object is one more.
    /// - Parameter name: the name's UTF-8 bytes, unescaped.
    /// - Returns: nil if there is none or `text` is not an object.
    public static func member(_ name: [UInt8], in text: RawSpan) -> Range<Int>? {
        var cursor = JSONCursor(text)
        do throws(JSONError) {
            while let member = try cursor.nextMember() {
                if try cursor.isEqual(member.name, name) { return member.value }
            }
            return nil
        } catch {
            return nil
        }
    }

    /// Calls `body` with the range of each top-level member's name (between the quotes, escapes unresolved) and value.
    /// - Returns: false if `text` is not an object; `body` may have seen its first members.
    public static func forEachMember(
        of text: RawSpan, _ body: (_ name: Range<Int>, _ nameHasEscapes: Bool, _ value: Range<Int>) -> Void
    ) -> Bool {
        var cursor = JSONCursor(text)
        do throws(JSONError) {
            while let member = try cursor.nextMember() {
                body(member.name.range, member.name.hasEscapes, member.value)
            }
            try cursor.expectEnd()
            return true
        } catch {
            return false
        }
    }

    /// The value that `text` is; white space around it is allowed.
    public static func scalar(_ text: RawSpan) -> JSONScalar {
        var cursor = JSONCursor(text)
        do throws(JSONError) {
            let result = try cursor.scalar()
            try cursor.expectEnd()
            return result
        } catch {
            return .other
        }
    }

    /// Appends the UTF-8 bytes that the string in `range` of `text` stands for, its escapes resolved.
    /// - Parameter range: what `scalar` or `forEachMember` gave.
    /// - Returns: false if an escape is invalid, which they had refused.
    @discardableResult
    public static func appendString(_ range: Range<Int>, of text: RawSpan, to output: inout [UInt8]) -> Bool {
        let cursor = JSONCursor(text.extracting(range))
        let token = JSONCursor.StringToken(range: 0..<range.count, hasEscapes: true)
        do throws(JSONError) {
            try cursor.forEachByte(of: token) { output.append($0) }
            return true
        } catch {
            return false
        }
    }
}

extension JSONCursor {
    /// The next member of the only object, its value skipped; nil after the last.
    fileprivate mutating func nextMember() throws(JSONError) -> (name: StringToken, value: Range<Int>)? {
        if offset == 0 {
            try expect(UInt8(ascii: "{"))
            if try accepts(UInt8(ascii: "}")) { return nil }
        } else {
            guard try hasMore(before: UInt8(ascii: "}")) else { return nil }
        }
        let name = try name()
        _ = try peek()
        let start = offset
        // The object around it is ours: a value may be as deep as one that stands alone.
        try skipValue()
        return (name, start..<offset)
    }

    fileprivate func isEqual(_ token: StringToken, _ name: [UInt8]) throws(JSONError) -> Bool {
        if !token.hasEscapes {
            guard token.range.count == name.count else { return false }
            return bytes.extracting(token.range).equals(name.rawSpan)
        }
        var matched = 0
        var isEqual = true
        try forEachByte(of: token) { byte in
            isEqual = isEqual && matched < name.count && name[matched] == byte
            matched &+= 1
        }
        return isEqual && matched == name.count
    }
}
