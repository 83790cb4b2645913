import Bytes
import Files

/// One row group as the footer describes it.
public struct ParquetRowGroup: Sendable {
    public let rowCount: Int
    /// One a column of the schema.
    public let columns: [ColumnStatistics]
    public let sortingColumns: [SortingColumn]
    let record: RowGroupRecord
}

/// A Parquet file open for reading: flat schema, ZSTD or no compression.
///
/// Immutable; any thread may read. Reads what this module, pyarrow and DuckDB write: pages of version 1 and 2;
/// PLAIN, RLE_DICTIONARY, DELTA_BINARY_PACKED, DELTA_LENGTH_BYTE_ARRAY, BYTE_STREAM_SPLIT, RLE booleans.
public final class ParquetFile: Sendable {
    public let schema: ParquetSchema
    public let rowGroups: [ParquetRowGroup]
    public let rowCount: Int
    public let keyValueMetadata: [(key: String, value: String)]
    /// The program that wrote the file, as it calls itself.
    public let createdBy: String?
    private let name: String
    private let source: Source
    private let footerStart: Int

    private enum Source: Sendable {
        case mapping(FileMapping)
        case bytes([UInt8])
    }

    /// Maps the file and reads its footer.
    /// - Throws: `FileError` or `ParquetError`.
    package convenience init(_ path: String, disk: Disk) throws {
        try self.init(.mapping(try FileMapping(path, disk: disk)), name: path)
    }

    /// A file that lies in memory.
    /// - Parameter name: stands for the path in errors.
    public convenience init(_ bytes: [UInt8], name: String) throws(ParquetError) {
        try self.init(.bytes(bytes), name: name)
    }

    private init(_ source: Source, name: String) throws(ParquetError) {
        let (footer, footerStart) = try Self.withBytes(source) { bytes throws(ParquetError) in
            try Self.readFooter(bytes, name: name)
        }
        let schema = try ParquetSchema(footer.schema, ParquetPlace(name, byteOffset: footerStart))
        rowGroups = try footer.rowGroups.enumerated().map { index, record throws(ParquetError) in
            let place = ParquetPlace(name, rowGroup: index, byteOffset: footerStart)
            return try ParquetRowGroup(record, schema, place)
        }
        rowCount = footer.rowCount
        let counted = rowGroups.reduce(0) { $0 + $1.rowCount }
        guard counted == footer.rowCount else {
            throw .malformed(
                what: "row groups have \(counted) rows, the file says \(footer.rowCount)",
                at: ParquetPlace(name, byteOffset: footerStart))
        }
        keyValueMetadata = footer.keyValueMetadata
        createdBy = footer.createdBy
        self.schema = schema
        self.name = name
        self.source = source
        self.footerStart = footerStart
    }

    /// The values of one column in one row group. O(rows); keeps nothing.
    /// - Parameters: indexes into `schema.columns` and `rowGroups`; preconditions.
    public func read(column columnIndex: Int, rowGroup rowGroupIndex: Int) throws(ParquetError) -> ColumnValues {
        let column = schema.columns[columnIndex]
        let group = rowGroups[rowGroupIndex]
        let chunk = group.record.chunks[columnIndex]
        let place = ParquetPlace(
            name, rowGroup: rowGroupIndex, column: column.name, byteOffset: chunk.dataPageOffset)
        guard !chunk.isInOtherFile else { throw .unsupported(what: "column chunk in another file", at: place) }
        guard !chunk.isEncrypted else { throw .unsupported(what: "encrypted column", at: place) }
        guard let codec = Codec(rawValue: chunk.codec) else {
            throw .unsupportedCodec(name: "\(chunk.codec)", at: place)
        }
        guard codec == .zstd || codec == .uncompressed else { throw .unsupportedCodec(name: "\(codec)", at: place) }
        guard group.rowCount > 0 else { return .empty(column.type) }
        let reader = ChunkReader(
            column: column, chunk: chunk, rowCount: group.rowCount, codec: codec, place: place)
        return try Self.withBytes(source) { bytes throws(ParquetError) in
            try reader.read(bytes.extracting(0..<footerStart))
        }
    }

    private static func withBytes<R>(
        _ source: Source, _ body: (RawSpan) throws(ParquetError) -> R
    ) throws(ParquetError) -> R {
        switch source {
        case .mapping(let mapping): try body(mapping.bytes)
        case .bytes(let bytes): try body(bytes.rawSpan)
        }
    }

    private static func readFooter(_ bytes: RawSpan, name: String) throws(ParquetError) -> (Footer, start: Int) {
        let place = ParquetPlace(name)
        guard bytes.byteCount >= 12, isMagic(bytes, at: 0) else {
            throw .notParquet(reason: "no magic at the start", at: place)
        }
        let lengthOffset = bytes.byteCount - 8
        guard isMagic(bytes, at: bytes.byteCount - 4) else {
            throw .notParquet(reason: "no magic at the end", at: place.at(bytes.byteCount - 4))
        }
        do {
            let length = Int(try bytes.load(at: lengthOffset, as: UInt32.self))
            guard length <= ParquetLimits.footerBytesMax else {
                throw ParquetError.overLimit(
                    what: "footer bytes", value: length, limit: ParquetLimits.footerBytesMax,
                    at: place.at(lengthOffset))
            }
            guard length <= lengthOffset - 4 else {
                throw ParquetError.notParquet(reason: "footer of \(length) bytes", at: place.at(lengthOffset))
            }
            let start = lengthOffset - length
            return (try Footer(bytes.extracting(start..<lengthOffset)), start)
        } catch let error as ParquetError {
            throw error
        } catch {
            throw .malformed(what: "footer: \(error)", at: place.at(lengthOffset))
        }
    }

