import Bytes
import Zstd

/// Reads one column chunk: finds its pages, checks and inflates each, decodes levels and values.
struct ChunkReader {
    let column: ParquetColumn
    let chunk: ChunkRecord
    let rowCount: Int
    let codec: Codec
    /// Names file, row group and column.
    let place: ParquetPlace

    private struct Page {
        let header: PageHeader
        let type: PageType
        let encoding: PageEncoding
        let headerOffset: Int
        /// Of the stored bytes, from the start of the file.
        let bytes: Range<Int>
    }

    /// - Parameter file: the file up to its footer.
    func read(_ file: RawSpan) throws(ParquetError) -> ColumnValues {
        let pages = try findPages(file)
        return switch column.type {
        case .int64, .timestampMicros: try read(file, pages, NumberDecoder<Int64>(rowCount: rowCount))
        case .int32, .date: try read(file, pages, NumberDecoder<Int32>(rowCount: rowCount))
        case .double: try read(file, pages, NumberDecoder<Double>(rowCount: rowCount))
        case .bool: try read(file, pages, BoolDecoder())
        case .string: try read(file, pages, StringDecoder(rowCount: rowCount))
        case .fixed(let width): try read(file, pages, FixedDecoder(rowCount: rowCount, width: width))
        }
    }

    // MARK: Finding pages

    /// The dictionary page, if any, and the data pages. Their row counts add up to `rowCount`, so what a decoder
    /// allocates is known before any page is read.
    private func findPages(_ file: RawSpan) throws(ParquetError) -> [Page] {
        let range = try chunkRange(file)
        let bytes = file.extracting(0..<range.upperBound)
        var pages: [Page] = []
        var offset = range.lowerBound
        var rows = 0
        var encodedBytes = 0
        while rows < rowCount {
            let page = try readHeader(bytes, at: offset)
            offset = page.bytes.upperBound
            encodedBytes += page.header.encodedBytes
            try check("decoded bytes of a chunk", encodedBytes, ParquetLimits.chunkBytesMax, page.headerOffset)
            try check("pages of a chunk", pages.count, ParquetLimits.pagesPerChunkMax, page.headerOffset)
            switch page.type {
            case .index: continue
            case .dictionary:
                guard pages.isEmpty else { throw malformed("a dictionary page after others", page.headerOffset) }
            case .data, .dataV2:
                guard page.header.valueCount <= rowCount - rows else {
                    throw malformed("pages have more rows than the row group", page.headerOffset)
                }
                rows += page.header.valueCount
            }
            pages.append(page)
        }
        return pages
    }

    private func chunkRange(_ file: RawSpan) throws(ParquetError) -> Range<Int> {
        var start = chunk.dataPageOffset
        // Some writers say 0 for "no dictionary page".
        if let dictionary = chunk.dictionaryPageOffset, dictionary > 0, dictionary < start { start = dictionary }
        guard start >= 4, start <= file.byteCount, chunk.compressedBytes <= file.byteCount - start else {
            throw malformed("column chunk lies outside the file", start)
        }
        guard chunk.valueCount == rowCount else {
            throw malformed("column chunk has \(chunk.valueCount) values for \(rowCount) rows", start)
        }
        let width = if case .fixed(let width) = column.type { width } else { 8 }
        try check("decoded bytes of a chunk", rowCount * width, ParquetLimits.chunkBytesMax, start)
        return start..<(start + chunk.compressedBytes)
    }

    private func readHeader(_ bytes: RawSpan, at headerOffset: Int) throws(ParquetError) -> Page {
        var offset = headerOffset
        let header: PageHeader
        do { header = try PageHeader(bytes, &offset) } catch {
            throw malformed("page header: \(error)", headerOffset)
        }
        guard let type = PageType(rawValue: header.type), header.hasBody || type == .index else {
            throw malformed("page type \(header.type)", headerOffset)
        }
        guard let encoding = PageEncoding(rawValue: header.encoding) else {
            throw .unsupported(what: "page encoding \(header.encoding)", at: place.at(headerOffset))
        }
        try check("page bytes", header.encodedBytes, ParquetLimits.pageBytesMax, headerOffset)
        try check("page values", header.valueCount, ParquetLimits.rowGroupRowsMax, headerOffset)
        guard header.storedBytes <= bytes.byteCount - offset else {
            throw malformed("page reaches past its column chunk", headerOffset)
        }
        return Page(
            header: header, type: type, encoding: encoding, headerOffset: headerOffset,
            bytes: offset..<(offset + header.storedBytes))
    }

    // MARK: Reading pages

