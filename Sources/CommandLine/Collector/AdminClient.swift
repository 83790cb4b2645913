import Bytes
import EventLoop
import JSON
import Telemetry
import Wire

/// Asks the collector for one thing over its Unix socket: protocol/frames.md §9. Blocks until it answers.
final class AdminClient {
    private let socket: String
    private let token: String
    private let verb: String
    private let argument: String
    private let loop: Loop
    private var stream: Stream?
    private var preamble: [UInt8] = []
    private var decoder = FrameDecoder(payloadBytesMax: Limits.frameBytesMax)
    private var outcome: Result<AdminReply, CommandError>?

    private init(socket: String, token: String, verb: String, argument: String) throws {
        self.socket = socket
        self.token = token
        self.verb = verb
        self.argument = argument
        loop = try Loop()
    }

    /// - Parameters:
    ///   - deadlineMillis: how long the answer may take.
    ///   - onSecond: called every second of waiting.
    /// - Returns: the result.
    static func request(
        _ verb: String, _ argument: JSONValue, socket: String, token: String, deadlineMillis: UInt64 = 3_600_000,
        onSecond: @escaping () -> Void = {}
    ) throws -> JSONValue {
        let client = try AdminClient(socket: socket, token: token, verb: verb, argument: argument.description)
        defer { client.loop.close() }
        let reply = try client.run(deadlineMillis: deadlineMillis, onSecond: onSecond)
        let result: JSONValue
        do { result = try JSONValue(parsing: reply.result.isEmpty ? "{}" : reply.result) } catch {
            throw CommandError.malformedReply(place: socket, reason: error.description)
        }
        guard reply.status == .done else {
            let error = result["error"]
            let reason = error?.asString ?? error?["message"]?.asString ?? reply.result
            throw CommandError.adminFailed(verb: verb, reason: reason)
        }
        return result
    }

    private func run(deadlineMillis: UInt64, onSecond: @escaping () -> Void) throws -> AdminReply {
        let deadline = Timer(loop)
        deadline.start(afterMillis: deadlineMillis) { [self] in
            end(.failure(.adminFailed(verb: verb, reason: "no answer within \(deadlineMillis / 1000) s")))
        }
        let seconds = Timer(loop)
        seconds.start(everyMillis: 1000, handler: onSecond)
        Stream.connect(loop, unixPath: socket, withinMillis: 5000) { [self] result in
            switch result {
            case .success(let stream): didConnect(stream)
            case .failure(let error): end(.failure(.unreachable(place: socket, reason: error.name)))
            }
        }
        while outcome == nil { loop.run() }
        stream?.close()
        deadline.close()
        seconds.close()
        guard let outcome else { throw CommandError.connectionLost(place: socket) }
        return try outcome.get()
    }

    private func end(_ result: Result<AdminReply, CommandError>) {
        if outcome == nil { outcome = result }
        loop.stop()
    }

    private func didConnect(_ stream: Stream) {
        self.stream = stream
        stream.onClosed = { [self] _ in end(.failure(.connectionLost(place: socket))) }
        stream.startReading(
            onBytes: { [self] span in receive(span) },
            onEnd: { [self] in end(.failure(.connectionLost(place: socket))) })
        let hello = Hello(
            token: token, sdkName: "tidemark", sdkVersion: "0", features: 0, clockMicros: Logger.systemClock())
        stream.write(Preamble.ours.encoded() + hello.encoded())
    }

    private func receive(_ piece: RawSpan) {
        do {
            var offset = min(Preamble.byteCount - preamble.count, piece.byteCount)
            preamble += piece.copy(0..<offset)
            while let frame = try decoder.next(piece, &offset) {
                if let message = try Message(frame, in: piece) { receive(message) }
            }
        } catch {
            end(.failure(.malformedReply(place: socket, reason: "\(error)")))
        }
    }

    private func receive(_ message: Message) {
        switch message {
        case .helloAcknowledgement(let answer):
            guard answer.role == .admin else {
                return end(.failure(.adminFailed(verb: verb, reason: "the token is not an admin's")))
            }
            stream?.write(AdminRequest(number: 1, verb: verb, argument: argument).encoded())
        case .adminReply(let reply): end(.success(reply))
        case .ping(let ping):
            stream?.write(Pong(number: ping.number, clockMicros: Logger.systemClock()).encoded())
        case .error(let error):
            end(.failure(.refused(place: socket, reason: "\(error.code) \(error.detail)")))
        default: break
        }
    }
}