    private static func isMagic(_ bytes: RawSpan, at offset: Int) -> Bool {
        (try? bytes.load(at: offset, as: UInt32.self)) == parquetMagic
    }
}

/// `PAR1`.
let parquetMagic: UInt32 = 0x3152_4150

extension ColumnValues {
    /// No rows of that type.
    fileprivate static func empty(_ type: ParquetType) -> ColumnValues {
        switch type {
        case .int64, .timestampMicros: .int64([], validity: nil)
        case .int32, .date: .int32([], validity: nil)
        case .double: .double([], validity: nil)
        case .bool: .bool(Bitmap(repeating: false, count: 0), validity: nil)
        case .string: .strings(StringColumn(dictionary: ByteStrings(), codes: []))
        case .fixed(let width): .fixed([], width: width, validity: nil)
        }
    }
}

extension ParquetRowGroup {
    fileprivate init(_ record: RowGroupRecord, _ schema: ParquetSchema, _ place: ParquetPlace) throws(ParquetError) {
        guard record.rowCount <= ParquetLimits.rowGroupRowsMax else {
            throw .overLimit(
                what: "rows of a row group", value: record.rowCount, limit: ParquetLimits.rowGroupRowsMax, at: place)
        }
        guard record.chunks.count == schema.columns.count else {
            throw .malformed(
                what: "\(record.chunks.count) column chunks for \(schema.columns.count) columns", at: place)
        }
        for (chunk, column) in zip(record.chunks, schema.columns) {
            guard chunk.hasMetadata, chunk.path == [column.name], chunk.type == column.type.physical.rawValue else {
                throw .malformed(what: "column chunk does not match column \(column.name)", at: place)
            }
        }
        self.record = record
        rowCount = record.rowCount
        sortingColumns = record.sortingColumns
        columns = zip(record.chunks, schema.columns).map { ColumnStatistics($0.statistics, $1.type) }
    }
}

extension ColumnStatistics {
    /// Bounds of the wrong size or that are NaN are left out: they say nothing.
    fileprivate init(_ raw: RawStatistics, _ type: ParquetType) {
        self.init(
            min: raw.min.flatMap { ParquetValue(plain: $0, type) },
            max: raw.max.flatMap { ParquetValue(plain: $0, type) },
            isMinExact: raw.isMinExact, isMaxExact: raw.isMaxExact, nullCount: raw.nullCount)
    }
}

extension ParquetValue {
    /// The value of PLAIN bytes, or nil if they are not one.
    fileprivate init?(plain bytes: [UInt8], _ type: ParquetType) {
        let word = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        switch type {
        case .int64 where bytes.count == 8, .timestampMicros where bytes.count == 8:
            self = .int64(Int64(bitPattern: word))
        case .int32 where bytes.count == 4, .date where bytes.count == 4:
            self = .int32(Int32(truncatingIfNeeded: word))
        case .double where bytes.count == 8 && !Double(bitPattern: word).isNaN: self = .double(Double(bitPattern: word))
        case .bool where bytes.count == 1: self = .bool(word & 1 == 1)
        case .string: self = .bytes(bytes)
        case .fixed(bytes.count): self = .bytes(bytes)
        default: return nil
        }
    }
}

extension ParquetSchema {
    /// The flat schema that the footer's tree of elements describes.
    fileprivate init(_ elements: [SchemaElement], _ place: ParquetPlace) throws(ParquetError) {
        guard let root = elements.first, let childCount = root.childCount else {
            throw .malformed(what: "schema without a root", at: place)
        }
        if let nested = elements.dropFirst().first(where: { $0.childCount ?? 0 > 0 || $0.type == nil }) {
            throw .unsupported(what: "nested column \(nested.name)", at: place)
        }
        guard childCount == elements.count - 1 else {
            throw .malformed(what: "schema has \(elements.count - 1) columns, its root says \(childCount)", at: place)
        }
        let columns = try elements.dropFirst().map { element throws(ParquetError) in
            try ParquetColumn(element, place)
        }
        self.init(columns)
    }
}

extension ParquetColumn {
    fileprivate init(_ element: SchemaElement, _ place: ParquetPlace) throws(ParquetError) {
        var place = place
        place.column = element.name
        guard element.repetition == 0 || element.repetition == 1 else {
            throw .unsupported(what: "repeated column", at: place)
        }
        // The older annotation counts only where the newer one is missing.
        let converted = element.logicalType == nil ? element.convertedType : nil
        let isMicros = element.logicalType == .timestampMicrosUTC || converted == 10
        let isDate = element.logicalType == .date || converted == 6
        let type: ParquetType
        switch element.type.flatMap(PhysicalType.init(rawValue:)) {
        case .int64: type = isMicros ? .timestampMicros : .int64
        case .int32: type = isDate ? .date : .int32
        case .double: type = .double
        case .boolean: type = .bool
        case .byteArray: type = .string
        case .fixedLengthByteArray:
            guard let width = element.typeLength, width > 0 else {
                throw .malformed(what: "fixed length \(element.typeLength ?? 0)", at: place)
            }
            guard width <= ParquetLimits.fixedWidthMax else {
                throw .overLimit(what: "fixed length", value: width, limit: ParquetLimits.fixedWidthMax, at: place)
            }
            type = .fixed(width)
        case let other:
            throw .unsupported(what: "type \(other.map { "\($0)" } ?? "\(element.type ?? -1)")", at: place)
        }
        self.init(element.name, type, isOptional: element.repetition == 1)
    }
}