    private func read<D: ValueDecoder>(
        _ file: RawSpan, _ pages: [Page], _ decoder: consuming D
    ) throws(ParquetError) -> ColumnValues {
        var decompressor = Decompressor()
        var validity = BitRun()
        var row = 0
        for page in pages {
            let stored = file.extracting(page.bytes)
            try verifyChecksum(page, stored)
            do {
                if page.type == .dictionary {
                    let plain = try inflate(page, stored, size: page.header.encodedBytes, &decompressor)
                    guard page.encoding == .plain || page.encoding == .plainDictionary else {
                        throw UnsupportedEncoding(encoding: page.encoding)
                    }
                    try decoder.readDictionary(plain.rawSpan, count: page.header.valueCount)
                } else {
                    try readData(page, stored, &decompressor, &decoder, &validity, at: row)
                    row += page.header.valueCount
                }
            } catch {
                throw located(error, page)
            }
        }
        let hasNulls = column.isOptional && validity.onesCount(0..<rowCount) < rowCount
        return decoder.finish(validity: hasNulls ? validity.bitmap() : nil)
    }

    private func readData<D: ValueDecoder>(
        _ page: Page, _ stored: RawSpan, _ decompressor: inout Decompressor,
        _ decoder: inout D, _ validity: inout BitRun, at row: Int
    ) throws {
        let header = page.header
        let rows = row..<(row + header.valueCount)
        guard !rows.isEmpty else { return }
        var levelBytes = 0
        if page.type == .dataV2 {
            guard header.repetitionBytes == 0, header.definitionBytes <= stored.byteCount,
                header.definitionBytes <= header.encodedBytes
            else { throw DecodeError.invalid(what: "level bytes", offset: 0) }
            levelBytes = header.definitionBytes
            if column.isOptional {
                var offset = 0
                let levels = stored.extracting(0..<levelBytes)
                try decodeBits(levels, &offset, into: &validity, count: rows.count)
            }
        }
        let rest = stored.extracting(levelBytes..<stored.byteCount)
        let inflated = try inflate(page, rest, size: header.encodedBytes - levelBytes, &decompressor)
        let plain = inflated.rawSpan
        var valuesOffset = 0
        if page.type == .data, column.isOptional {
            guard header.levelEncoding == PageEncoding.rle.rawValue else {
                throw UnsupportedEncoding(encoding: .bitPacked)
            }
            let length = Int(try plain.read(UInt32.self, &valuesOffset))
            let levels = plain.extracting(try plain.take(length, &valuesOffset))
            var offset = 0
            try decodeBits(levels, &offset, into: &validity, count: rows.count)
        }
        let present = column.isOptional ? validity.onesCount(rows) : rows.count
        // A page of nulls alone may lack even the header of its encoding.
        let values = plain.extracting((present > 0 ? valuesOffset : plain.byteCount)..<plain.byteCount)
        try decoder.readPage(values, present > 0 ? page.encoding : .plain, at: row, present: present)
        if present < rows.count { decoder.spread(rows: rows, present: present, validity: validity) }
    }

    /// The bytes of a page, or of what follows its levels, as they were before compression.
    private func inflate(
        _ page: Page, _ stored: RawSpan, size: Int, _ decompressor: inout Decompressor
    ) throws -> [UInt8] {
        if codec == .uncompressed || !page.header.isCompressed || stored.byteCount == 0 { return stored.copy() }
        let bytes: [UInt8]
        do { bytes = try decompressor.decompress(stored, limit: size) } catch {
            throw ParquetError.decompressionFailed(reason: "\(error)", at: place.at(page.bytes.lowerBound))
        }
        guard bytes.count == size else {
            throw malformed("page inflates to \(bytes.count) bytes, its header says \(size)", page.headerOffset)
        }
        return bytes
    }

    private func verifyChecksum(_ page: Page, _ stored: RawSpan) throws(ParquetError) {
        guard let expected = page.header.checksum else { return }
        let computed = CRC32.checksum(stored)
        guard computed == expected else {
            throw .checksumMismatch(stored: expected, computed: computed, at: place.at(page.bytes.lowerBound))
        }
    }

    // MARK: Errors

    private func malformed(_ what: String, _ byteOffset: Int) -> ParquetError {
        .malformed(what: what, at: place.at(byteOffset))
    }

    private func check(_ what: String, _ value: Int, _ limit: Int, _ byteOffset: Int) throws(ParquetError) {
        guard value <= limit else { throw .overLimit(what: what, value: value, limit: limit, at: place.at(byteOffset)) }
    }

    private func located(_ error: any Error, _ page: Page) -> ParquetError {
        switch error {
        case let error as ParquetError: error
        case let error as UnsupportedEncoding:
            .unsupported(
                what: "encoding \(error.encoding) of a column of type \(column.type)", at: place.at(page.headerOffset))
        default: malformed("page: \(error)", page.headerOffset)
        }
    }
}
