import EventLoop
import Glibc
import Testing

/// Runs a loop until `body`'s callbacks stop it; then closes it and counts what is left.
///
/// A loop that does not stop by itself within 30 seconds fails the test.
func withLoop(_ body: (Loop) throws -> Void, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let loop = try Loop()
    defer {
        loop.close()
        #expect(loop.liveHandleCount == 0, sourceLocation: sourceLocation)
    }
    try body(loop)
    let watchdog = Timer(loop)
    watchdog.start(afterMillis: 30_000) {
        Issue.record("the loop did not stop", sourceLocation: sourceLocation)
        loop.stop()
    }
    loop.run()
}

/// Where a test listens.
enum Place {
    case tcp
    case unix(String)

    func listen(_ loop: Loop, onAccept: @escaping (Stream) -> Void) throws -> Listener {
        let accept: Listener.AcceptHandler = { result in
            switch result {
            case .success(let stream): onAccept(stream)
            case .failure(let error): Issue.record(error)
            }
        }
        switch self {
        case .tcp: return try Listener(loop, host: "127.0.0.1", port: 0, backlog: 2000, onAccept: accept)
        case .unix(let path): return try Listener(loop, unixPath: path, mode: 0o660, backlog: 2000, onAccept: accept)
        }
    }

    func connect(_ loop: Loop, to listener: Listener, onConnect: @escaping (Stream) -> Void) {
        let connect: Stream.ConnectHandler = { result in
            switch result {
            case .success(let stream): onConnect(stream)
            case .failure(let error): Issue.record(error)
            }
        }
        switch self {
        case .tcp:
            let port = listener.boundPort
            Stream.connect(loop, host: "127.0.0.1", port: port, withinMillis: 20_000, onConnect: connect)
        case .unix(let path):
            Stream.connect(loop, unixPath: path, withinMillis: 20_000, onConnect: connect)
        }
    }
}

/// The bytes of a span that a callback received.
func copy(_ span: RawSpan) -> [UInt8] {
    unsafe span.withUnsafeBytes { unsafe Array($0) }
}

/// Sends back what comes, until the peer ends.
func echo(_ stream: Stream) {
    stream.startReading(
        onBytes: { stream.write(copy($0)) },
        onEnd: { stream.closeAfterWrites(withinMillis: 10_000) })
}

/// A thousand connections have two thousand ends.
func raiseDescriptorLimit() {
    var limit = rlimit()
    _ = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = min(limit.rlim_max, 8192)
    _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}
