import Bytes

/// A decoded batch whose every rule was checked: columns of `eventCount` rows (protocol/batch.md §4–§6).
///
/// Strings are indices into `strings`; `Batch.none` stands for "no string". Only `BatchDecoder` makes one.
public struct Batch: Sendable, Equatable {
    public let eventCount: Int
    /// Well-formed UTF-8, string by string.
    public let strings: ByteStrings
    public internal(set) var types: [UInt32] = []
    public internal(set) var userIDs: [UInt32]?
    public internal(set) var anonymousIDs: [UInt32]?
    public internal(set) var sessionIDs: [UInt32]?
    public internal(set) var groupKeys: [UInt32]?
    /// µs since 1970-01-01 UTC, as the sender wrote them.
    public internal(set) var timestampsMicros: [Int64] = []
    public internal(set) var timestampMicrosMin: Int64 = 0
    public internal(set) var timestampMicrosMax: Int64 = 0
    /// Bit 0 server-side, bits 1–2 consent.
    public internal(set) var flags: [UInt8]?
    public internal(set) var explicitIDs: ExplicitIDs?
    /// Ascending by scope, name bytes and type.
    public internal(set) var valueColumns: [ValueColumn] = []
    /// At least `valueBytes`, and not much more than that or the body: what to plan memory by, known without looking.
    public internal(set) var valueBytesMost = 0
    /// Columns of kinds this version does not know, verbatim, ascending by kind.
    public internal(set) var unknownColumns: [UnknownColumn] = []

    /// The index that stands for "no string".
    public static let none = UInt32.max

    init(eventCount: Int, strings: ByteStrings) {
        self.eventCount = eventCount
        self.strings = strings
    }

    /// XXH64 of the batch as received, header included: what resends are recognised by. O(n).
    public static func fingerprint(of batch: RawSpan) -> UInt64 { XXH64.hash(batch) }

    /// The ids that the producer chose itself.
    public struct ExplicitIDs: Sendable, Equatable {
        public let presence: Bitmap
        /// 16 bytes for each set bit of `presence`, in row order.
        public let bytes: [UInt8]

        /// The id of the n-th row that has one.
        public func id(ordinal: Int) -> EventID {
            let start = ordinal * EventID.byteCount
            let span = bytes.rawSpan.extracting(start..<(start + EventID.byteCount))
            return EventID(high: span.uncheckedWord(0).byteSwapped, low: span.uncheckedWord(8).byteSwapped)
        }
    }

    public struct UnknownColumn: Sendable, Equatable {
        public let kind: UInt8
        public let bytes: [UInt8]
    }
}

/// The values that some rows have under one scope, name and type (protocol/batch.md §6).
public struct ValueColumn: Sendable, Equatable {
    public let scope: EventValue.Scope
    /// Index into the batch's strings.
    public let name: UInt32
    /// Which rows have a value; at least one.
    public let presence: Bitmap
    /// One value for each set bit of `presence`, in row order.
    public let values: Values

    public enum Values: Sendable, Equatable {
        case bool(Bitmap)
        case int64([Int64])
        /// Finite.
        case float64([Double])
        /// Indices into the batch's strings.
        case string([UInt32])
        /// Indices of strings that are JSON texts.
        case json([UInt32])
    }

    public var type: ValueType {
        switch values {
        case .bool: .bool
        case .int64: .int64
        case .float64: .float64
        case .string: .string
        case .json: .json
        }
    }
}

/// The kinds of columns (protocol/batch.md §5).
enum ColumnKind {
    static let type: UInt8 = 1
    static let userID: UInt8 = 2
    static let anonymousID: UInt8 = 3
    static let sessionID: UInt8 = 4
    static let timestamp: UInt8 = 5
    static let flags: UInt8 = 6
    static let eventID: UInt8 = 7
    static let groupKey: UInt8 = 8
    static let value: UInt8 = 32
}

/// The bits of a flags byte (protocol/batch.md §5).
enum FlagBits {
    static let serverSide: UInt8 = 1
    static let consentShift: UInt8 = 1
    static let consentMask: UInt8 = 3
}
