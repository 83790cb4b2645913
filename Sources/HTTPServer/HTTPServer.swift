import CMicroHTTPD
import Glibc
import Synchronization

/// What a server allows; everything beyond is refused.
package struct HTTPLimits: Sendable {
    package var threadCount: Int
    /// A longer body is answered with 413.
    package var bodyBytesMax: Int
    /// Request line and header fields of one request; more is answered with 414 or 431.
    package var headerBytesMax: Int
    package var connectionsMax: Int
    /// nil: one client may take all connections.
    package var connectionsPerAddressMax: Int?
    /// How long a connection may be silent, unless it waits for our answer.
    package var timeoutSeconds: Int

    package init(
        threadCount: Int, bodyBytesMax: Int, headerBytesMax: Int, connectionsMax: Int, connectionsPerAddressMax: Int?,
        timeoutSeconds: Int
    ) {
        self.threadCount = threadCount
        self.bodyBytesMax = bodyBytesMax
        self.headerBytesMax = headerBytesMax
        self.connectionsMax = connectionsMax
        self.connectionsPerAddressMax = connectionsPerAddressMax
        self.timeoutSeconds = timeoutSeconds
    }

    /// How much of a body that is too large is read and dropped, to get the 413 across.
    var drainBytesMax: Int { bodyBytesMax * 8 }

    /// What all bodies may take while they arrive: nobody knows yet who sends them.
    var arrivingBytesMax: Int { bodyBytesMax * 64 }
}

/// An HTTP/1.1 server (GNU libmicrohttpd) with a pool of epoll threads.
///
/// A request that waits for its answer holds no thread: its connection is suspended until `HTTPResponder.respond`.
package final class HTTPServer: Sendable {
    /// Runs on a server thread, so it must not block: it hands slow work to threads of its own.
    package typealias Handler = @Sendable (HTTPRequest, HTTPResponder) -> Void

    /// Safe: used once, by whoever takes it out of its lock.
    @safe
    private struct Daemon {
        let pointer: OpaquePointer
    }

    /// How long `stop()` waits for its last answers to be sent.
    private static let farewellMillis = 1000

    /// The port that was really bound, also when 0 was asked for.
    package let boundPort: Int
    private let service: Service
    private let daemon: Mutex<Daemon?>

    /// Serves at `host` (a name or number) only; port 0 lets the kernel choose.
    package convenience init(
        host: String, port: Int, limits: HTTPLimits, handler: @escaping Handler
    ) throws(HTTPServerError) {
        try self.init(try HTTPListener(host: host, port: port), limits: limits, handler: handler)
    }

    /// - Parameters:
    ///   - socket: the server's from now on.
    ///   - identity: who the server is over TLS; nil: no TLS.
    package init(
        _ socket: HTTPListener, identity: TLSIdentity? = nil, limits: HTTPLimits, handler: @escaping Handler
    ) throws(HTTPServerError) {
        // libmicrohttpd deals the connections out to its threads.
        precondition(limits.threadCount > 0 && limits.connectionsMax >= limits.threadCount, "each thread needs a share")
        boundPort = socket.boundPort
        service = Service(limits: limits, isSecure: identity != nil, handler: handler)
        // Safe: the texts of the certificate and the key are lent while the daemon starts.
        var options = unsafe CMicroHTTPD_Options(
            listen_socket: socket.descriptor, threads: UInt32(limits.threadCount),
            connections_max: UInt32(limits.connectionsMax),
            connections_per_address_max: UInt32(limits.connectionsPerAddressMax ?? 0),
            timeout_seconds: UInt32(limits.timeoutSeconds), connection_memory_bytes: limits.headerBytesMax,
            certificate_pem: nil, key_pem: nil)
        // Safe: the service outlives the daemon, since `stop` runs at the latest in deinit.
        let context = unsafe Unmanaged.passUnretained(service).toOpaque()
        let pointer = unsafe TLSIdentity.withTexts(of: identity) { certificate, key in
            unsafe options.certificate_pem = certificate
            unsafe options.key_pem = key
            return unsafe CMicroHTTPD_start(&options, context, targetWasRead, requestDidProceed, requestDidComplete)
        }
        // Most failures have closed the socket already; closing it again could hit a descriptor of somebody else.
        guard let pointer = unsafe pointer else {
            throw .cannotStart(host: socket.host, port: socket.boundPort, isSecure: identity != nil)
        }
        let started = unsafe Daemon(pointer: pointer)
        daemon = Mutex(started)
    }

    deinit { stop() }

    /// Stops accepting, answers 503 to what is under way, and ends the threads; harmless when repeated.
    /// Blocks for up to about a second. Never called from the handler.
    package func stop() {
        let taken = daemon.withLock { $0.take() }
        guard let taken else { return }
        // Safe: this call owns the daemon now. The socket is closed last, since threads may watch it until they end.
        let socket = unsafe MHD_quiesce_daemon(taken.pointer)
        // libmicrohttpd aborts when a connection is still suspended at its end, so each must be answered first.
        service.refuseAll()
        for _ in 0..<(HTTPServer.farewellMillis / 5) where service.openCount > 0 {
            usleep(5000)
            // A stream that had been answered, but not begun to be sent, waits only now.
            service.refuseAll()
        }
        unsafe MHD_stop_daemon(taken.pointer)
        if socket >= 0 { close(socket) }
    }
}

