/// The event types that mean something to Tidemark itself (protocol/batch.md §9).
public enum ReservedType: String, Sendable, CaseIterable {
    /// From here on the anonymous id is this user.
    case identify = "$identify"
    /// The user that property `previous_id` names was this user.
    case alias = "$alias"
    /// The user belongs to the group; traits describe the group.
    case group = "$group"
    /// The event's traits describe the user.
    case setTraits = "$set_traits"
    /// The anonymous id's timeline is cut here.
    case signOut = "$sign_out"
    /// Cut, and the device gets a new anonymous id.
    case reset = "$reset"
    /// The flags' consent holds from here on.
    case consent = "$consent"

    /// Whether a type of this text is reserved, known or not.
    public static func isReserved(_ type: String) -> Bool { type.utf8.first == UInt8(ascii: "$") }

    /// The property of `$alias` that holds the earlier id.
    public static let previousIDName = "previous_id"
}
