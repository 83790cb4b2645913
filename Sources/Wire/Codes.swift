// The numbers of protocol/frames.md §4 and §7. A number that is not listed ends the connection (PROTOCOL).

/// The type byte of a frame. Odd types must be understood, even ones may be skipped.
public enum FrameType: UInt8, Sendable, CaseIterable {
    case hello = 1
    case helloAcknowledgement = 3
    case open = 5
    case opened = 7
    case batch = 9
    case acknowledgement = 11
    case negativeAcknowledgement = 13
    case skip = 15
    case close = 17
    case goAway = 21
    case error = 23
    case admin = 25
    case adminReply = 27
    case ping = 2
    case pong = 4

    /// The name in protocol/frames.md.
    public var name: String {
        switch self {
        case .hello: "HELLO"
        case .helloAcknowledgement: "HELLO_ACK"
        case .open: "OPEN"
        case .opened: "OPENED"
        case .batch: "BATCH"
        case .acknowledgement: "ACK"
        case .negativeAcknowledgement: "NACK"
        case .skip: "SKIP"
        case .close: "CLOSE"
        case .goAway: "GOAWAY"
        case .error: "ERROR"
        case .admin: "ADMIN"
        case .adminReply: "ADMIN_REPLY"
        case .ping: "PING"
        case .pong: "PONG"
        }
    }
}

/// Why events were not stored though their sequences are spent. Permanent.
public enum VerdictCode: UInt64, Sendable, CaseIterable {
    case malformed = 1
    case schema = 2
    case expired = 3
    case tooBig = 4
    case future = 5
}

/// Why nothing from the expected sequence on was taken.
public enum NackCode: UInt64, Sendable, CaseIterable {
    case rate = 64
    case quota = 65
    case diskFull = 66
    case backlog = 67
    case draining = 68
    case sequenceGap = 69
    case storage = 70
    case unackedLimit = 71
    case sequenceConflict = 96
    case fenced = 97
    case streamUnknown = 98
    case notAllowed = 99

    /// Whether the stream is closed by it.
    public var closesStream: Bool { rawValue >= 96 }
}

/// What the sender does after a NACK.
public enum RetryRule: UInt64, Sendable, CaseIterable {
    /// Rewind to the expected sequence at once.
    case now = 0
    /// Rewind after the time the NACK names.
    case after = 1
    /// Open the source again, then go by what OPENED says.
    case openAgain = 2
    /// Open the source again to learn what was stored, then move the rest to a new source.
    case newSource = 3
}

/// Why the server ends the connection.
public enum ErrorCode: UInt64, Sendable, CaseIterable {
    case version = 128
    case authentication = 129
    case protocolViolation = 130
    case frameTooBig = 131
    case checksum = 132
    case timeout = 133
    case overloaded = 134
    case internalFailure = 135
}

/// What a token may do.
public enum Role: UInt64, Sendable, CaseIterable {
    case ingest = 1
    case relay = 2
    case admin = 3
}

/// Whether a source sends events as they happen, or old ones.
public enum SourceKind: UInt64, Sendable, CaseIterable {
    case live = 0
    case backfill = 1
}

/// Why sequences will never come in a batch.
public enum SkipReason: UInt64, Sendable, CaseIterable {
    case droppedBySender = 1
    case acknowledgedBefore = 2
    case optedOut = 3
}

/// Why the server asks to reconnect.
public enum GoAwayReason: UInt64, Sendable, CaseIterable {
    case draining = 1
}

/// How an admin request ended.
public enum AdminStatus: UInt64, Sendable, CaseIterable {
    case done = 0
    case failed = 1
}