/// What the C callbacks work with: the handler, the limits, and the requests that wait for an answer.
final class Service: Sendable {
    private struct State {
        var isStopping = false
        var open: [ObjectIdentifier: Exchange] = [:]
    }

    let limits: HTTPLimits
    let isSecure: Bool
    let handler: HTTPServer.Handler
    /// What bodies that are arriving take.
    private let arrivingBytes = Atomic(0)
    private let state = Mutex(State())

    init(limits: HTTPLimits, isSecure: Bool, handler: @escaping HTTPServer.Handler) {
        self.limits = limits
        self.isSecure = isSecure
        self.handler = handler
    }

    var openCount: Int { state.withLock { $0.open.count } }

    /// Takes room for so many more bytes of a body.
    /// - Returns: false if there is none.
    func takeRoom(_ byteCount: Int) -> Bool {
        let (_, total) = arrivingBytes.add(byteCount, ordering: .relaxed)
        if total <= limits.arrivingBytesMax { return true }
        giveRoomBack(byteCount)
        return false
    }

    func giveRoomBack(_ byteCount: Int) { arrivingBytes.subtract(byteCount, ordering: .relaxed) }

    /// - Returns: false when the server is stopping, so nobody would answer.
    func register(_ exchange: Exchange) -> Bool {
        state.withLock { state in
            if state.isStopping { return false }
            state.open[ObjectIdentifier(exchange)] = exchange
            return true
        }
    }

    func unregister(_ exchange: Exchange) {
        _ = state.withLock { $0.open.removeValue(forKey: ObjectIdentifier(exchange)) }
    }

    func refuseAll() {
        let open = state.withLock { state in
            state.isStopping = true
            return Array(state.open.values)
        }
        for exchange in open { exchange.stop() }
    }
}

// The callbacks of libmicrohttpd.
// Safe throughout: the context is the service, which outlives the daemon; the exchange is retained from the first
// callback of its request to the last.

private func targetWasRead(
    _ context: UnsafeMutableRawPointer?, _ target: UnsafePointer<CChar>?, _ connection: OpaquePointer?
) -> UnsafeMutableRawPointer? {
    guard let target = unsafe target else { return nil }
    let bytes = unsafe Array(UnsafeRawBufferPointer(start: target, count: strlen(target)))
    return unsafe Unmanaged.passRetained(Exchange(rawTarget: bytes)).toOpaque()
}

private func requestDidProceed(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?, _ decodedPath: UnsafePointer<CChar>?,
    _ method: UnsafePointer<CChar>?, _ version: UnsafePointer<CChar>?, _ uploaded: UnsafePointer<CChar>?,
    _ uploadedCount: UnsafeMutablePointer<Int>?, _ state: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let context = unsafe context, let connection = unsafe connection, let method = unsafe method,
        let version = unsafe version, let uploadedCount = unsafe uploadedCount, let exchange = unsafe state?.pointee
    else { return .NO }
    let service = unsafe Unmanaged<Service>.fromOpaque(context).takeUnretainedValue()
    return unsafe Unmanaged<Exchange>.fromOpaque(exchange).takeUnretainedValue()
        .proceed(service, connection, method: method, version: version, uploaded, &uploadedCount.pointee)
}

private func requestDidComplete(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?,
    _ state: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ reason: MHD_RequestTerminationCode
) {
    guard let context = unsafe context, let state = unsafe state, let pointer = unsafe state.pointee else { return }
    unsafe state.pointee = nil
    let exchange = unsafe Unmanaged<Exchange>.fromOpaque(pointer).takeRetainedValue()
    let service = unsafe Unmanaged<Service>.fromOpaque(context).takeUnretainedValue()
    exchange.end(service)
    service.unregister(exchange)
}
