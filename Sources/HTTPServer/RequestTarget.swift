/// The request target of RFC 9112 §3.2, decoded once: nothing that looks encoded afterwards was meant to be.
struct RequestTarget {
    let path: String
    /// What stands between the path's slashes, decoded: here an encoded slash is part of a name.
    let segments: [String]
    let query: [(name: String, value: String)]

    /// - Parameter raw: what stood between method and version.
    /// - Returns: nil when an escape is cut short or not hexadecimal, or the result is not UTF-8.
    init?(_ raw: [UInt8]) {
        let mark = raw.firstIndex(of: UInt8(ascii: "?"))
        let slash = UInt8(ascii: "/")
        var segments: [String] = []
        for piece in raw[..<(mark ?? raw.endIndex)].split(separator: slash, omittingEmptySubsequences: false) {
            guard let segment = RequestTarget.decode(piece, plus: UInt8(ascii: "+")) else { return nil }
            segments.append(segment)
        }
        path = segments.joined(separator: "/")
        self.segments = Array(segments.dropFirst())
        guard let mark else {
            query = []
            return
        }
        var query: [(name: String, value: String)] = []
        for pair in raw[(mark + 1)...].split(separator: UInt8(ascii: "&")) {
            let equals = pair.firstIndex(of: UInt8(ascii: "="))
            let value = equals.map { pair[($0 + 1)...] } ?? []
            // In a query a plus sign stands for a space (application/x-www-form-urlencoded).
            guard let name = RequestTarget.decode(pair[..<(equals ?? pair.endIndex)], plus: UInt8(ascii: " ")),
                let value = RequestTarget.decode(value, plus: UInt8(ascii: " "))
            else { return nil }
            query.append((name, value))
        }
        self.query = query
    }

    private static func decode(_ bytes: ArraySlice<UInt8>, plus: UInt8) -> String? {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            if byte == UInt8(ascii: "%") {
                guard bytes.endIndex - index > 2, let high = hexDigit(bytes[index + 1]),
                    let low = hexDigit(bytes[index + 2])
                else { return nil }
                decoded.append(high << 4 | low)
                index += 3
            } else {
                decoded.append(byte == UInt8(ascii: "+") ? plus : byte)
                index += 1
            }
        }
        return String(validating: decoded, as: UTF8.self)
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
