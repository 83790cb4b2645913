/// Why a peer's bytes cannot be taken. Every case ends the connection with `code`.
public enum WireError: Error, Equatable, Sendable {
    /// The peer speaks something else: the preamble's magic is wrong.
    case magic
    /// No version in common.
    case version(peerLowest: UInt8, peerHighest: UInt8)
    /// The server refused our preamble with this code.
    case refused(code: UInt16)
    /// The header's own checksum does not hold, so none of its fields is believed.
    case headerChecksum(expected: UInt32, actual: UInt32)
    case payloadChecksum(type: UInt8, expected: UInt32, actual: UInt32)
    case payloadTooBig(bytes: UInt64, limit: Int)
    /// A header field breaks protocol/frames.md §2; `field` names it.
    case header(field: String, value: UInt64)
    case unknownType(UInt8)
    case unknownField(type: FrameType, id: UInt64)
    case missingField(type: FrameType, id: UInt64)
    /// A field out of order, cut short, too long, or of a value that is not allowed.
    case field(type: FrameType, id: UInt64)
    /// A frame that has no place in the connection's or the stream's phase.
    case unexpected(FrameType)
    case tooManyStreams(limit: Int)
    /// HELLO did not come in time, or the peer was silent for twice the keepalive.
    case timeout

    /// The code of the ERROR that answers it.
    public var code: ErrorCode {
        switch self {
        case .magic, .version, .refused: .version
        case .headerChecksum, .payloadChecksum: .checksum
        case .payloadTooBig: .frameTooBig
        case .timeout: .timeout
        case .header, .unknownType, .unknownField, .missingField, .field, .unexpected, .tooManyStreams:
            .protocolViolation
        }
    }
}

extension WireError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .magic: "not a preamble"
        case .version(let lowest, let highest): "no common version with \(lowest) to \(highest)"
        case .refused(let code): "preamble refused with code \(code)"
        case .headerChecksum(let expected, let actual):
            "header checksum \(expected), the bytes have \(actual)"
        case .payloadChecksum(let type, let expected, let actual):
            "payload checksum \(expected) of a frame of type \(type), the bytes have \(actual)"
        case .payloadTooBig(let bytes, let limit): "payload of \(bytes) bytes is over the limit of \(limit)"
        case .header(let field, let value): "header field \(field) must not be \(value)"
        case .unknownType(let type): "unknown frame type \(type)"
        case .unknownField(let type, let id): "\(type.name) has the unknown field \(id)"
        case .missingField(let type, let id): "\(type.name) lacks field \(id)"
        case .field(let type, let id): "\(type.name) has a bad field \(id)"
        case .unexpected(let type): "\(type.name) is not expected now"
        case .tooManyStreams(let limit): "more than \(limit) streams"
        case .timeout: "too long silent"
        }
    }
}
