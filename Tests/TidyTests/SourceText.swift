/// One Swift file as the rules look at it.
struct SourceText {
    /// From the root of the tree, such as `Sources/Bytes/Varint.swift`.
    let path: String
    let lines: [Substring]
    /// The words of the code, without those of comments and string literals.
    let words: [Word]
    /// The bytes of the file with comments and string literals blanked; lines and columns stay where they were.
    let code: [UInt8]

    struct Word: Equatable {
        let text: String
        /// Counted from 1.
        let line: Int
        /// The byte in front of it and behind it; a space where the file ends.
        let before: UInt8
        let after: UInt8
        /// Where it ends in the bytes.
        let end: Int
    }

    init(path: String, text: String) {
        self.path = path
        var blanker = Blanker(bytes: Array(text.utf8))
        blanker.run()
        code = blanker.bytes
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        words = Self.words(of: code)
    }

    /// The module in whose folder the file lies, such as `Bytes`.
    var module: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }

    /// Without folders and `.swift`.
    var name: String { String(path.split(separator: "/").last?.dropLast(6) ?? "") }

    var isTest: Bool { path.hasPrefix("Tests/") }

    static func words(of bytes: [UInt8]) -> [Word] {
        var words: [Word] = []
        var line = 1
        var index = 0
        while index < bytes.count {
            guard bytes[index].isWord else {
                if bytes[index] == UInt8(ascii: "\n") { line += 1 }
                index += 1
                continue
            }
            let start = index
            while index < bytes.count, bytes[index].isWord { index += 1 }
            words.append(
                Word(
                    text: String(decoding: bytes[start..<index], as: UTF8.self), line: line,
                    before: start == 0 ? UInt8(ascii: " ") : bytes[start - 1],
                    after: index == bytes.count ? UInt8(ascii: " ") : bytes[index], end: index))
        }
        return words
    }
}

extension UInt8 {
    fileprivate var isWord: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: self >= 0x80
        }
    }
}

/// Blanks comments and string literals, with what is interpolated into them.
private struct Blanker {
    var bytes: [UInt8]
    private var index = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func run() {
        while index < bytes.count {
            if !skipLiteralOrComment() { index += 1 }
        }
    }

    private func starts(_ text: StaticString, at offset: Int) -> Bool {
        let wanted = Array("\(text)".utf8)
        return bytes[offset...].starts(with: wanted)
    }

    /// Overwrites `count` bytes with spaces and steps over them; ends of lines stay.
    private mutating func blank(_ count: Int) {
        for _ in 0..<min(count, bytes.count - index) {
            if bytes[index] != UInt8(ascii: "\n") { bytes[index] = UInt8(ascii: " ") }
            index += 1
        }
    }

    private mutating func skipLiteralOrComment() -> Bool {
        switch bytes[index] {
        case UInt8(ascii: "/") where starts("//", at: index):
            while index < bytes.count, bytes[index] != UInt8(ascii: "\n") { blank(1) }
        case UInt8(ascii: "/") where starts("/*", at: index):
            skipBlockComment()
        case UInt8(ascii: "\""):
            skipString(hashCount: 0)
        case UInt8(ascii: "#"):
            let hashCount = bytes[index...].prefix { $0 == UInt8(ascii: "#") }.count
            guard index + hashCount < bytes.count, bytes[index + hashCount] == UInt8(ascii: "\"") else { return false }
            blank(hashCount)
            skipString(hashCount: hashCount)
        default: return false
        }
        return true
    }

    private mutating func skipBlockComment() {
        var depth = 0
        repeat {
            if starts("/*", at: index) {
                depth += 1
                blank(2)
            } else if starts("*/", at: index) {
                depth -= 1
                blank(2)
            } else {
                blank(1)
            }
        } while depth > 0 && index < bytes.count
    }

    private mutating func skipString(hashCount: Int) {
        let quoteCount = starts("\"\"\"", at: index) ? 3 : 1
        let hashes = [UInt8](repeating: UInt8(ascii: "#"), count: hashCount)
        let end = [UInt8](repeating: UInt8(ascii: "\""), count: quoteCount) + hashes
        let escape = [UInt8(ascii: "\\")] + hashes
        blank(quoteCount)
        while index < bytes.count, !bytes[index...].starts(with: end) {
            if bytes[index...].starts(with: escape) {
                blank(escape.count)
                if index < bytes.count, bytes[index] == UInt8(ascii: "(") { skipInterpolation() } else { blank(1) }
            } else {
                blank(1)
            }
        }
        blank(end.count)
    }

    private mutating func skipInterpolation() {
        var depth = 0
        repeat {
            if skipLiteralOrComment() { continue }
            if bytes[index] == UInt8(ascii: "(") { depth += 1 }
            if bytes[index] == UInt8(ascii: ")") { depth -= 1 }
            blank(1)
        } while depth > 0 && index < bytes.count
    }
}
