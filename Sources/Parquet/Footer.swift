import Bytes

// The footer: FileMetaData of parquet.thrift, in memory.
//
// File: `PAR1`, the pages of all chunks, the page indexes, FileMetaData, its length as UInt32, `PAR1`.
// Valid if both magics stand and every range the footer names lies between the first magic and the footer.
// Crash story: the footer is written last, so a file whose writer died has no closing magic and is refused.

struct Footer: Sendable {
    var version = 2
    var schema: [SchemaElement] = []
    var rowCount = 0
    var rowGroups: [RowGroupRecord] = []
    var keyValueMetadata: [(key: String, value: String)] = []
    var createdBy: String?
}

struct SchemaElement: Sendable {
    var name = ""
    var type: Int?
    var typeLength: Int?
    /// 0 required, 1 optional, 2 repeated.
    var repetition: Int?
    var childCount: Int?
    /// 0 UTF8, 6 DATE, 10 TIMESTAMP_MICROS.
    var convertedType: Int?
    var logicalType: LogicalType?
}

/// The annotations that this module tells apart.
enum LogicalType: Equatable, Sendable {
    case string, date, timestampMicrosUTC, other
}

struct RowGroupRecord: Sendable {
    var chunks: [ChunkRecord] = []
    var rowCount = 0
    var encodedBytes = 0
    var compressedBytes = 0
    var fileOffset: Int?
    var sortingColumns: [SortingColumn] = []
}

/// ColumnChunk and ColumnMetaData.
struct ChunkRecord: Sendable {
    var path: [String] = []
    var type = 0
    var codec = 0
    var valueCount = 0
    var encodedBytes = 0
    var compressedBytes = 0
    var dataPageOffset = 0
    var dictionaryPageOffset: Int?
    var encodings: [PageEncoding] = []
    var pageCounts: [(type: PageType, encoding: PageEncoding, count: Int)] = []
    var statistics = RawStatistics()
    var offsetIndex: Range<Int>?
    var columnIndex: Range<Int>?
    var isInOtherFile = false
    var isEncrypted = false
    var hasMetadata = false
}

struct RawStatistics: Sendable {
    var min: [UInt8]?
    var max: [UInt8]?
    var isMinExact = true
    var isMaxExact = true
    var nullCount: Int?
}

/// PageHeader with DataPageHeader, DataPageHeaderV2 or DictionaryPageHeader.
struct PageHeader: Sendable {
    var type = 0
    var encodedBytes = 0
    var storedBytes = 0
    var checksum: UInt32?
    var valueCount = 0
    var encoding = 0
    var levelEncoding = PageEncoding.rle.rawValue
    /// Of version 2 only.
    var nullCount = 0
    var definitionBytes = 0
    var repetitionBytes = 0
    var isCompressed = true
    var hasBody = false
}
