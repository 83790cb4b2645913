import Bytes
import Zstd

/// Why bytes are not a valid batch, or why events cannot become one. Offsets count from the start of the decoded body.
public enum BatchError: Error, Equatable, Sendable {
    /// The part ends before a value of it does.
    case truncated(BatchPart, offset: Int)
    case varintTooLong(BatchPart, offset: Int)
    /// The part holds more bytes than its values fill.
    case surplusBytes(BatchPart, offset: Int)
    case unsupportedVersion(UInt8)
    case unknownCodec(UInt8)
    case reservedFieldNotZero
    case noEvents
    /// The header's size of the decoded body is not what the codec or the batch's length says.
    case decodedSizeMismatch(declared: Int, actual: Int)
    case compression(ZstdError)
    /// One zstd frame must fill the batch.
    case notOneZstdFrame
    case overLimit(BatchQuantity, value: UInt64, limit: Int)
    case notUTF8
    case stringStartsInsideCharacter(string: Int)
    /// Kinds must ascend; only 32 may repeat.
    case columnOrder(kind: UInt8)
    case missingColumn(kind: UInt8)
    case stringIndexOutOfRange(BatchPart, index: UInt64, stringCount: Int)
    /// A type, id or name of no bytes.
    case emptyString(BatchPart)
    case unknownFlagBits(row: Int)
    case spareBitsSet(BatchPart)
    case unknownScope(UInt8, offset: Int)
    case unknownValueType(UInt8, offset: Int)
    /// A value column in which no row has a value.
    case emptyValueColumn(BatchPart)
    case notFinite(BatchPart)
    case notJSON(BatchPart)
    /// Value columns must ascend by scope, name and type.
    case valueColumnOrder(BatchPart)
    /// Two values of one scope and name in one event.
    case repeatedName(BatchPart, row: Int)

    /// What the fault costs: the verdict of protocol/frames.md §7.
    public var verdict: BatchVerdict {
        if case .overLimit(let quantity, _, _) = self, quantity.isOfTheWhole { return .tooBig }
        return .malformed
    }
}

extension BatchError {
    /// The fault in words, for a person who sent the event. Without its place, which the case itself tells.
    public var reason: String {
        switch self {
        case .truncated: "ends before a value of it does"
        case .varintTooLong: "a varint is too long"
        case .surplusBytes: "holds more bytes than its values fill"
        case .unsupportedVersion(let version): "version \(version) is not supported"
        case .unknownCodec(let codec): "codec \(codec) is unknown"
        case .reservedFieldNotZero: "a reserved field is not zero"
        case .noEvents: "there are no events"
        case .decodedSizeMismatch(let declared, let actual):
            "the header says \(declared) decoded bytes, there are \(actual)"
        case .compression(let error): "zstd: \(error)"
        case .notOneZstdFrame: "one zstd frame must fill the batch"
        case .overLimit(let quantity, let value, let limit): "\(quantity.words): \(value), at most \(limit)"
        case .notUTF8: "not UTF-8"
        case .stringStartsInsideCharacter(let string): "string \(string) starts inside a character"
        case .columnOrder(let kind): "column \(kind) is out of order"
        case .missingColumn(let kind): "column \(kind) is missing"
        case .stringIndexOutOfRange(_, let index, let stringCount): "string \(index) of \(stringCount)"
        case .emptyString: "a type, id or name of no bytes"
        case .unknownFlagBits: "unknown bits of the flags"
        case .spareBitsSet: "spare bits are set"
        case .unknownScope(let scope, _): "scope \(scope) is unknown"
        case .unknownValueType(let type, _): "value type \(type) is unknown"
        case .emptyValueColumn: "no row has a value"
        case .notFinite: "a number that is not finite"
        case .notJSON: "not JSON"
        case .valueColumnOrder: "value columns are out of order"
        case .repeatedName: "two values of one scope and name in one event"
        }
    }

    /// Which value of an event the fault is about, counted from 0, if a builder found it and it is about one.
    public var valueIndex: Int? {
        switch self {
        case .emptyString(.valueColumn(let index)), .notFinite(.valueColumn(let index)),
            .notJSON(.valueColumn(let index)), .repeatedName(.valueColumn(let index), _):
            index
        default: nil
        }
    }
}

extension BatchQuantity {
    fileprivate var words: String {
        switch self {
        case .events: "events"
        case .decodedBytes: "decoded bytes"
        case .strings: "strings"
        case .columns: "columns"
        case .stringBytes: "bytes of a string"
        case .typeBytes: "bytes of a type"
        case .nameBytes: "bytes of a value's name"
        case .identifierBytes: "bytes of an id"
        case .eventValueBytes: "bytes of an event's values"
        case .valueBytes: "bytes of the values together"
        }
    }
}

/// The verdicts that cost a whole batch (protocol/frames.md §7).
public enum BatchVerdict: UInt8, Sendable {
    case malformed = 1
    case tooBig = 4
}

/// Where in a batch.
public enum BatchPart: Equatable, Sendable {
    case header
    case stringTable
    case columns
    /// A column by its kind (protocol/batch.md §5), other than a value column.
    case column(kind: UInt8)
    /// The n-th value column, from 0; in a builder the n-th value of the event.
    case valueColumn(Int)
}

/// What has a maximum (protocol/batch.md §8).
public enum BatchQuantity: Sendable {
    case events
    case decodedBytes
    case strings
    case columns
    /// Of one string.
    case stringBytes
    /// Of one type.
    case typeBytes
    /// Of one value's name.
    case nameBytes
    /// Of one id (columns 2, 3, 4 and 8).
    case identifierBytes
    /// Of one event's values, spelled out.
    case eventValueBytes
    /// Of a batch's values, spelled out.
    case valueBytes

    /// Whether exceeding it is TOO_BIG: what a collector may announce less of than the format allows, and what only
    /// many values together can exceed.
    var isOfTheWhole: Bool {
        switch self {
        case .events, .decodedBytes, .strings, .columns, .eventValueBytes, .valueBytes: true
        case .stringBytes, .typeBytes, .nameBytes, .identifierBytes: false
        }
    }
}

/// What a decoder takes: the format's maxima, or what HELLO_ACK announced.
public struct BatchLimits: Sendable, Equatable {
    public let eventsMax: Int
    public let decodedBytesMax: Int
    public let stringsMax: Int
    public let columnsMax: Int

    /// Each is lowered to the format's maximum.
    public init(
        eventsMax: Int = Limits.batchEventsMax, decodedBytesMax: Int = Limits.batchDecodedBytesMax,
        stringsMax: Int = Limits.batchStringsMax, columnsMax: Int = Limits.batchColumnsMax
    ) {
        self.eventsMax = min(eventsMax, Limits.batchEventsMax)
        self.decodedBytesMax = min(decodedBytesMax, Limits.batchDecodedBytesMax)
        self.stringsMax = min(stringsMax, Limits.batchStringsMax)
        self.columnsMax = min(columnsMax, Limits.batchColumnsMax)
    }

    /// The format's own maxima.
    public static let format = BatchLimits()
}
