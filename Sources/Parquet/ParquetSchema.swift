/// The ordered columns of a flat file.
public struct ParquetSchema: Sendable, Equatable {
    public let columns: [ParquetColumn]

    public init(_ columns: [ParquetColumn]) { self.columns = columns }

    /// The index of the column of that name. O(columns).
    public func index(of name: String) -> Int? { columns.firstIndex { $0.name == name } }
}

/// One column: its name, its type, whether rows may be null, and how a writer encodes it.
public struct ParquetColumn: Sendable, Equatable {
    public let name: String
    public let type: ParquetType
    public let isOptional: Bool
    /// What a writer is asked for. A reader gives the default of the type: each page says how it is encoded.
    public let encoding: ColumnEncoding

    /// - Parameter encoding: nil for the type's default.
    public init(_ name: String, _ type: ParquetType, isOptional: Bool, encoding: ColumnEncoding? = nil) {
        self.name = name
        self.type = type
        self.isOptional = isOptional
        self.encoding = encoding ?? type.defaultEncoding
    }
}

/// What a value is. Annotations not listed are read as the type beneath them.
public enum ParquetType: Sendable, Equatable {
    case int64
    /// INT64 as TIMESTAMP(isAdjustedToUTC, MICROS).
    case timestampMicros
    case int32
    /// INT32 as DATE.
    case date
    case double
    case bool
    /// BYTE_ARRAY; written with the STRING annotation, read with or without.
    case string
    /// FIXED_LEN_BYTE_ARRAY of so many bytes, not annotated: Spark rejects UUID.
    case fixed(Int)

    var physical: PhysicalType {
        switch self {
        case .int64, .timestampMicros: .int64
        case .int32, .date: .int32
        case .double: .double
        case .bool: .boolean
        case .string: .byteArray
        case .fixed: .fixedLengthByteArray
        }
    }

    var defaultEncoding: ColumnEncoding {
        switch self {
        case .int64, .timestampMicros, .int32, .date: .deltaBinaryPacked
        case .double, .bool, .fixed: .plain
        case .string: .dictionary
        }
    }

    /// Whether a writer can encode values of this type so.
    func accepts(_ encoding: ColumnEncoding) -> Bool {
        switch (self, encoding) {
        case (_, .plain), (.string, .dictionary), (.string, .deltaLength), (.double, .byteStreamSplit): true
        case (.int64, .deltaBinaryPacked), (.timestampMicros, .deltaBinaryPacked): true
        case (.int32, .deltaBinaryPacked), (.date, .deltaBinaryPacked): true
        default: false
        }
    }
}

/// How a writer encodes a column.
public enum ColumnEncoding: Sendable, Equatable {
    case plain
    /// RLE_DICTIONARY for whole chunks; a chunk with too many distinct strings takes `deltaLength` instead.
    case dictionary
    case deltaBinaryPacked
    /// DELTA_LENGTH_BYTE_ARRAY.
    case deltaLength
    case byteStreamSplit
}

/// A column by which the rows of each row group are sorted.
public struct SortingColumn: Sendable, Equatable {
    public let columnIndex: Int
    public let isDescending: Bool
    public let isNullsFirst: Bool

    public init(_ columnIndex: Int, isDescending: Bool = false, isNullsFirst: Bool = false) {
        self.columnIndex = columnIndex
        self.isDescending = isDescending
        self.isNullsFirst = isNullsFirst
    }
}

// MARK: The format's numbers (parquet.thrift)

enum PhysicalType: Int, Sendable {
    case boolean = 0, int32, int64, int96, float, double, byteArray, fixedLengthByteArray
}

enum PageEncoding: Int, Sendable {
    case plain = 0, plainDictionary = 2, rle = 3, bitPacked = 4, deltaBinaryPacked = 5, deltaLengthByteArray = 6
    case deltaByteArray = 7, rleDictionary = 8, byteStreamSplit = 9, alp = 10
}

enum Codec: Int, Sendable {
    case uncompressed = 0, snappy, gzip, lzo, brotli, lz4, zstd, lz4Raw
}

enum PageType: Int, Sendable {
    case data = 0, index, dictionary, dataV2
}
