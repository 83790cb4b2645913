import Bytes
import Config
import EventLoop

/// One HTTP request to a daemon on this machine or near it; blocks until the answer is there.
final class HTTPCall {
    private static let replyBytesMax = 1 << 30

    private let loop: Loop
    private let address: ListenAddress
    private var stream: Stream?
    private var received: [UInt8] = []
    private var outcome: Result<HTTPReply, CommandError>?

    private init(_ address: ListenAddress) throws {
        self.address = address
        loop = try Loop()
    }

    /// - Parameter deadlineMillis: how long the answer may take.
    static func post(
        _ address: ListenAddress, path: String, json: [UInt8], token: String?, deadlineMillis: UInt64
    ) throws -> HTTPReply {
        var lines = [
            "POST \(path) HTTP/1.1", "Host: \(address)", "Content-Type: application/json", "Accept: application/json",
            "Content-Length: \(json.count)", "Connection: close",
        ]
        if let token { lines.append("Authorization: Bearer \(token)") }
        let head = lines.joined(separator: "\r\n") + "\r\n\r\n"
        let call = try HTTPCall(address)
        defer { call.loop.close() }
        return try call.run(Array(head.utf8) + json, deadlineMillis: deadlineMillis)
    }

    private func run(_ request: [UInt8], deadlineMillis: UInt64) throws -> HTTPReply {
        let deadline = Timer(loop)
        deadline.start(afterMillis: deadlineMillis) { [self] in
            end(.failure(.malformedReply(place: "\(address)", reason: "none within \(deadlineMillis / 1000) s")))
        }
        let connected: Stream.ConnectHandler = { [self] result in
            switch result {
            case .success(let stream): didConnect(stream, request)
            case .failure(let error): end(.failure(.unreachable(place: "\(address)", reason: error.name)))
            }
        }
        Stream.connect(
            loop, host: address.host, port: Int(address.port), withinMillis: 5000, onConnect: connected)
        while outcome == nil { loop.run() }
        deadline.close()
        stream?.close()
        guard let outcome else { throw CommandError.connectionLost(place: "\(address)") }
        return try outcome.get()
    }

    private func end(_ result: Result<HTTPReply, CommandError>) {
        if outcome == nil { outcome = result }
        loop.stop()
    }

    private func didConnect(_ stream: Stream, _ request: [UInt8]) {
        self.stream = stream
        stream.onClosed = { [self] _ in conclude() }
        stream.startReading(
            onBytes: { [self] span in
                received += span.copy()
                if received.count > Self.replyBytesMax || HTTPReply.isComplete(received) { conclude() }
            },
            onEnd: { [self] in conclude() })
        stream.write(request)
    }

    private func conclude() {
        if received.isEmpty { return end(.failure(.hungUp(place: "\(address)"))) }
        guard let reply = HTTPReply(received) else {
            return end(.failure(.malformedReply(place: "\(address)", reason: "not a whole HTTP answer")))
        }
        end(.success(reply))
    }
}
