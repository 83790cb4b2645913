import Bytes

/// What a server answered: RFC 9112, as much of it as a client that asks once needs.
struct HTTPReply: Equatable {
    let status: Int
    let body: [UInt8]

    /// - Parameter bytes: all that came until the connection ended, or until `isComplete`.
    /// - Returns: nil if that is no HTTP answer or not a whole one.
    init?(_ bytes: [UInt8]) {
        guard let head = Head(bytes) else { return nil }
        status = head.status
        let rest = bytes[head.end...]
        if head.isChunked {
            guard let joined = Self.joinChunks(rest) else { return nil }
            body = joined
        } else if let length = head.contentLength {
            guard rest.count >= length else { return nil }
            body = Array(rest.prefix(length))
        } else {
            body = Array(rest)
        }
    }

    /// Whether nothing more will come that belongs to the answer, though the connection may stay open. O(head).
    static func isComplete(_ bytes: [UInt8]) -> Bool {
        guard let head = Head(bytes), !head.isChunked, let length = head.contentLength else { return false }
        return bytes.count - head.end >= length
    }

    private struct Head {
        let status: Int
        /// Behind the empty line.
        let end: Int
        var contentLength: Int?
        var isChunked = false

        init?(_ bytes: [UInt8]) {
            let blank = Array("\r\n\r\n".utf8)
            let limit = min(bytes.count, 64 << 10)
            guard let start = (0..<max(0, limit - 3)).first(where: { bytes[$0..<($0 + 4)].elementsEqual(blank) }) else {
                return nil
            }
            end = start + 4
            let lines = String(decoding: bytes[..<start], as: UTF8.self).split(separator: "\r\n")
            let words = (lines.first ?? "").split(separator: " ")
            guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else { return nil }
            self.status = status
            for line in lines.dropFirst() {
                let parts = line.split(separator: ":", maxSplits: 1)
                guard parts.count == 2 else { return nil }
                let value = parts[1].drop { $0 == " " }
                switch parts[0].lowercased() {
                case "content-length":
                    guard let length = Int(value), length >= 0 else { return nil }
                    contentLength = length
                case "transfer-encoding": isChunked = value.lowercased().hasSuffix("chunked")
                default: break
                }
            }
        }
    }

    private static func joinChunks(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        var body: [UInt8] = []
        var rest = bytes
        while let lineEnd = rest.firstIndex(of: UInt8(ascii: "\n")) {
            let line = String(decoding: rest[..<lineEnd], as: UTF8.self)
            let digits = line.prefix { $0.isHexDigit }
            guard let size = Int(digits, radix: 16), size >= 0 else { return nil }
            if size == 0 { return body }
            let start = lineEnd + 1
            guard rest.endIndex - start >= size else { return nil }
            body += rest[start..<(start + size)]
            // The line end behind the chunk.
            guard let next = rest[(start + size)...].firstIndex(of: UInt8(ascii: "\n")) else { return nil }
            rest = rest[(next + 1)...]
        }
        return nil
    }
}
