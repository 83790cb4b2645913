import CUV
import Glibc

/// Accepts connections at a TCP port or a Unix path. Must be closed. Safe throughout: stable, owned.
@safe
package final class Listener {
    /// Receives each connection; or why one could not be taken, such as `EMFILE`, which is worth a log line only.
    package typealias AcceptHandler = (Result<Stream, EventLoopError>) -> Void

    private let loop: Loop
    private let kind: Stream.Kind
    private let place: String
    private let handle: UnsafeMutablePointer<uv_stream_t>
    private var onAccept: AcceptHandler?

    /// The port that was really bound, also when 0 was asked for; 0 for a Unix path.
    package private(set) var boundPort = 0

    private init(
        _ loop: Loop, _ kind: Stream.Kind, place: String, _ handle: UnsafeMutableRawPointer,
        _ onAccept: @escaping AcceptHandler
    ) {
        self.loop = loop
        self.kind = kind
        self.place = place
        self.onAccept = onAccept
        unsafe self.handle = handle.assumingMemoryBound(to: uv_stream_t.self)
        unsafe loop.adopt(handle, owner: self) { [self] in self.onAccept = nil }
    }

    /// Listens at `host` (a name or a number) only; port 0 lets the kernel choose.
    /// - Parameter backlog: how many connections may wait to be accepted.
    package convenience init(
        _ loop: Loop, host: String, port: Int, backlog: Int, onAccept: @escaping AcceptHandler
    ) throws(EventLoopError) {
        let place = hostAndPort(host, port)
        let address = try Listener.resolve(loop, host, port)
        let tcp = unsafe loop.allocate(uv_tcp_t())
        _ = unsafe uv_tcp_init(loop.raw, tcp)  // fails only with flags
        unsafe self.init(loop, .tcp, place: place, UnsafeMutableRawPointer(tcp), onAccept)
        try closingOnError { () throws(EventLoopError) in
            try check(.bind, unsafe address.withPointer { unsafe uv_tcp_bind(tcp, $0, 0) })
            try listen(backlog: backlog)
            boundPort = try unsafe SocketAddress(.listen, place) { unsafe uv_tcp_getsockname(tcp, $0, $1) }.port
        }
    }

    /// Listens at a Unix socket, which is removed again by `close()`.
    ///
    /// A socket left by a killed process is replaced; one that answers is not: `EADDRINUSE`.
    /// - Parameter mode: the permissions of the path, in force before the first connection can be made.
    package convenience init(
        _ loop: Loop, unixPath path: String, mode: mode_t, backlog: Int, onAccept: @escaping AcceptHandler
    ) throws(EventLoopError) {
        try checkUnixPath(.bind, path)
        try removeStaleSocket(path)
        let pipe = unsafe loop.allocate(uv_pipe_t())
        _ = unsafe uv_pipe_init(loop.raw, pipe, 0)  // never fails
        unsafe self.init(loop, .unix, place: path, UnsafeMutableRawPointer(pipe), onAccept)
        try closingOnError { () throws(EventLoopError) in
            try check(.bind, unsafe uv_pipe_bind(pipe, path))
            // Before listen: until then nobody can connect, whatever the umask left open.
            try check(.bind, unsafe chmod(path, mode) == 0 ? 0 : -errno)
            try listen(backlog: backlog)
        }
    }

    /// Stops accepting; harmless when repeated. Accepted streams live on.
    package func close() {
        onAccept = nil
        unsafe loop.closeHandle(handle, of: self)
    }

    private func listen(backlog: Int) throws(EventLoopError) {
        try check(.listen, unsafe uv_listen(handle, Int32(clamping: backlog), connectionDidArrive))
    }

    private func check(_ operation: EventLoopError.Operation, _ status: Int32) throws(EventLoopError) {
        if status != 0 { throw EventLoopError(operation, place, code: status) }
    }

    private func closingOnError(_ body: () throws(EventLoopError) -> Void) throws(EventLoopError) {
        do { try body() } catch {
            close()
            throw error
        }
    }

    fileprivate func accept(_ status: Int32) {
        guard let onAccept else { return }
        guard status == 0 else { return onAccept(.failure(EventLoopError(.accept, place, code: status))) }
        let stream = Stream(loop, kind)
        do throws(EventLoopError) {
            try check(.accept, unsafe uv_accept(handle, stream.handle))
            try stream.didConnect()
        } catch {
            stream.close()
            return onAccept(.failure(error))
        }
        onAccept(.success(stream))
    }

    /// Blocks; meant for the start of a program.
    private static func resolve(_ loop: Loop, _ host: String, _ port: Int) throws(EventLoopError) -> SocketAddress {
        var request = unsafe uv_getaddrinfo_t()
        var hints = unsafe SocketAddress.hints
        // Safe: borrowed; without a callback the call is finished when it returns.
        let status = unsafe uv_getaddrinfo(loop.raw, &request, nil, host, String(port), &hints)
        guard status == 0 else { throw EventLoopError(.resolve, hostAndPort(host, port), code: status) }
        defer { unsafe uv_freeaddrinfo(request.addrinfo) }
        guard let address = unsafe SocketAddress.list(request.addrinfo).first else {
            throw EventLoopError(.resolve, hostAndPort(host, port), code: UV_EAI_NODATA.rawValue)
        }
        return address
    }
}

private func connectionDidArrive(_ handle: UnsafeMutablePointer<uv_stream_t>?, _ status: Int32) {
    guard let handle = unsafe handle else { return }
    unsafe owner(handle.pointee.data, as: Listener.self).accept(status)
}

/// libuv would cut a long path short in silence.
func checkUnixPath(_ operation: EventLoopError.Operation, _ path: String) throws(EventLoopError) {
    // Safe: only the size of the field is asked.
    let bytesMax = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1
    guard path.utf8.count <= bytesMax else { throw EventLoopError(operation, path, code: UV_ENAMETOOLONG.rawValue) }
    guard !path.isEmpty && !path.utf8.contains(0) else {
        throw EventLoopError(operation, path, code: UV_EINVAL.rawValue)
    }
}

/// Removes the socket at `path` if nobody answers there; anything but a socket is left for `bind` to refuse.
private func removeStaleSocket(_ path: String) throws(EventLoopError) {
    var status = stat()
    // Safe: the path is a checked string; stat is filled or not used.
    guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return }
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
    guard descriptor >= 0 else { throw EventLoopError(.bind, path, code: -errno) }
    defer { _ = Glibc.close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    // Safe: `checkUnixPath` has compared the length to the field, and the last byte stays zero.
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    let connected = unsafe withUnsafeBytes(of: address) { bytes in
        let pointer = unsafe bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
        return unsafe connect(descriptor, pointer, socklen_t(bytes.count)) == 0
    }
    // EAGAIN: somebody listens, with a full backlog.
    if connected || errno != ECONNREFUSED { throw EventLoopError(.bind, path, code: UV_EADDRINUSE.rawValue) }
    guard unsafe unlink(path) == 0 || errno == ENOENT else { throw EventLoopError(.bind, path, code: -errno) }
}
