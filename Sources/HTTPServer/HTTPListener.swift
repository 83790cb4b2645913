import Glibc

/// A bound and listening TCP socket, to be handed to a server once.
///
/// Made here and not there, so that a refusal has a reason and the chosen port can be read.
package struct HTTPListener: Sendable {
    /// Connections that wait to be accepted, at most.
    private static let backlog: Int32 = 1024

    let host: String
    let descriptor: Int32
    /// The port that was really bound, also when 0 was asked for.
    package let boundPort: Int

    /// Binds `host` (a name or number) only; port 0 lets the kernel choose.
    package init(host: String, port: Int) throws(HTTPServerError) {
        self.host = host
        // Safe: a C structure of zeros; it borrows nothing.
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_NUMERICSERV | AI_PASSIVE
        var list: UnsafeMutablePointer<addrinfo>?
        // Safe: the list is freed once, after its last use; gai_strerror returns static strings.
        let status = unsafe getaddrinfo(host, String(port), &hints, &list)
        guard status == 0, let first = unsafe list else {
            throw .unknownHost(host, reason: unsafe String(cString: gai_strerror(status)))
        }
        defer { unsafe freeaddrinfo(first) }
        do throws(Errno) {
            (descriptor, boundPort) = try unsafe Self.listen(first.pointee)
        } catch {
            throw .cannotListen(host: host, port: port, code: error.code)
        }
    }

    private struct Errno: Error { let code: Int32 }

    private static func listen(_ info: addrinfo) throws(Errno) -> (Int32, Int) {
        let flags = Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = unsafe socket(info.ai_family, info.ai_socktype | flags, info.ai_protocol)
        guard descriptor >= 0 else { throw Errno(code: errno) }
        var yes: Int32 = 1
        var name = sockaddr_storage()
        var nameLength = socklen_t(MemoryLayout<sockaddr_storage>.size)
        // Safe: each pointer is used only during its call, with the size of what it points to.
        let isListening = unsafe withUnsafeMutableBytes(of: &name) { room in
            let address = unsafe room.baseAddress!.assumingMemoryBound(to: sockaddr.self)
            let yesLength = socklen_t(MemoryLayout<Int32>.size)
            return unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, yesLength) == 0
                && bind(descriptor, info.ai_addr, info.ai_addrlen) == 0
                && Glibc.listen(descriptor, backlog) == 0
                && getsockname(descriptor, address, &nameLength) == 0
        }
        guard isListening else {
            let code = errno
            close(descriptor)
            throw Errno(code: code)
        }
        // Safe: the port lies at the same place in sockaddr_in and sockaddr_in6, in network order.
        let bigEndian = unsafe withUnsafeBytes(of: name) { unsafe $0.load(as: sockaddr_in.self).sin_port }
        return (descriptor, Int(UInt16(bigEndian: bigEndian)))
    }
}

/// The address as a number in text; empty when there is none.
func numericAddress(_ address: UnsafePointer<sockaddr>?) -> String {
    guard let address = unsafe address else { return "" }
    let isIPv6 = unsafe Int32(address.pointee.sa_family) == AF_INET6
    let size = isIPv6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size
    // Safe: the size fits the family, and the buffer has the length that is told.
    return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(NI_MAXHOST)) { room in
        let status = unsafe getnameinfo(
            address, socklen_t(size), room.baseAddress, socklen_t(room.count), nil, 0, NI_NUMERICHOST)
        return status == 0 ? unsafe String(cString: room.baseAddress!) : ""
    }
}
