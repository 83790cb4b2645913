import Bytes
import Zstd

/// The bytes of one column chunk and what the footer says of them. Offsets count from the chunk's start.
struct EncodedChunk {
    var bytes: [UInt8]
    var record: ChunkRecord
    var pages: [PageRecord]
    var statistics: ColumnStatistics
}

/// Encodes one column chunk: a dictionary page if there is one, then data pages of version 1, which every reader knows.
struct ChunkWriter: ~Copyable {
    private let column: ParquetColumn
    private let settings: ParquetWriterSettings
    private let place: ParquetPlace
    private var output = ByteWriter()
    private var pages: [PageRecord] = []
    private var encodedBytes = 0
    private var dataPageOffset = 0
    private var dictionaryPageOffset: Int?
    private var dataEncoding = PageEncoding.plain

    init(_ column: ParquetColumn, _ settings: ParquetWriterSettings, _ place: ParquetPlace) {
        self.column = column
        self.settings = settings
        self.place = place
    }

    /// - Parameter values: at least one row; of the column's type, as the caller has checked.
    consuming func encode(_ values: ColumnValues, _ compressor: inout Compressor) throws(ParquetError) -> EncodedChunk {
        switch values {
        case .int64(let numbers, let validity): try encodeIntegers(numbers, validity, &compressor)
        case .int32(let numbers, let validity): try encodeIntegers(numbers, validity, &compressor)
        case .double(let numbers, let validity): try encodeDoubles(numbers, validity, &compressor)
        case .bool(let bits, let validity): try encodeBools(bits, validity, &compressor)
        case .fixed(let bytes, let width, let validity):
            try encodeFixed(bytes, width: width, validity, &compressor)
        case .strings(let strings): try encodeStrings(strings, &compressor)
        }
        return finished(rowCount: values.count)
    }

    private func finished(rowCount: Int) -> EncodedChunk {
        var statistics = pages[0].statistics
        for page in pages.dropFirst() { statistics.formUnion(page.statistics) }
        var record = ChunkRecord()
        record.path = [column.name]
        record.type = column.type.physical.rawValue
        record.codec = Codec.zstd.rawValue
        record.valueCount = rowCount
        record.encodedBytes = encodedBytes
        record.compressedBytes = output.count
        record.dataPageOffset = dataPageOffset
        record.dictionaryPageOffset = dictionaryPageOffset
        record.encodings = [.rle, dataEncoding]
        record.pageCounts = [(.data, dataEncoding, pages.count)]
        if dictionaryPageOffset != nil {
            record.encodings.append(.plain)
            record.pageCounts.insert((.dictionary, .plain, 1), at: 0)
        }
        record.statistics = RawStatistics(statistics)
        return EncodedChunk(bytes: output.bytes, record: record, pages: pages, statistics: statistics)
    }

    // MARK: By type

    private mutating func encodeIntegers<T: ColumnNumber & FixedWidthInteger & SignedInteger>(
        _ numbers: [T], _ validity: Bitmap?, _ compressor: inout Compressor
    ) throws(ParquetError) {
        dataEncoding = column.encoding == .plain ? .plain : .deltaBinaryPacked
        for rows in pageRanges(numbers.count) {
            let levels = BitRun(validity, rows)
            let present = presentValues(numbers, rows, levels)
            var body = ByteWriter(capacity: present.count * 2)
            if dataEncoding == .plain {
                encodePlain(present, to: &body)
            } else {
                encodeDeltas(present.span, to: &body)
            }
            let statistics = bounds(present, nullCount: rows.count - present.count)
            try appendDataPage(rows, levels, body, statistics, &compressor)
        }
    }

    private mutating func encodeDoubles(
        _ numbers: [Double], _ validity: Bitmap?, _ compressor: inout Compressor
    ) throws(ParquetError) {
        dataEncoding = column.encoding == .byteStreamSplit ? .byteStreamSplit : .plain
        for rows in pageRanges(numbers.count) {
            let levels = BitRun(validity, rows)
            let present = presentValues(numbers, rows, levels)
            var body = ByteWriter(capacity: present.count * 8)
            if dataEncoding == .plain {
                encodePlain(present, to: &body)
            } else {
                encodeByteStreams(present, to: &body)
            }
            // NaN has no place in the order; the zeros are ordered by value only, so the bounds take both in.
            var statistics = bounds(present.filter { !$0.isNaN }, nullCount: rows.count - present.count)
            if statistics.min == .double(0) { statistics.min = .double(-0.0) }
            if statistics.max == .double(0) { statistics.max = .double(0) }
            try appendDataPage(rows, levels, body, statistics, &compressor)
        }
    }

