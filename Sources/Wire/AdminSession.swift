import Bytes

/// An operator's end of a connection: requests and their replies. No I/O, no clock. protocol/frames.md §9.
public struct AdminSession: Sendable {
    public enum Action: Equatable, Sendable {
        case send([UInt8])
        case replied(AdminReply)
        /// The session is over: refused, or the server went.
        case failed(ErrorMessage)
    }

    /// Replies may take as long as a compaction, so only the handshake has a deadline besides the keepalive.
    static let handshakeMilliseconds: UInt64 = 10_000

    /// Whose token it is; nil before HELLO_ACK.
    public private(set) var role: Role?
    private let token: String
    private var link: ClientLink
    private var waiting: [AdminRequest] = []
    private var nextNumber: UInt64 = 1
    private var isOver = false

    public init(token: String, now: Moment) {
        self.token = token
        link = ClientLink(now: now)
    }

    public mutating func connected(now: Moment) -> [Action] {
        [.send(link.begin(
            token: token, sdk: (name: "tidemark", version: "0"), timeout: Self.handshakeMilliseconds, now: now))]
    }

    /// - Parameter argument: JSON text.
    /// - Returns: the number the reply will have.
    public mutating func request(verb: String, argument: String) -> (number: UInt64, [Action]) {
        let request = AdminRequest(number: nextNumber, verb: verb, argument: argument)
        nextNumber += 1
        waiting.append(request)
        return (request.number, flush())
    }

    public mutating func receive(_ piece: RawSpan, now: Moment) -> [Action] {
        var actions: [Action] = []
        do throws(WireError) {
            var offset = 0
            while !isOver, let message = try link.next(piece, &offset, now: now) {
                switch message {
                case .helloAcknowledgement(let answer):
                    role = answer.role
                    actions += flush()
                case .adminReply(let reply): actions.append(.replied(reply))
                case .ping(let ping):
                    actions.append(.send(Pong(number: ping.number, clockMicros: now.clockMicros).encoded()))
                case .pong, .goAway: break
                case .error(let error): actions += fail(error.code, error.detail)
                default: throw .unexpected(message.type)
                }
            }
        } catch {
            actions += fail(error.code, error.description)
        }
        return actions
    }

    public mutating func tick(now: Moment) -> [Action] {
        do {
            return try link.tick(now: now).map { [.send($0)] } ?? []
        } catch {
            return fail(error.code, error.description)
        }
    }

    private mutating func flush() -> [Action] {
        guard link.limits != nil, !isOver else { return [] }
        let ready = waiting
        waiting = []
        return ready.map { .send($0.encoded()) }
    }

    private mutating func fail(_ code: ErrorCode, _ detail: String) -> [Action] {
        guard !isOver else { return [] }
        isOver = true
        link.end()
        return [.failed(ErrorMessage(code: code, detail: detail))]
    }
}
