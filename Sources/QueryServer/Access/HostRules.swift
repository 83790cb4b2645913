/// Under which names the server may be called, and from which pages.
///
/// A browser runs pages of strangers, and they can send requests to a daemon on the loopback. Two headers that a page
/// cannot forge tell them apart: `Host` is the name that the browser looked up, so a stranger's name that was made to
/// resolve to us (DNS rebinding) is seen; `Origin` is where the page came from.
struct HostRules: Sendable {
    enum Scheme: String, Sendable {
        case http, https
        var port: UInt16 { self == .http ? 80 : 443 }
    }

    /// `https://name:port` taken apart.
    struct Origin: Sendable, Equatable, CustomStringConvertible {
        let scheme: Scheme
        /// In lower case, IPv6 with brackets.
        let host: String
        let port: UInt16

        init(scheme: Scheme, host: String, port: UInt16) {
            self.scheme = scheme
            self.host = host
            self.port = port
        }

        /// - Parameter authority: `name` or `name:port`; the scheme's own port if none is named.
        init?(scheme: Scheme, authority: some StringProtocol) {
            let text = authority.lowercased()
            var host = text[...]
            var port = scheme.port
            if let colon = text.lastIndex(of: ":"), !text.hasSuffix("]") {
                guard let number = UInt16(text[text.index(after: colon)...]) else { return nil }
                port = number
                host = text[..<colon]
            }
            let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
            let name = isBracketed ? host.dropFirst().dropLast() : host
            let marks = isBracketed ? ":." : "-._"
            guard !name.isEmpty, name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) || marks.contains($0) })
            else { return nil }
            self.init(scheme: scheme, host: String(host), port: port)
        }

        /// Reads `http://…` or `https://…`, without a path.
        init?(_ text: String) {
            guard let range = text.range(of: "://"),
                let scheme = Scheme(rawValue: text[..<range.lowerBound].lowercased())
            else { return nil }
            self.init(scheme: scheme, authority: text[range.upperBound...])
        }

        var description: String { "\(scheme)://\(host)" + (port == scheme.port ? "" : ":\(port)") }
    }

    private let scheme: Scheme
    private let allowed: [Origin]

    /// - Parameters:
    ///   - hosts: names that are allowed besides the loopback's and the listening one: `name`, `name:port`, or with
    ///     `https://` before it where something in front of us does TLS.
    init(scheme: Scheme, listenHost: String, port: UInt16, hosts: [String]) {
        self.scheme = scheme
        let listenHost = listenHost.contains(":") ? "[\(listenHost)]" : listenHost.lowercased()
        let own = ["localhost", "127.0.0.1", "[::1]", listenHost].map { Origin(scheme: scheme, host: $0, port: port) }
        allowed =
            own
            + hosts.flatMap { host -> [Origin] in
                if let origin = Origin(host) { return [origin] }
                guard let origin = Origin(scheme: scheme, authority: host) else { return [] }
                let hasPort = host.lowercased() != origin.host
                return hasPort ? [origin] : [origin, Origin(scheme: scheme, host: origin.host, port: port)]
            }
    }

    /// Whether `text` is something that `query.hosts` may hold.
    static func isValid(_ text: String) -> Bool {
        Origin(text) != nil || Origin(scheme: .http, authority: text) != nil
    }

    /// - Parameters:
    ///   - host: the header `Host`.
    ///   - origin: the header `Origin`.
    /// - Returns: what the caller calls us.
    /// - Throws: 403 `forbidden`.
    func check(host: String?, origin: String?) throws(Problem) -> Origin {
        guard let host else { throw .forbidden("the request names no host") }
        let found = allowed.first { Origin(scheme: $0.scheme, authority: host) == $0 }
        guard let found else {
            throw .forbidden("\"\(host)\" is no host of this server: list it under query.hosts if it should be")
        }
        if let origin {
            // A name may be reached with and without TLS in front of us.
            let matches = allowed.contains { $0 == Origin(origin) && Origin(scheme: $0.scheme, authority: host) == $0 }
            guard matches else { throw .forbidden("requests from pages of \(origin) are not answered") }
        }
        return found
    }
}