    private mutating func encodeBools(
        _ bits: Bitmap, _ validity: Bitmap?, _ compressor: inout Compressor
    ) throws(ParquetError) {
        for rows in pageRanges(bits.count) {
            let levels = BitRun(validity, rows)
            let present = presentValues(rows.map { UInt32(bits[$0] ? 1 : 0) }, 0..<rows.count, levels)
            var body = ByteWriter()
            encodePacked(present.span, width: 1, to: &body)
            var statistics = ColumnStatistics.none
            statistics.nullCount = rows.count - present.count
            statistics.min = present.min().map { .bool($0 == 1) }
            statistics.max = present.max().map { .bool($0 == 1) }
            try appendDataPage(rows, levels, body, statistics, &compressor)
        }
    }

    private mutating func encodeFixed(
        _ bytes: [UInt8], width: Int, _ validity: Bitmap?, _ compressor: inout Compressor
    ) throws(ParquetError) {
        try check("decoded bytes of a chunk", bytes.count, ParquetLimits.chunkBytesMax)
        for rows in pageRanges(bytes.count / width) {
            let levels = BitRun(validity, rows)
            var body = ByteWriter(capacity: rows.count * width)
            var (least, most): (Range<Int>?, Range<Int>?) = (nil, nil)
            let nullCount = rows.count - levels.onesCount(0..<rows.count)
            let span = bytes.rawSpan
            for row in rows {
                guard validity?[row] ?? true else { continue }
                let range = (row * width)..<((row + 1) * width)
                let value = span.extracting(range)
                body.append(value)
                if least.map({ value.compare(span.extracting($0)) < 0 }) ?? true { least = range }
                if most.map({ value.compare(span.extracting($0)) > 0 }) ?? true { most = range }
            }
            let statistics = ColumnStatistics(
                min: least.map { .bytes(Array(bytes[$0])) }, max: most.map { .bytes(Array(bytes[$0])) },
                isMinExact: true, isMaxExact: true, nullCount: nullCount)
            try appendDataPage(rows, levels, body, statistics, &compressor)
        }
    }

    private mutating func encodeStrings(
        _ original: StringColumn, _ compressor: inout Compressor
    ) throws(ParquetError) {
        let compact = column.encoding == .dictionary ? original.compacted(bytesMax: settings.dictionaryBytesMax) : nil
        let strings = compact ?? original
        var stringBounds = StringBounds(dictionaryCount: strings.dictionary.count)
        if compact != nil {
            dataEncoding = .rleDictionary
            try appendDictionaryPage(strings.dictionary, &compressor)
        } else {
            dataEncoding = column.encoding == .plain ? .plain : .deltaLengthByteArray
        }
        // Some readers refuse codes of no bits, so even a dictionary of one string takes one.
        let width = max(1, Int.bitWidth - max(strings.dictionary.count - 1, 0).leadingZeroBitCount)
        for rows in compact != nil ? pageRanges(strings.codes.count) : pageRanges(strings) {
            let levels = BitRun(strings.codes, rows)
            var body = ByteWriter()
            switch dataEncoding {
            case .rleDictionary:
                body.append(UInt8(width))
                encodeHybrid(presentValues(strings.codes, rows, levels).span, width: width, to: &body)
            case .plain:
                for row in rows where strings.codes[row] != StringColumn.null {
                    let string = strings.dictionary.span(Int(strings.codes[row]))
                    body.append(fixed: UInt32(string.byteCount))
                    body.append(string)
                }
            default:
                let (lengths, bytes) = strings.joined(rows)
                encodeDeltas(lengths.span, to: &body)
                body.append(bytes)
            }
            try appendDataPage(rows, levels, body, stringBounds.statistics(strings, rows), &compressor)
        }
    }

    // MARK: Pages

