import Bytes

/// The values of one column in one row group: dense, one entry a row.
///
/// Where `validity` has a zero bit the row is null and its entry is zero; no bitmap means no nulls.
public enum ColumnValues: Sendable, Equatable {
    /// INT64, and TIMESTAMP in microseconds since 1970-01-01 UTC.
    case int64([Int64], validity: Bitmap?)
    /// INT32, and DATE in days since 1970-01-01.
    case int32([Int32], validity: Bitmap?)
    case double([Double], validity: Bitmap?)
    case bool(Bitmap, validity: Bitmap?)
    case strings(StringColumn)
    /// FIXED_LEN_BYTE_ARRAY: `width` bytes a row.
    case fixed([UInt8], width: Int, validity: Bitmap?)

    /// How many rows there are.
    public var count: Int {
        switch self {
        case .int64(let values, _): values.count
        case .int32(let values, _): values.count
        case .double(let values, _): values.count
        case .bool(let values, _): values.count
        case .strings(let column): column.codes.count
        case .fixed(let bytes, let width, _): width > 0 ? bytes.count / width : 0
        }
    }

    /// The validity bitmap of every case but strings, whose null is a code.
    var validity: Bitmap? {
        switch self {
        case .int64(_, let validity), .int32(_, let validity), .double(_, let validity), .bool(_, let validity),
            .fixed(_, _, let validity):
            validity
        case .strings: nil
        }
    }
}

/// Strings as codes into a dictionary, which may hold duplicates and strings that no row uses.
public struct StringColumn: Sendable, Equatable {
    /// The code of a null row.
    public static let null = UInt32.max

    public var dictionary: ByteStrings
    /// One a row: an index into `dictionary`, or `null`.
    public var codes: [UInt32]

    @inlinable
    public init(dictionary: ByteStrings, codes: [UInt32]) {
        self.dictionary = dictionary
        self.codes = codes
    }
}

/// One value, as statistics hold it.
public enum ParquetValue: Sendable, Equatable {
    case int64(Int64)
    case int32(Int32)
    case double(Double)
    case bool(Bool)
    /// STRING (UTF-8) and FIXED_LEN_BYTE_ARRAY; ordered byte by byte, unsigned.
    case bytes([UInt8])

    /// PLAIN encoding, without the length before bytes.
    var plain: [UInt8] {
        var writer = ByteWriter(capacity: 8)
        switch self {
        case .int64(let value): writer.append(fixed: value)
        case .int32(let value): writer.append(fixed: value)
        case .double(let value): writer.append(double: value)
        case .bool(let value): writer.append(value ? 1 : 0)
        case .bytes(let bytes): return bytes
        }
        return writer.bytes
    }

    /// The order of the format (TypeDefinedOrder). Both values are of one type; a precondition.
    static func < (left: ParquetValue, right: ParquetValue) -> Bool {
        switch (left, right) {
        case (.int64(let left), .int64(let right)): left < right
        case (.int32(let left), .int32(let right)): left < right
        case (.double(let left), .double(let right)): left < right
        case (.bool(let left), .bool(let right)): !left && right
        case (.bytes(let left), .bytes(let right)): left.rawSpan.compare(right.rawSpan) < 0
        default: preconditionFailure("values of different types have no order")
        }
    }
}

/// The bounds of some rows of a column, as far as they are known.
public struct ColumnStatistics: Sendable, Equatable {
    /// No value is below it; nil if unknown or if all rows are null.
    public var min: ParquetValue?
    /// No value is above it.
    public var max: ParquetValue?
    /// Whether a row has this value; false where a long string was cut.
    public var isMinExact: Bool
    public var isMaxExact: Bool
    public var nullCount: Int?

    static let none = ColumnStatistics(min: nil, max: nil, isMinExact: true, isMaxExact: true, nullCount: nil)

    /// Widens the bounds to those of `other`; both cover at least one row and know their null count.
    mutating func formUnion(_ other: ColumnStatistics) {
        nullCount = (nullCount ?? 0) + (other.nullCount ?? 0)
        if let least = other.min, min.map({ least < $0 }) ?? true {
            (min, isMinExact) = (least, other.isMinExact)
        }
        if let most = other.max, max.map({ $0 < most }) ?? true {
            (max, isMaxExact) = (most, other.isMaxExact)
        }
    }
}
