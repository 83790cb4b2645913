import CUV
import Glibc

extension Stream {
    package typealias ConnectHandler = (Result<Stream, EventLoopError>) -> Void

    /// Connects to a host, given as name or number; its addresses are tried one after the other.
    /// - Parameter onConnect: called exactly once, from the loop.
    package static func connect(
        _ loop: Loop, host: String, port: Int, withinMillis deadlineMillis: UInt64, onConnect: @escaping ConnectHandler
    ) {
        let attempt = ConnectAttempt(loop, hostAndPort(host, port), deadlineMillis, onConnect)
        attempt.resolve(host, port)
    }

    /// Connects to a Unix socket.
    /// - Parameter onConnect: called exactly once, from the loop.
    package static func connect(
        _ loop: Loop, unixPath path: String, withinMillis deadlineMillis: UInt64, onConnect: @escaping ConnectHandler
    ) {
        let attempt = ConnectAttempt(loop, path, deadlineMillis, onConnect)
        attempt.connect(unixPath: path)
    }
}

/// One call of `Stream.connect` until it is answered. Its timer keeps it alive, then its request.
/// Safe throughout: stable.
private final class ConnectAttempt {
    private let loop: Loop
    private let place: String
    private let deadline: Timer
    private var onConnect: Stream.ConnectHandler?
    private var addresses: ArraySlice<SocketAddress> = []
    private var stream: Stream?

    init(_ loop: Loop, _ place: String, _ deadlineMillis: UInt64, _ onConnect: @escaping Stream.ConnectHandler) {
        self.loop = loop
        self.place = place
        self.onConnect = onConnect
        deadline = Timer(loop)
        deadline.start(afterMillis: deadlineMillis) { [self] in fail(.connect, code: UV_ETIMEDOUT.rawValue) }
    }

    func resolve(_ host: String, _ port: Int) {
        let request = UnsafeMutablePointer<uv_getaddrinfo_t>.allocate(capacity: 1)
        unsafe request.initialize(to: uv_getaddrinfo_t())
        let retained = unsafe Unmanaged.passRetained(self)
        unsafe request.pointee.data = retained.toOpaque()
        var hints = unsafe SocketAddress.hints
        // libuv copies the names and the hints.
        let status = unsafe uv_getaddrinfo(loop.raw, request, namesDidResolve, host, String(port), &hints)
        guard status == 0 else {
            unsafe retained.release()
            unsafe request.deallocate()
            return failSoon(.resolve, code: status)
        }
    }

    func didResolve(_ status: Int32, _ addresses: [SocketAddress]) {
        guard onConnect != nil else { return }
        guard status == 0, !addresses.isEmpty else { return fail(.resolve, code: status) }
        self.addresses = addresses[...]
        connectToNextAddress()
    }

    private func connectToNextAddress() {
        guard let address = addresses.popFirst() else { return }
        let stream = Stream(loop, .tcp)
        self.stream = stream
        let status = unsafe startRequest { request in
            unsafe address.withPointer { address in
                let tcp = unsafe UnsafeMutableRawPointer(stream.handle).assumingMemoryBound(to: uv_tcp_t.self)
                return unsafe uv_tcp_connect(request, tcp, address, connectDidEnd)
            }
        }
        if status != 0 { didConnect(status) }
    }

    func connect(unixPath path: String) {
        do { try checkUnixPath(.connect, path) } catch { return failSoon(error.operation, code: error.code) }
        let stream = Stream(loop, .unix)
        self.stream = stream
        _ = unsafe startRequest { request in
            let pipe = unsafe UnsafeMutableRawPointer(stream.handle).assumingMemoryBound(to: uv_pipe_t.self)
            unsafe uv_pipe_connect(request, pipe, path, connectDidEnd)
            return 0
        }
    }

    /// Retains the attempt until `connectDidEnd`, unless `start` says that there will be no callback.
    private func startRequest(_ start: (UnsafeMutablePointer<uv_connect_t>) -> Int32) -> Int32 {
        let request = UnsafeMutablePointer<uv_connect_t>.allocate(capacity: 1)
        unsafe request.initialize(to: uv_connect_t())
        let retained = unsafe Unmanaged.passRetained(self)
        unsafe request.pointee.data = retained.toOpaque()
        let status = unsafe start(request)
        if status != 0 {
            unsafe retained.release()
            unsafe request.deallocate()
        }
        return status
    }

    func didConnect(_ status: Int32) {
        guard onConnect != nil, let stream else { return }
        if status != 0 {
            guard !addresses.isEmpty else { return fail(.connect, code: status) }
            stream.close()
            return connectToNextAddress()
        }
        do throws(EventLoopError) {
            try stream.didConnect()
        } catch {
            return fail(.connect, code: error.code)
        }
        self.stream = nil
        answer(.success(stream))
    }

    private func fail(_ operation: EventLoopError.Operation, code: Int32) {
        stream?.close()
        stream = nil
        answer(.failure(EventLoopError(operation, place, code: code)))
    }

    /// For a failure found inside the call to `connect`: the answer comes from the loop all the same.
    private func failSoon(_ operation: EventLoopError.Operation, code: Int32) {
        deadline.start(afterMillis: 0) { [self] in fail(operation, code: code) }
    }

    private func answer(_ result: Result<Stream, EventLoopError>) {
        deadline.close()
        let onConnect = self.onConnect
        self.onConnect = nil
        onConnect?(result)
    }
}

private func namesDidResolve(
    _ request: UnsafeMutablePointer<uv_getaddrinfo_t>?, _ status: Int32, _ list: UnsafeMutablePointer<addrinfo>?
) {
    guard let request = unsafe request, let data = unsafe request.pointee.data else { return }
    let attempt = unsafe Unmanaged<ConnectAttempt>.fromOpaque(data).takeRetainedValue()
    let addresses = unsafe SocketAddress.list(list)
    unsafe uv_freeaddrinfo(list)
    unsafe request.deallocate()
    attempt.didResolve(status, addresses)
}

private func connectDidEnd(_ request: UnsafeMutablePointer<uv_connect_t>?, _ status: Int32) {
    guard let request = unsafe request, let data = unsafe request.pointee.data else { return }
    let attempt = unsafe Unmanaged<ConnectAttempt>.fromOpaque(data).takeRetainedValue()
    unsafe request.deallocate()
    attempt.didConnect(status)
}
