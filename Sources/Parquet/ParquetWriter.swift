import Bytes
import Files
import Zstd

/// What a writer may be told beyond the schema.
public struct ParquetWriterSettings: Sendable {
    /// zstd's, 1...19.
    public var compressionLevel: Int32 = 3
    /// A multiple of 64 is fastest.
    public var pageRowsMax = 20_480
    /// A chunk whose distinct strings are longer together takes DELTA_LENGTH_BYTE_ARRAY.
    public var dictionaryBytesMax = 1 << 20

    public init() {}
}

/// What a finished file holds.
public struct ParquetSummary: Sendable, Equatable {
    public let fileBytes: Int
    public let rowCount: Int
    /// One a column of the schema, over all rows; the null count is always known.
    public let columns: [ColumnStatistics]
}

/// Writes one flat Parquet file, row group by row group.
///
/// Every page is compressed by zstd and has a CRC-32; chunks have statistics, a column index and an offset index.
/// Crash story: the footer comes last and the file is on the device before `finish` returns; a file whose writer
/// died or was dropped has no footer, is refused by every reader, and is the caller's to unlink. The caller also
/// makes the file's name durable (`Disk.synchronizeFolder`).
public struct ParquetWriter: ~Copyable {
    private let schema: ParquetSchema
    private let settings: ParquetWriterSettings
    private let file: File
    private var compressor: Compressor
    private var footer: Footer
    private var pages: [[[PageRecord]]] = []
    private var statistics: [ColumnStatistics] = []
    private var byteOffset = 4
    private let sortingColumns: [SortingColumn]

    /// Creates the file, which must not exist.
    /// - Parameters:
    ///   - sortingColumns: how each row group is sorted; empty if it is not. Not checked.
    ///   - keyValueMetadata: kept in the footer.
    /// - Throws: `.invalidSchema` or a `FileError`.
    package init(
        _ path: String, schema: ParquetSchema, sortingColumns: [SortingColumn],
        keyValueMetadata: [(key: String, value: String)], settings: ParquetWriterSettings, disk: Disk
    ) throws {
        try schema.checkWritable(sortingColumns)
        precondition(settings.pageRowsMax > 0, "a page has at least one row")
        let file = try File.open(path, .createNew(0o644), disk: disk)
        try file.write(Self.magic, at: 0)
        self.file = file
        self.schema = schema
        self.settings = settings
        self.sortingColumns = sortingColumns
        footer = Footer()
        footer.schema = schema.elements
        footer.keyValueMetadata = keyValueMetadata
        footer.createdBy = "tidemark"
        compressor = Compressor(level: settings.compressionLevel)
    }

    private static let magic = Array("PAR1".utf8)

    /// Writes one row group. If it throws, the row group is not part of the file and may be written again.
    /// - Parameter columns: one a column of the schema, in its order, `rowCount` rows each.
    /// - Throws: `.emptyRowGroup`, `.unfitValues`, `.compressionFailed`, `.overLimit` if a reader would refuse it, or a
    ///   `FileError`.
    public mutating func writeRowGroup(_ columns: [ColumnValues], rowCount: Int) throws {
        var place = ParquetPlace(file.path, rowGroup: footer.rowGroups.count, byteOffset: byteOffset)
        guard rowCount > 0 else { throw ParquetError.emptyRowGroup(at: place) }
        try Self.check("rows of a row group", rowCount, ParquetLimits.rowGroupRowsMax, place)
        try Self.check("row groups", footer.rowGroups.count + 1, ParquetLimits.rowGroupsMax, place)
        guard columns.count == schema.columns.count else {
            throw ParquetError.unfitValues(
                reason: "\(columns.count) columns, the schema has \(schema.columns.count)", at: place)
        }
        for (column, values) in zip(schema.columns, columns) {
            place.column = column.name
            try column.check(values, rowCount: rowCount, place)
        }
        var group = RowGroupRecord()
        group.rowCount = rowCount
        group.fileOffset = byteOffset
        group.sortingColumns = sortingColumns
        var groupPages: [[PageRecord]] = []
        var groupStatistics: [ColumnStatistics] = []
        var end = byteOffset
        for (column, values) in zip(schema.columns, columns) {
            place.column = column.name
            let writer = ChunkWriter(column, settings, place.at(end))
            let chunk = try writer.encode(values, &compressor)
            try file.write(chunk.bytes, at: end)
            group.append(chunk.record.moved(by: end))
            groupPages.append(chunk.pages.map { $0.moved(by: end) })
            groupStatistics.append(chunk.statistics)
            end += chunk.bytes.count
        }
        byteOffset = end
        footer.rowGroups.append(group)
        footer.rowCount += rowCount
        pages.append(groupPages)
        if statistics.isEmpty {
            statistics = groupStatistics
        } else {
            for index in statistics.indices { statistics[index].formUnion(groupStatistics[index]) }
        }
    }

    private static func check(
        _ what: String, _ value: Int, _ limit: Int, _ place: ParquetPlace
    ) throws(ParquetError) {
        guard value <= limit else { throw .overLimit(what: what, value: value, limit: limit, at: place) }
    }