    private func pageRanges(_ rowCount: Int) -> [Range<Int>] {
        stride(from: 0, to: rowCount, by: settings.pageRowsMax).map {
            $0..<min($0 + settings.pageRowsMax, rowCount)
        }
    }

    /// Pages that also end once they hold `pageBytesTarget` of strings, for strings may be long.
    private func pageRanges(_ strings: StringColumn) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var (start, bytes) = (0, 0)
        for row in strings.codes.indices {
            let code = strings.codes[row]
            if code != StringColumn.null { bytes += strings.dictionary.range(Int(code)).count }
            if row + 1 - start >= settings.pageRowsMax || bytes >= pageBytesTarget {
                ranges.append(start..<(row + 1))
                (start, bytes) = (row + 1, 0)
            }
        }
        if start < strings.codes.count { ranges.append(start..<strings.codes.count) }
        return ranges
    }

    /// - Parameter levels: one a present row, zero a null one; written only where the column may have nulls.
    private mutating func appendDataPage(
        _ rows: Range<Int>, _ levels: BitRun, _ body: ByteWriter, _ statistics: ColumnStatistics,
        _ compressor: inout Compressor
    ) throws(ParquetError) {
        var page = ByteWriter(capacity: body.count + rows.count / 8 + 16)
        if column.isOptional {
            page.append(fixed: UInt32(0))
            encodeLevels(levels, to: &page)
            page.patch(at: 0, fixed: UInt32(page.count - 4))
        }
        page.append(body.bytes)
        let start = output.count
        if pages.isEmpty { dataPageOffset = start }
        try appendPage(.data, dataEncoding, valueCount: rows.count, page.bytes, &compressor)
        pages.append(
            PageRecord(
                byteOffset: start, storedBytes: output.count - start, firstRow: rows.lowerBound,
                statistics: statistics, rowCount: rows.count))
    }

    private mutating func appendDictionaryPage(
        _ dictionary: ByteStrings, _ compressor: inout Compressor
    ) throws(ParquetError) {
        var page = ByteWriter(capacity: dictionary.bytes.count + 4 * dictionary.count)
        for index in 0..<dictionary.count {
            let string = dictionary.span(index)
            page.append(fixed: UInt32(string.byteCount))
            page.append(string)
        }
        dictionaryPageOffset = output.count
        try appendPage(.dictionary, .plain, valueCount: dictionary.count, page.bytes, &compressor)
    }

    private mutating func appendPage(
        _ type: PageType, _ encoding: PageEncoding, valueCount: Int, _ page: [UInt8], _ compressor: inout Compressor
    ) throws(ParquetError) {
        try check("page bytes", page.count, ParquetLimits.pageBytesMax)
        let stored: [UInt8]
        do { stored = try compressor.compress(page.rawSpan) } catch {
            throw .compressionFailed(reason: "\(error)", at: place)
        }
        var header = PageHeader()
        header.type = type.rawValue
        header.encodedBytes = page.count
        header.storedBytes = stored.count
        header.checksum = CRC32.checksum(stored.rawSpan)
        header.valueCount = valueCount
        header.encoding = encoding.rawValue
        let headerBytes = header.encoded()
        output.append(headerBytes)
        output.append(stored)
        encodedBytes += headerBytes.count + page.count
        try check("decoded bytes of a chunk", encodedBytes, ParquetLimits.chunkBytesMax)
        try check("pages of a chunk", pages.count, ParquetLimits.pagesPerChunkMax - 1)
    }

    /// Our own reader must take what is written.
    private func check(_ what: String, _ value: Int, _ limit: Int) throws(ParquetError) {
        guard value <= limit else { throw .overLimit(what: what, value: value, limit: limit, at: place) }
    }
}

/// Where a page of long strings ends; small beside what readers hold in memory, large beside a header.
private let pageBytesTarget = 8 << 20

private func bounds<T: ColumnNumber>(_ present: [T], nullCount: Int) -> ColumnStatistics {
    var statistics = ColumnStatistics.none
    statistics.nullCount = nullCount
    guard var least = present.first else { return statistics }
    var most = least
    for value in present {
        least = min(least, value)
        most = max(most, value)
    }
    (statistics.min, statistics.max) = (least.parquetValue, most.parquetValue)
    return statistics
}
