import Config

/// Whether what the configuration makes reachable is safe to be reached.
enum Exposure {
    enum Failure: Error, Equatable, CustomStringConvertible {
        case isOpen(ListenAddress)
        case hostInvalid(String)

        var description: String {
            switch self {
            case .isOpen(let address):
                "query.listen: others can reach \(address), and tokens would cross the network in the open: "
                    + "set query.tls, or query.insecure if something in front does TLS"
            case .hostInvalid(let text):
                "query.hosts: expected name, name:port or https://name, found \"\(text)\""
            }
        }
    }

    /// - Throws: why queryd should not start.
    static func check(_ config: QueryConfig) throws(Failure) {
        if let host = config.hosts.first(where: { !HostRules.isValid($0) }) { throw .hostInvalid(host) }
        guard config.tls != nil || config.isInsecureAllowed || isLoopback(config.listen.host) else {
            throw .isOpen(config.listen)
        }
    }

    /// Names other than `localhost` may resolve to anything.
    private static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
