import Bytes

/// Any frame, decoded.
public enum Message: Equatable, Sendable {
    case hello(Hello)
    case helloAcknowledgement(HelloAcknowledgement)
    case open(Open)
    case opened(Opened)
    case batch(BatchFrame)
    case acknowledgement(Acknowledgement)
    case negativeAcknowledgement(NegativeAcknowledgement)
    case skip(Skip)
    case close(Close)
    case goAway(GoAway)
    case error(ErrorMessage)
    case admin(AdminRequest)
    case adminReply(AdminReply)
    case ping(Ping)
    case pong(Pong)

    /// - Parameter piece: the bytes that were being read when the decoder yielded `frame`.
    /// - Returns: nil for an unknown even type, which is skipped.
    /// - Throws: `.field`, `.missingField`, `.unknownField`, `.header`.
    public init?(_ frame: DecodedFrame, in piece: RawSpan) throws(WireError) {
        guard let type = FrameType(rawValue: frame.header.type) else { return nil }
        if type == .batch {
            self = .batch(try BatchFrame(frame.header, frame.payload, in: piece))
            return
        }
        switch frame.payload {
        case .inPiece(let range): try self.init(type, frame.header, piece.extracting(range))
        case .collected(let bytes): try self.init(type, frame.header, bytes.rawSpan)
        }
    }

    private init(_ type: FrameType, _ header: FrameHeader, _ payload: RawSpan) throws(WireError) {
        switch type {
        case .hello: self = .hello(try Hello(header, payload))
        case .helloAcknowledgement: self = .helloAcknowledgement(try HelloAcknowledgement(header, payload))
        case .open: self = .open(try Open(header, payload))
        case .opened: self = .opened(try Opened(header, payload))
        case .batch: preconditionFailure("a BATCH keeps its payload")
        case .acknowledgement: self = .acknowledgement(try Acknowledgement(header, payload))
        case .negativeAcknowledgement:
            self = .negativeAcknowledgement(try NegativeAcknowledgement(header, payload))
        case .skip: self = .skip(try Skip(header, payload))
        case .close: self = .close(try Close(header, payload))
        case .goAway: self = .goAway(try GoAway(header, payload))
        case .error: self = .error(try ErrorMessage(header, payload))
        case .admin: self = .admin(try AdminRequest(header, payload))
        case .adminReply: self = .adminReply(try AdminReply(header, payload))
        case .ping: self = .ping(try Ping(header, payload))
        case .pong: self = .pong(try Pong(header, payload))
        }
    }

    /// The whole frame.
    public func encoded() -> [UInt8] {
        switch self {
        case .hello(let message): message.encoded()
        case .helloAcknowledgement(let message): message.encoded()
        case .open(let message): message.encoded()
        case .opened(let message): message.encoded()
        case .batch(let message): message.encoded()
        case .acknowledgement(let message): message.encoded()
        case .negativeAcknowledgement(let message): message.encoded()
        case .skip(let message): message.encoded()
        case .close(let message): message.encoded()
        case .goAway(let message): message.encoded()
        case .error(let message): message.encoded()
        case .admin(let message): message.encoded()
        case .adminReply(let message): message.encoded()
        case .ping(let message): message.encoded()
        case .pong(let message): message.encoded()
        }
    }

    var type: FrameType {
        switch self {
        case .hello: .hello
        case .helloAcknowledgement: .helloAcknowledgement
        case .open: .open
        case .opened: .opened
        case .batch: .batch
        case .acknowledgement: .acknowledgement
        case .negativeAcknowledgement: .negativeAcknowledgement
        case .skip: .skip
        case .close: .close
        case .goAway: .goAway
        case .error: .error
        case .admin: .admin
        case .adminReply: .adminReply
        case .ping: .ping
        case .pong: .pong
        }
    }
}
