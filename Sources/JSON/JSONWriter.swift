import Bytes

/// Writes JSON text straight into bytes: commas, quotes, escapes and indentation are its business,
/// nesting the caller's.
///
///     var writer = JSONWriter()
///     writer.beginObject()
///     writer.name("page")
///     writer.string("/pricing")
///     writer.endObject()
///
/// Values written one after another outside any container stand side by side with nothing between them.
public struct JSONWriter: Sendable {
    public enum Layout: Sendable, Equatable {
        case compact
        case indented(spaces: Int)
    }

    private enum Place { case start, afterName, afterValue }

    /// What was written; a caller may take it or add to it between whole values.
    public var output: ByteWriter
    private let layout: Layout
    private var depth = 0
    private var place = Place.start

    public init(_ layout: Layout = .compact, appendingTo output: ByteWriter = ByteWriter()) {
        self.layout = layout
        self.output = output
    }

    // MARK: Containers

    public mutating func beginObject() { begin(UInt8(ascii: "{")) }
    public mutating func endObject() { end(UInt8(ascii: "}")) }
    public mutating func beginArray() { begin(UInt8(ascii: "[")) }
    public mutating func endArray() { end(UInt8(ascii: "]")) }

    /// A member's name; its value comes next.
    /// - Parameter utf8: valid UTF-8; it is not checked again.
    public mutating func name(_ utf8: RawSpan) {
        separate()
        output.append(jsonString: utf8)
        output.append(UInt8(ascii: ":"))
        if layout != .compact { output.append(UInt8(ascii: " ")) }
        place = .afterName
    }

    public mutating func name(_ text: String) { name(Array(text.utf8).rawSpan) }

    // MARK: Values

    /// - Parameter utf8: valid UTF-8; it is not checked again.
    public mutating func string(_ utf8: RawSpan) {
        separate()
        output.append(jsonString: utf8)
        finish()
    }

    public mutating func string(_ text: String) { string(Array(text.utf8).rawSpan) }

    public mutating func integer(_ value: some BinaryInteger) { token("\(value)") }

    /// The shortest digits that read back as the same double: `1.0`, `0.1`, `1e+20`. Infinity and NaN become null.
    public mutating func number(_ value: Double) { token(value.isFinite ? value.description : "null") }

    public mutating func bool(_ value: Bool) { token(value ? "true" : "false") }

    public mutating func null() { token("null") }

    /// A value that is JSON text already; it is neither checked nor laid out anew.
    public mutating func raw(_ json: RawSpan) {
        separate()
        output.append(json)
        finish()
    }

    public mutating func value(_ value: JSONValue) {
        switch value {
        case .null: null()
        case .bool(let value): bool(value)
        case .integer(let value): integer(value)
        case .number(let value): number(value)
        case .string(let value): string(value)
        case .array(let elements):
            beginArray()
            for element in elements { self.value(element) }
            endArray()
        case .object(let object):
            beginObject()
            for member in object.members {
                name(member.name)
                self.value(member.value)
            }
            endObject()
        }
    }

    // MARK: Punctuation

    private mutating func token(_ text: String) {
        separate()
        output.append(utf8: text)
        finish()
    }

    private mutating func begin(_ bracket: UInt8) {
        separate()
        output.append(bracket)
        depth += 1
        place = .start
    }

    private mutating func end(_ bracket: UInt8) {
        precondition(depth > 0 && place != .afterName, "an end without its begin, or a name without its value")
        depth -= 1
        if place == .afterValue { breakLine() }
        output.append(bracket)
        finish()
    }

    private mutating func separate() {
        switch place {
        case .afterName: return
        case .afterValue: output.append(UInt8(ascii: ","))
        case .start: break
        }
        if depth > 0 { breakLine() }
    }

    private mutating func finish() { place = depth == 0 ? .start : .afterValue }

    private mutating func breakLine() {
        guard case .indented(let spaces) = layout else { return }
        output.append(UInt8(ascii: "\n"))
        for _ in 0..<(depth * spaces) { output.append(UInt8(ascii: " ")) }
    }
}

extension ByteWriter {
    /// Appends a quoted JSON string; only what RFC 8259 §7 demands is escaped.
    /// - Parameter utf8: valid UTF-8; it is not checked again.
    public mutating func append(jsonString utf8: RawSpan) {
        append(UInt8(ascii: "\""))
        var offset = 0
        while offset < utf8.byteCount {
            var end = utf8.endOfPlainText(from: offset)
            while end < utf8.byteCount, utf8.uncheckedByte(end) >= 0x80 {
                end = utf8.endOfPlainText(from: end &+ 1)
            }
            append(utf8.extracting(offset..<end))
            if end < utf8.byteCount { appendEscape(utf8.uncheckedByte(end)) }
            offset = end &+ 1
        }
        append(UInt8(ascii: "\""))
    }

    private mutating func appendEscape(_ byte: UInt8) {
        append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): append(byte)
        case 0x08: append(UInt8(ascii: "b"))
        case 0x0C: append(UInt8(ascii: "f"))
        case UInt8(ascii: "\n"): append(UInt8(ascii: "n"))
        case UInt8(ascii: "\r"): append(UInt8(ascii: "r"))
        case UInt8(ascii: "\t"): append(UInt8(ascii: "t"))
        default: append(utf8: "u00" + Hex.encode([byte]))
        }
    }
}

extension JSONValue {
    /// The value as JSON text.
    public func encoded(_ layout: JSONWriter.Layout = .compact) -> [UInt8] {
        var writer = JSONWriter(layout)
        writer.value(self)
        return writer.output.bytes
    }
}

extension JSONValue: CustomStringConvertible {
    public var description: String { String(decoding: encoded(), as: UTF8.self) }
}
