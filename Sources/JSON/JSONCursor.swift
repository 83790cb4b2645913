import Bytes

/// The grammar of RFC 8259, token by token, over borrowed bytes; allocates nothing but what `Double(String)` needs
/// for numbers of many digits.
///
/// After an error the cursor's place is undefined.
struct JSONCursor: ~Escapable {
    /// Containers within containers, at most.
    static let depthMax = 64

    let bytes: RawSpan
    private(set) var offset = 0

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan) { self.bytes = bytes }

    func error(_ reason: JSONError.Reason, at place: Int) -> JSONError { JSONError(reason, at: place, in: bytes) }

    // MARK: Structure

    /// The next byte that is not white space; the cursor stands on it.
    mutating func peek() throws(JSONError) -> UInt8 {
        while offset < bytes.byteCount {
            switch bytes.uncheckedByte(offset) {
            case 0x20, 0x0A, 0x0D, 0x09: offset &+= 1
            case let byte: return byte
            }
        }
        throw error(.unexpectedEnd, at: offset)
    }

    /// Steps over `byte` if it comes next.
    mutating func accepts(_ byte: UInt8) throws(JSONError) -> Bool {
        guard try peek() == byte else { return false }
        offset &+= 1
        return true
    }

    mutating func expect(_ byte: UInt8) throws(JSONError) {
        guard try accepts(byte) else { throw error(.unexpectedByte, at: offset) }
    }

    mutating func expectEnd() throws(JSONError) {
        while offset < bytes.byteCount {
            guard [0x20, 0x0A, 0x0D, 0x09].contains(bytes.uncheckedByte(offset)) else {
                throw error(.trailingBytes, at: offset)
            }
            offset &+= 1
        }
    }

    /// After a member or element: true if another follows the comma, false if `close` ended the container.
    mutating func hasMore(before close: UInt8) throws(JSONError) -> Bool {
        if try accepts(UInt8(ascii: ",")) { return true }
        try expect(close)
        return false
    }

    /// Steps over one value of any kind.
    mutating func skipValue(depth: Int = 0) throws(JSONError) {
        switch try peek() {
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "{"):
            try enter(depth)
            if try accepts(UInt8(ascii: "}")) { return }
            repeat {
                _ = try name()
                try skipValue(depth: depth + 1)
            } while try hasMore(before: UInt8(ascii: "}"))
        case UInt8(ascii: "["):
            try enter(depth)
            if try accepts(UInt8(ascii: "]")) { return }
            repeat { try skipValue(depth: depth + 1) } while try hasMore(before: UInt8(ascii: "]"))
        case UInt8(ascii: "t"): try literal("true")
        case UInt8(ascii: "f"): try literal("false")
        case UInt8(ascii: "n"): try literal("null")
        default: _ = try number()
        }
    }

    /// Steps over the opening bracket the cursor stands on.
    mutating func enter(_ depth: Int) throws(JSONError) {
        guard depth < Self.depthMax else { throw error(.tooDeep, at: offset) }
        offset &+= 1
    }

    mutating func literal(_ word: String) throws(JSONError) {
        let start = offset
        for expected in word.utf8 {
            guard offset < bytes.byteCount else { throw error(.unexpectedEnd, at: offset) }
            guard bytes.uncheckedByte(offset) == expected else { throw error(.unexpectedByte, at: start) }
            offset &+= 1
        }
    }

    /// Reads a value that is no container; a number past the largest double is `.other`.
    mutating func scalar() throws(JSONError) -> JSONScalar {
        switch try peek() {
        case UInt8(ascii: "\""):
            let token = try string()
            return .string(token.range, hasEscapes: token.hasEscapes)
        case UInt8(ascii: "t"):
            try literal("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try literal("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try literal("null")
            return .null
        default:
            let token = try number()
            if token.isInteger, let integer = bytes.integer(token.range) { return .integer(integer) }
            return bytes.double(token.range).map { .double($0) } ?? .other
        }
    }

    // MARK: Strings

    /// A string's content between the quotes, as it stands in the text.
    struct StringToken {
        let range: Range<Int>
        let hasEscapes: Bool
    }

    /// A member's name and the colon after it.
    mutating func name() throws(JSONError) -> StringToken {
        guard try peek() == UInt8(ascii: "\"") else { throw error(.unexpectedByte, at: offset) }
        let token = try string()
        try expect(UInt8(ascii: ":"))
        return token
    }

    /// Steps over the string whose opening quote the cursor stands on, checking escapes and UTF-8.
    mutating func string() throws(JSONError) -> StringToken {
        offset &+= 1
        let start = offset
        var hasEscapes = false
        while true {
            offset = bytes.endOfPlainText(from: offset)
            guard offset < bytes.byteCount else { throw error(.unexpectedEnd, at: offset) }
            switch bytes.uncheckedByte(offset) {
            case UInt8(ascii: "\""):
                offset &+= 1
                return StringToken(range: start..<(offset &- 1), hasEscapes: hasEscapes)
            case UInt8(ascii: "\\"):
                hasEscapes = true
                _ = try escape(&offset)
            case 0..<0x20: throw error(.controlCharacter, at: offset)
            default:
                guard let count = bytes.scalarByteCount(at: offset) else { throw error(.invalidUTF8, at: offset) }
                offset &+= count
            }
        }
    }

    /// Reads the escape whose backslash stands at `place` and moves past it; a surrogate pair is one escape.
    private func escape(_ place: inout Int) throws(JSONError) -> Unicode.Scalar {
        let start = place
        guard start &+ 1 < bytes.byteCount else { throw error(.unexpectedEnd, at: bytes.byteCount) }
        place &+= 2
        switch bytes.uncheckedByte(start &+ 1) {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): break
        default: throw error(.invalidEscape, at: start)
        }
        let unit = try codeUnit(&place)
        if let scalar = Unicode.Scalar(unit) { return scalar }
        guard unit < 0xDC00, place &+ 1 < bytes.byteCount,
            bytes.uncheckedByte(place) == UInt8(ascii: "\\"), bytes.uncheckedByte(place &+ 1) == UInt8(ascii: "u")
        else { throw error(.loneSurrogate, at: start) }
        place &+= 2
        let low = try codeUnit(&place)
        guard low & 0xFC00 == 0xDC00,
            let scalar = Unicode.Scalar(0x10000 &+ UInt32(unit & 0x3FF) &<< 10 &+ UInt32(low & 0x3FF))
        else { throw error(.loneSurrogate, at: start) }
        return scalar
    }

    /// Four hexadecimal digits.
    private func codeUnit(_ place: inout Int) throws(JSONError) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard place < bytes.byteCount else { throw error(.unexpectedEnd, at: place) }
            let byte = bytes.uncheckedByte(place)
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw error(.invalidEscape, at: place)
            }
            unit = unit &<< 4 | UInt16(digit)
            place &+= 1
        }
        return unit
    }

    /// Hands out the UTF-8 bytes that a string stands for, its escapes resolved.
    func forEachByte(of token: StringToken, _ body: (UInt8) -> Void) throws(JSONError) {
        var place = token.range.lowerBound
        while place < token.range.upperBound {
            let byte = bytes.uncheckedByte(place)
            if byte == UInt8(ascii: "\\") {
                for unit in UTF8.encode(try escape(&place))! { body(unit) }
            } else {
                body(byte)
                place &+= 1
            }
        }
    }

    // MARK: Numbers

    /// A number's digits, as they stand in the text.
    struct NumberToken {
        let range: Range<Int>
        /// Neither a fraction nor an exponent, nor negative zero.
        let isInteger: Bool
    }

    mutating func number() throws(JSONError) -> NumberToken {
        let start = offset
        let isNegative = accept(UInt8(ascii: "-"))
        let isZero = accept(UInt8(ascii: "0"))
        if !isZero, digits() == 0 {
            guard offset < bytes.byteCount else { throw error(.unexpectedEnd, at: offset) }
            throw error(isNegative ? .invalidNumber : .unexpectedByte, at: offset)
        }
        var isInteger = !(isNegative && isZero)
        if accept(UInt8(ascii: ".")) {
            isInteger = false
            guard digits() > 0 else { throw error(.invalidNumber, at: offset) }
        }
        if accept(UInt8(ascii: "e")) || accept(UInt8(ascii: "E")) {
            isInteger = false
            _ = accept(UInt8(ascii: "+")) || accept(UInt8(ascii: "-"))
            guard digits() > 0 else { throw error(.invalidNumber, at: offset) }
        }
        return NumberToken(range: start..<offset, isInteger: isInteger)
    }

    private mutating func accept(_ byte: UInt8) -> Bool {
        guard offset < bytes.byteCount, bytes.uncheckedByte(offset) == byte else { return false }
        offset &+= 1
        return true
    }

    /// Steps over digits and says how many.
    private mutating func digits() -> Int {
        let start = offset
        while offset < bytes.byteCount, bytes.uncheckedByte(offset) &- UInt8(ascii: "0") < 10 { offset &+= 1 }
        return offset &- start
    }
}
