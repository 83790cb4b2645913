import CUV
import Glibc

/// Who is at the other end of a stream.
package enum Peer: Equatable, Sendable, CustomStringConvertible {
    /// `address` is numeric; an IPv4 address that arrived mapped into IPv6 is given as IPv4.
    case tcp(address: String, port: Int)
    case unix

    package var description: String {
        switch self {
        case .tcp(let address, let port): hostAndPort(address, port)
        case .unix: "unix"
        }
    }
}

/// A host and port as people write them.
func hostAndPort(_ host: String, _ port: Int) -> String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
}

/// An IPv4 or IPv6 address with its port.
struct SocketAddress {
    private var storage = sockaddr_storage()

    /// Copies what one `addrinfo` points to.
    init?(_ info: addrinfo) {
        // Safe: the resolver filled both fields, and its list lives for the call.
        let length = unsafe Int(info.ai_addrlen)
        guard let address = unsafe info.ai_addr, length <= MemoryLayout<sockaddr_storage>.size else { return nil }
        // Safe: the length was compared to the room.
        unsafe withUnsafeMutableBytes(of: &storage) { room in
            unsafe room.copyMemory(from: UnsafeRawBufferPointer(start: address, count: length))
        }
    }

    /// Reads a name with one of libuv's `getsockname` or `getpeername`.
    init(
        _ operation: EventLoopError.Operation, _ place: String,
        read: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<Int32>) -> Int32
    ) throws(EventLoopError) {
        var length = Int32(MemoryLayout<sockaddr_storage>.size)
        // Safe: borrowed; `length` tells the callee how much room there is.
        let status = unsafe withUnsafeMutableBytes(of: &storage) { room in
            unsafe read(room.baseAddress!.assumingMemoryBound(to: sockaddr.self), &length)
        }
        guard status == 0 else { throw EventLoopError(operation, place, code: status) }
    }

    /// - Parameter body: may use the pointer only until it returns.
    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>) -> Result) -> Result {
        // Safe: borrowed; sockaddr_storage is laid out to stand for any sockaddr.
        unsafe withUnsafeBytes(of: storage) { unsafe body($0.baseAddress!.assumingMemoryBound(to: sockaddr.self)) }
    }

    var port: Int {
        // Safe: borrowed. The port lies at the same place in sockaddr_in and sockaddr_in6, in network order.
        let bigEndian = unsafe withPointer { address in
            unsafe UnsafeRawPointer(address).assumingMemoryBound(to: sockaddr_in.self).pointee.sin_port
        }
        return Int(UInt16(bigEndian: bigEndian))
    }

    /// The numeric address without the port.
    var numeric: String {
        let mapped = "::ffff:"
        let text = unsafe withPointer { address in
            // Safe: the buffer has room for the longest address and its zero.
            unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
                let status = unsafe uv_ip_name(address, buffer.baseAddress, buffer.count)
                return status == 0 ? unsafe String(cString: buffer.baseAddress!) : ""
            }
        }
        return text.hasPrefix(mapped) && text.contains(".") ? String(text.dropFirst(mapped.count)) : text
    }

    /// All addresses of a list that `getaddrinfo` made.
    static func list(_ first: UnsafeMutablePointer<addrinfo>?) -> [SocketAddress] {
        var addresses: [SocketAddress] = []
        var next = unsafe first
        // Safe: the list is linked by the resolver and ends with nil.
        while let info = unsafe next {
            if let address = unsafe SocketAddress(info.pointee) { addresses.append(address) }
            unsafe next = info.pointee.ai_next
        }
        return addresses
    }

    /// What the resolver is asked for: TCP addresses, and a port that is already a number.
    static var hints: addrinfo {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_NUMERICSERV
        return unsafe hints
    }
}
