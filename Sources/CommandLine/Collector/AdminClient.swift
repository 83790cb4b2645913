import EventLoop
import JSON
import Telemetry
import Wire

/// Asks the collector for one thing over its Unix socket: protocol/frames.md §9. Blocks until it answers.
final class AdminClient {
    private let socket: String
    private let verb: String
    private let argument: String
    private let loop: Loop
    private let elapsedMicros: () -> Int64
    private var stream: Stream?
    private var session: AdminSession
    private var outcome: Result<AdminReply, CommandError>?

    private init(socket: String, token: String, verb: String, argument: String) throws {
        self.socket = socket
        self.verb = verb
        self.argument = argument
        loop = try Loop()
        let elapsedMicros = Console.monotonicMicros()
        self.elapsedMicros = elapsedMicros
        session = AdminSession(
            token: token, now: Moment(elapsedMicros: elapsedMicros(), clockMicros: Logger.systemClock()))
    }

    private var now: Moment { Moment(elapsedMicros: elapsedMicros(), clockMicros: Logger.systemClock()) }

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
        seconds.start(everyMillis: 1000) { [self] in
            onSecond()
            perform(session.tick(now: now))
        }
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
        perform(session.connected(now: now) + session.request(verb: verb, argument: argument).1)
    }

    private func receive(_ piece: RawSpan) {
        let actions = session.receive(piece, now: now)
        if let role = session.role, role != .admin {
            return end(.failure(.adminFailed(verb: verb, reason: "the token is not an admin's")))
        }
        perform(actions)
    }

    private func perform(_ actions: [AdminSession.Action]) {
        for action in actions {
            switch action {
            case .send(let bytes): stream?.write(bytes)
            case .replied(let reply): end(.success(reply))
            case .failed(let error): end(.failure(.refused(place: socket, reason: "\(error.code) \(error.detail)")))
            }
        }
    }
}
