/// One event as a person thinks of it. Batches hold columns; this is for producers, tests and dumps.
public struct Event: Sendable, Equatable {
    /// What happened, 1–200 bytes of UTF-8. Types that start with `$` are reserved: `ReservedType`.
    public var type: String
    /// When it happened, in µs since 1970-01-01 UTC.
    public var timestampMicros: Int64
    public var userID: String?
    public var anonymousID: String?
    /// The session the application named, if it did.
    public var sessionID: String?
    public var groupKey: String?
    public var isServerSide = false
    public var consent = Consent.unknown
    /// The producer's own id; nil means the id derived from source and sequence.
    public var eventID: EventID?
    public var values: [EventValue] = []

    public init(type: String, timestampMicros: Int64) {
        self.type = type
        self.timestampMicros = timestampMicros
    }

    /// What the person allowed, as it travels in bits 1–2 of the flags (protocol/batch.md §5).
    public enum Consent: UInt8, Sendable, CaseIterable {
        case unknown = 0
        case granted = 1
        case denied = 2
    }
}

/// One named value of an event.
public struct EventValue: Sendable, Equatable {
    public var scope: Scope
    /// 1–255 bytes of UTF-8, unique within the event and scope.
    public var name: String
    public var value: Value

    public init(_ scope: Scope, _ name: String, _ value: Value) {
        self.scope = scope
        self.name = name
        self.value = value
    }

    /// What the value describes; raw values as in protocol/batch.md §6.
    public enum Scope: UInt8, Sendable, CaseIterable {
        case property = 1
        case device = 2
        case location = 3
        case context = 4
        case trait = 5
    }

    public enum Value: Sendable, Equatable {
        case bool(Bool)
        case int64(Int64)
        /// Finite.
        case float64(Double)
        case string(String)
        /// A JSON text, kept as it is written.
        case json(String)
    }
}

/// The type of a value column; raw values as in protocol/batch.md §6.
public enum ValueType: UInt8, Sendable, CaseIterable {
    case bool = 1
    case int64 = 2
    case float64 = 3
    case string = 4
    case json = 5
}
