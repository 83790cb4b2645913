import Bytes

// FileMetaData, PageHeader and the page indexes in the thrift compact protocol. Field ids: parquet.thrift.

extension Footer {
    /// FileMetaData alone, without length and magic.
    func encoded() -> [UInt8] {
        var writer = ThriftWriter()
        writer.element { file in
            file.int32(1, version)
            file.structures(2, schema) { $1.write(to: &$0) }
            file.int64(3, rowCount)
            file.structures(4, Array(rowGroups.enumerated())) { $1.element.write(to: &$0, ordinal: $1.offset) }
            if !keyValueMetadata.isEmpty {
                file.structures(5, keyValueMetadata) { pair, entry in
                    pair.string(1, entry.key)
                    pair.string(2, entry.value)
                }
            }
            if let createdBy { file.string(6, createdBy) }
            // One TypeDefinedOrder a column: without it readers must not trust min and max.
            file.structures(7, Array(schema.dropFirst())) { order, _ in order.emptyStructure(1) }
        }
        return writer.output.bytes
    }
}

extension SchemaElement {
    fileprivate func write(to writer: inout ThriftWriter) {
        if let type { writer.int32(1, type) }
        if let typeLength { writer.int32(2, typeLength) }
        if let repetition { writer.int32(3, repetition) }
        writer.string(4, name)
        if let childCount { writer.int32(5, childCount) }
        if let convertedType { writer.int32(6, convertedType) }
        switch logicalType {
        case .string: writer.structure(10) { $0.emptyStructure(1) }
        case .date: writer.structure(10) { $0.emptyStructure(6) }
        case .timestampMicrosUTC:
            writer.structure(10) { logical in
                logical.structure(8) { timestamp in
                    timestamp.bool(1, true)
                    timestamp.structure(2) { $0.emptyStructure(2) }
                }
            }
        case .other, nil: break
        }
    }
}

extension RowGroupRecord {
    fileprivate func write(to writer: inout ThriftWriter, ordinal: Int) {
        writer.structures(1, chunks) { $1.write(to: &$0) }
        writer.int64(2, encodedBytes)
        writer.int64(3, rowCount)
        if !sortingColumns.isEmpty {
            writer.structures(4, sortingColumns) { sorting, column in
                sorting.int32(1, column.columnIndex)
                sorting.bool(2, column.isDescending)
                sorting.bool(3, column.isNullsFirst)
            }
        }
        if let fileOffset { writer.int64(5, fileOffset) }
        writer.int64(6, compressedBytes)
        if let ordinal = Int16(exactly: ordinal) { writer.int16(7, Int(ordinal)) }
    }
}

extension ChunkRecord {
    fileprivate func write(to writer: inout ThriftWriter) {
        writer.int64(2, 0)
        writer.structure(3) { writeMetadata(to: &$0) }
        if let offsetIndex {
            writer.int64(4, offsetIndex.lowerBound)
            writer.int32(5, offsetIndex.count)
        }
        if let columnIndex {
            writer.int64(6, columnIndex.lowerBound)
            writer.int32(7, columnIndex.count)
        }
    }

    private func writeMetadata(to writer: inout ThriftWriter) {
        writer.int32(1, type)
        writer.integers(2, .int32, encodings.map(\.rawValue))
        writer.binaries(3, path.map { Array($0.utf8) })
        writer.int32(4, codec)
        writer.int64(5, valueCount)
        writer.int64(6, encodedBytes)
        writer.int64(7, compressedBytes)
        writer.int64(9, dataPageOffset)
        if let dictionaryPageOffset { writer.int64(11, dictionaryPageOffset) }
        writer.structure(12) { statistics.write(to: &$0) }
        writer.structures(13, pageCounts) { stats, entry in
            stats.int32(1, entry.type.rawValue)
            stats.int32(2, entry.encoding.rawValue)
            stats.int32(3, entry.count)
        }
    }
}

extension RawStatistics {
    init(_ statistics: ColumnStatistics) {
        self.init(
            min: statistics.min?.plain, max: statistics.max?.plain,
            isMinExact: statistics.isMinExact, isMaxExact: statistics.isMaxExact, nullCount: statistics.nullCount)
    }

    fileprivate func write(to writer: inout ThriftWriter) {
        if let nullCount { writer.int64(3, nullCount) }
        if let max { writer.binary(5, max) }
        if let min { writer.binary(6, min) }
        if max != nil { writer.bool(7, isMaxExact) }
        if min != nil { writer.bool(8, isMinExact) }
    }
}

extension PageHeader {
    func encoded() -> [UInt8] {
        var writer = ThriftWriter()
        writer.element { page in
            page.int32(1, type)
            page.int32(2, encodedBytes)
            page.int32(3, storedBytes)
            if let checksum { page.int32(4, Int(Int32(bitPattern: checksum))) }
            if type == PageType.dictionary.rawValue {
                page.structure(7) { dictionary in
                    dictionary.int32(1, valueCount)
                    dictionary.int32(2, encoding)
                }
            } else {
                page.structure(5) { data in
                    data.int32(1, valueCount)
                    data.int32(2, encoding)
                    data.int32(3, levelEncoding)
                    data.int32(4, PageEncoding.rle.rawValue)
                }
            }
        }
        return writer.output.bytes
    }
}

/// Where one data page lies and what it holds: a row of the offset index and of the column index.
struct PageRecord: Sendable {
    /// Of the page header, from the start of the file.
    var byteOffset: Int
    let storedBytes: Int
    let firstRow: Int
    let statistics: ColumnStatistics
    let rowCount: Int

    var isAllNull: Bool { statistics.nullCount == rowCount }
}

/// OffsetIndex of one chunk.
func encodeOffsetIndex(_ pages: [PageRecord]) -> [UInt8] {
    var writer = ThriftWriter()
    writer.element { index in
        index.structures(1, pages) { location, page in
            location.int64(1, page.byteOffset)
            location.int32(2, page.storedBytes)
            location.int64(3, page.firstRow)
        }
    }
    return writer.output.bytes
}

/// ColumnIndex of one chunk, or nil if a page has values but no bounds (all NaN).
func encodeColumnIndex(_ pages: [PageRecord]) -> [UInt8]? {
    guard pages.allSatisfy({ $0.isAllNull || $0.statistics.min != nil }) else { return nil }
    var writer = ThriftWriter()
    writer.element { index in
        index.bools(1, pages.map(\.isAllNull))
        index.binaries(2, pages.map { $0.statistics.min?.plain ?? [] })
        index.binaries(3, pages.map { $0.statistics.max?.plain ?? [] })
        index.int32(4, boundaryOrder(pages))
        index.integers(5, .int64, pages.map { $0.statistics.nullCount ?? 0 })
    }
    return writer.output.bytes
}

/// 1 if minima and maxima never fall from page to page, 2 if they never rise, else 0; null pages do not count.
private func boundaryOrder(_ pages: [PageRecord]) -> Int {
    let bounds = pages.compactMap { page -> (ParquetValue, ParquetValue)? in
        guard let min = page.statistics.min, let max = page.statistics.max else { return nil }
        return (min, max)
    }
    let neighbours = zip(bounds, bounds.dropFirst())
    if neighbours.allSatisfy({ !($1.0 < $0.0) && !($1.1 < $0.1) }) { return 1 }
    if neighbours.allSatisfy({ !($0.0 < $1.0) && !($0.1 < $1.1) }) { return 2 }
    return 0
}
