/// Where a daemon listens.
package struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
    /// A name or an address, IPv6 without brackets.
    package let host: String
    /// 0 lets the system choose.
    package let port: UInt16

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Reads `host:port` or `[IPv6 address]:port`.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self.init(host: String(host), port: port)
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// Spans of time and sizes as people write them: a whole number and a unit.
package enum Quantity {
    private static let millisecondsPerUnit: [String: Int64] = [
        "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000,
    ]

    private static let bytesPerUnit: [String: Int] = [
        "": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
        "kB": 1000, "MB": 1_000_000, "GB": 1_000_000_000, "TB": 1_000_000_000_000,
    ]

    /// Reads `500ms`, `5s`, `15m`, `2h`, `30d` or `1w`.
    /// - Parameter plainUnit: the unit of a number that stands alone.
    package static func duration(_ text: String, plainUnit: String = "s") -> Duration? {
        guard let (number, unit) = split(text), let scale = millisecondsPerUnit[unit.isEmpty ? plainUnit : unit] else {
            return nil
        }
        let (milliseconds, overflowed) = Int64(number).multipliedReportingOverflow(by: scale)
        return overflowed ? nil : .milliseconds(milliseconds)
    }

    /// Reads `4096`, `64 MiB` (powers of 1024) or `64 MB` (powers of 1000).
    package static func byteCount(_ text: String) -> Int? {
        guard let (number, unit) = split(text), let scale = bytesPerUnit[unit] else { return nil }
        let (bytes, overflowed) = number.multipliedReportingOverflow(by: scale)
        return overflowed ? nil : bytes
    }

    private static func split(_ text: String) -> (number: Int, unit: String)? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(digits) else { return nil }
        var unit = text[digits.endIndex...]
        if unit.hasPrefix(" ") { unit = unit.dropFirst() }
        return (number, String(unit))
    }
}
