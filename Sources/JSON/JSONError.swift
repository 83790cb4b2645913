import Bytes

/// Why bytes are not the JSON text they should be, and where.
public struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Reason: String, Sendable {
        case unexpectedEnd = "text ends too early"
        case unexpectedByte = "unexpected byte"
        case controlCharacter = "unescaped control character in a string"
        case invalidEscape = "invalid escape"
        case loneSurrogate = "surrogate without its pair"
        case invalidUTF8 = "invalid UTF-8"
        case invalidNumber = "invalid number"
        case numberOutOfRange = "number too large"
        case duplicateName = "duplicate member name"
        case tooDeep = "nested too deeply"
        case trailingBytes = "something follows the value"
    }

    public let reason: Reason
    /// Counted from the start of the text.
    public let byteOffset: Int
    /// Counted from 1.
    public let line: Int
    /// In bytes, counted from 1.
    public let column: Int

    init(_ reason: Reason, at byteOffset: Int, in text: RawSpan) {
        self.reason = reason
        self.byteOffset = byteOffset
        var line = 1
        var lineStart = 0
        for index in 0..<min(byteOffset, text.byteCount) where text.uncheckedByte(index) == UInt8(ascii: "\n") {
            line += 1
            lineStart = index + 1
        }
        self.line = line
        column = byteOffset - lineStart + 1
    }

    public var description: String { "\(reason.rawValue) at line \(line), column \(column)" }
}
