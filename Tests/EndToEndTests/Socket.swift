import Glibc

/// A blocking socket of a test, by its descriptor. One thread at a time.
final class Socket {
    enum Place: Sendable {
        case tcp(port: Int)
        case unix(path: String)
    }

    enum Received: Equatable {
        case bytes([UInt8])
        /// Nothing came in time.
        case nothing
        /// The other side closed or is gone.
        case end
    }

    struct Refused: Error {
        let code: Int32
    }

    private let descriptor: Int32

    init(_ place: Place) throws(Refused) {
        let family: Int32
        switch place {
        case .tcp: family = AF_INET
        case .unix: family = AF_UNIX
        }
        descriptor = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Refused(code: errno) }
        let status = Self.connect(descriptor, place)
        // The descriptor is closed by deinit, which runs since every property has its value.
        guard status == 0 else { throw Refused(code: status) }
        var timeout = timeval(tv_sec: 5, tv_usec: 0)
        // Safe: the call reads the local it is given.
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    private static func connect(_ descriptor: Int32, _ place: Place) -> Int32 {
        // Safe: each address is a local of its own size, read by the call only.
        switch place {
        case .tcp(let port):
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(UInt16(port)).bigEndian
            address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
            let status = unsafe withUnsafeBytes(of: &address) { bytes in
                unsafe Glibc.connect(
                    descriptor, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
            }
            return status == 0 ? 0 : errno
        case .unix(let path):
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            guard path.utf8.count < 108 else { return ENAMETOOLONG }
            unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
            let status = unsafe withUnsafeBytes(of: &address) { bytes in
                unsafe Glibc.connect(
                    descriptor, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
            }
            return status == 0 ? 0 : errno
        }
    }

    /// - Returns: false if the other side is gone, or takes nothing for five seconds.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            // Safe: the kernel reads what is left of the array, within the closure.
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.send(descriptor, buffer.baseAddress! + sent, buffer.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// Sends what the kernel takes at once.
    /// - Returns: how many bytes that were; nil if the other side is gone.
    func sendWithoutWaiting(_ bytes: [UInt8]) -> Int? {
        // Safe: as above.
        let count = unsafe bytes.withUnsafeBytes { buffer in
            unsafe Glibc.send(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
        }
        if count < 0 { return errno == EAGAIN ? 0 : nil }
        return count
    }

    func receive(withinMillis millis: Int32) -> Received {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        // Safe: one local entry.
        let ready = unsafe poll(&entry, 1, millis)
        guard ready > 0 else { return .nothing }
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        // Safe: the kernel writes at most the array's size.
        let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
        if count < 0 && errno == EINTR { return .nothing }
        return count > 0 ? .bytes(Array(buffer[..<count])) : .end
    }

    /// Everything until the other side closes.
    /// - Returns: nil if it does not within the time.
    func receiveAll(withinMillis millis: Int) -> [UInt8]? {
        let deadline = ContinuousClock.now + .milliseconds(millis)
        var all: [UInt8] = []
        while ContinuousClock.now < deadline {
            switch receive(withinMillis: 50) {
            case .bytes(let bytes): all += bytes
            case .nothing: continue
            case .end: return all
            }
        }
        return nil
    }
}
