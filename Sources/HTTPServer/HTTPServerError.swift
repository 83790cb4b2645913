import Glibc

/// Why a server could not start.
package enum HTTPServerError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The host is no address of this machine, by name or number; `reason` is the resolver's.
    case unknownHost(String, reason: String)
    /// The operating system refused the listening socket; `code` is `errno`.
    case cannotListen(host: String, port: Int, code: Int32)
    /// libmicrohttpd could not start: no memory, threads or descriptors; over TLS also: certificate or key are none, or
    /// do not belong together.
    case cannotStart(host: String, port: Int, isSecure: Bool)

    package var description: String {
        switch self {
        case .unknownHost(let host, let reason): "cannot resolve \(host): \(reason)"
        case .cannotListen(let host, let port, let code):
            // Safe: strerror returns a static C string; a race could only mix two messages.
            "cannot listen on \(host) port \(port): \(unsafe strerror(code).map { unsafe String(cString: $0) } ?? "")"
        case .cannotStart(let host, let port, let isSecure):
            "cannot start the HTTP server on \(host) port \(port)"
                + (isSecure ? ": is the certificate or the key damaged, or of another pair?" : "")
        }
    }
}