    /// Writes page indexes and footer, puts the file on the device and closes it. May be a file of no rows.
    /// - Throws: a `FileError`, or `.overLimit` if a reader would refuse the footer.
    public consuming func finish() throws -> ParquetSummary {
        var tail = ByteWriter()
        for group in pages.indices {
            for column in schema.columns.indices {
                guard let index = encodeColumnIndex(pages[group][column]) else { continue }
                let start = byteOffset + tail.count
                tail.append(index)
                footer.rowGroups[group].chunks[column].columnIndex = start..<(start + index.count)
            }
        }
        for group in pages.indices {
            for column in schema.columns.indices {
                let index = encodeOffsetIndex(pages[group][column])
                let start = byteOffset + tail.count
                tail.append(index)
                footer.rowGroups[group].chunks[column].offsetIndex = start..<(start + index.count)
            }
        }
        let footerBytes = footer.encoded()
        try Self.check(
            "footer bytes", footerBytes.count, ParquetLimits.footerBytesMax,
            ParquetPlace(file.path, byteOffset: byteOffset))
        tail.append(footerBytes)
        tail.append(fixed: UInt32(footerBytes.count))
        tail.append(Self.magic)
        try file.write(tail.bytes, at: byteOffset)
        try file.synchronize()
        try file.close()
        if statistics.isEmpty {
            var none = ColumnStatistics.none
            none.nullCount = 0
            statistics = schema.columns.map { _ in none }
        }
        return ParquetSummary(
            fileBytes: byteOffset + tail.count, rowCount: footer.rowCount, columns: statistics)
    }
}

extension RowGroupRecord {
    fileprivate mutating func append(_ chunk: ChunkRecord) {
        chunks.append(chunk)
        encodedBytes += chunk.encodedBytes
        compressedBytes += chunk.compressedBytes
    }
}

extension ChunkRecord {
    fileprivate func moved(by byteCount: Int) -> ChunkRecord {
        var record = self
        record.dataPageOffset += byteCount
        record.dictionaryPageOffset = dictionaryPageOffset.map { $0 + byteCount }
        return record
    }
}

extension PageRecord {
    fileprivate func moved(by byteCount: Int) -> PageRecord {
        var record = self
        record.byteOffset += byteCount
        return record
    }
}

extension ParquetSchema {
    /// The footer's tree: a root and one leaf a column.
    fileprivate var elements: [SchemaElement] {
        var root = SchemaElement()
        root.name = "schema"
        root.childCount = columns.count
        return [root] + columns.map(\.element)
    }

    fileprivate func checkWritable(_ sortingColumns: [SortingColumn]) throws(ParquetError) {
        guard !columns.isEmpty, columns.count <= ParquetLimits.columnsMax else {
            throw .invalidSchema(reason: "\(columns.count) columns")
        }
        guard Set(columns.map(\.name)).count == columns.count else {
            throw .invalidSchema(reason: "two columns of one name")
        }
        guard sortingColumns.allSatisfy({ columns.indices.contains($0.columnIndex) }) else {
            throw .invalidSchema(reason: "sorted by a column that is not there")
        }
        for column in columns {
            guard column.type.accepts(column.encoding) else {
                throw .invalidSchema(
                    reason: "column \(column.name): type \(column.type) cannot be encoded as \(column.encoding)")
            }
            if case .fixed(let width) = column.type, !(1...ParquetLimits.fixedWidthMax).contains(width) {
                throw .invalidSchema(reason: "column \(column.name): width \(width)")
            }
        }
    }
}

extension ParquetColumn {
    fileprivate var element: SchemaElement {
        var element = SchemaElement()
        element.name = name
        element.type = type.physical.rawValue
        element.repetition = isOptional ? 1 : 0
        switch type {
        case .timestampMicros: (element.convertedType, element.logicalType) = (10, .timestampMicrosUTC)
        case .date: (element.convertedType, element.logicalType) = (6, .date)
        case .string: (element.convertedType, element.logicalType) = (0, .string)
        case .fixed(let width): element.typeLength = width
        case .int64, .int32, .double, .bool: break
        }
        return element
    }

    fileprivate func check(_ values: ColumnValues, rowCount: Int, _ place: ParquetPlace) throws(ParquetError) {
        let isFit =
            switch (type, values) {
            case (.int64, .int64), (.timestampMicros, .int64), (.int32, .int32), (.date, .int32),
                (.double, .double), (.bool, .bool), (.string, .strings):
                values.count == rowCount
            case (.fixed(let width), .fixed(let bytes, let found, _)):
                width == found && bytes.count == rowCount * width
            default: false
            }
        guard isFit, values.validity.map({ $0.count == rowCount }) ?? true else {
            throw .unfitValues(reason: "not \(rowCount) values of type \(type)", at: place)
        }
        guard isOptional || !values.hasNulls else {
            throw .unfitValues(reason: "nulls in a required column", at: place)
        }
    }
}

extension ColumnValues {
    fileprivate var hasNulls: Bool {
        if case .strings(let column) = self { return column.codes.contains(StringColumn.null) }
        return validity.map { $0.onesCount < $0.count } ?? false
    }
}
