/// Why bytes could not be read as what they claim to be.
///
/// `offset` counts from the start of the span that was being read.
public enum DecodeError: Error, Equatable, Sendable {
    /// The bytes end before the value does.
    case truncated(offset: Int)
    /// A varint is longer than its type allows.
    case varintTooLong(offset: Int)
    /// A value is outside what the format allows; `what` names the field of the format's document.
    case invalid(what: StaticString, offset: Int)
    /// A count or length is over its limit.
    case overLimit(what: StaticString, value: UInt64, limit: UInt64)

    public static func == (left: DecodeError, right: DecodeError) -> Bool {
        "\(left)" == "\(right)"
    }
}

extension DecodeError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .truncated(let offset): "truncated at byte \(offset)"
        case .varintTooLong(let offset): "varint too long at byte \(offset)"
        case .invalid(let what, let offset): "invalid \(what) at byte \(offset)"
        case .overLimit(let what, let value, let limit): "\(what) \(value) is over the limit of \(limit)"
        }
    }
}
