import Bytes

/// Collects the values of one chunk, page by page.
///
/// A page's values are the present ones only; `spread` then moves them to their rows.
protocol ValueDecoder {
    mutating func readDictionary(_ bytes: RawSpan, count: Int) throws

    /// Reads `present` values to the rows from `start` on.
    mutating func readPage(_ bytes: RawSpan, _ encoding: PageEncoding, at start: Int, present: Int) throws

    /// Makes room for the nulls among `rows`, whose last page held `present` values.
    mutating func spread(rows: Range<Int>, present: Int, validity: BitRun)

    consuming func finish(validity: Bitmap?) -> ColumnValues
}

/// The page is encoded in a way that this reader does not know for the column's type.
struct UnsupportedEncoding: Error {
    let encoding: PageEncoding
}

/// Throws unless `bytes` holds `count` values of `width` bytes.
private func checkPlain(_ bytes: RawSpan, count: Int, width: Int) throws(DecodeError) {
    guard count <= bytes.byteCount / width else { throw .truncated(offset: bytes.byteCount) }
}

struct NumberDecoder<T: ColumnNumber>: ValueDecoder {
    private var values: [T]
    private var dictionary: [T] = []

    init(rowCount: Int) { values = [T](repeating: 0, count: rowCount) }

    mutating func readDictionary(_ bytes: RawSpan, count: Int) throws {
        try checkPlain(bytes, count: count, width: MemoryLayout<T>.size)
        dictionary = [T](repeating: 0, count: count)
        var out = dictionary.mutableSpan
        copyPlain(bytes, at: 0, into: &out, at: 0, count: count)
    }

    mutating func readPage(_ bytes: RawSpan, _ encoding: PageEncoding, at start: Int, present: Int) throws {
        switch encoding {
        case .plain:
            try checkPlain(bytes, count: present, width: MemoryLayout<T>.size)
            var out = values.mutableSpan
            copyPlain(bytes, at: 0, into: &out, at: start, count: present)
        case .plainDictionary, .rleDictionary:
            let dictionary = dictionary
            var codes = [UInt32](repeating: 0, count: present)
            var codesOut = codes.mutableSpan
            try decodeDictionaryPage(
                bytes, into: &codesOut, at: 0, count: present, dictionaryCount: dictionary.count)
            var out = values.mutableSpan
            gather(codes.span, from: dictionary.span, width: 1, into: &out, at: start)
        case .deltaBinaryPacked where T.isDeltaAllowed:
            var offset = 0
            var out = values.mutableSpan
            try decodeDeltas(bytes, &offset, into: &out, at: start, count: present)
        case .byteStreamSplit:
            guard bytes.byteCount == present * MemoryLayout<T>.size else {
                throw DecodeError.invalid(what: "page length", offset: bytes.byteCount)
            }
            var out = values.mutableSpan
            joinByteStreams(bytes, into: &out, at: start, count: present)
        default: throw UnsupportedEncoding(encoding: encoding)
        }
    }

    mutating func spread(rows: Range<Int>, present: Int, validity: BitRun) {
        var out = values.mutableSpan
        Parquet.spread(&out, width: 1, rows: rows, present: present, validity: validity, empty: 0)
    }

    consuming func finish(validity: Bitmap?) -> ColumnValues { T.values(values, validity: validity) }
}

struct StringDecoder: ValueDecoder {
    private var codes: [UInt32]
    private var dictionary = ByteStrings()
    /// How many strings came from the dictionary page; those of pages without codes follow them.
    private var sharedCount = 0

    init(rowCount: Int) { codes = [UInt32](repeating: 0, count: rowCount) }

    mutating func readDictionary(_ bytes: RawSpan, count: Int) throws {
        try decodePlainStrings(bytes, into: &dictionary, count: count)
        sharedCount = count
    }

    mutating func readPage(_ bytes: RawSpan, _ encoding: PageEncoding, at start: Int, present: Int) throws {
        let first = dictionary.count
        switch encoding {
        case .plainDictionary, .rleDictionary:
            let sharedCount = sharedCount
            var out = codes.mutableSpan
            try decodeDictionaryPage(bytes, into: &out, at: start, count: present, dictionaryCount: sharedCount)
            return
        case .plain: try decodePlainStrings(bytes, into: &dictionary, count: present)
        case .deltaLengthByteArray: try decodeDeltaLengthStrings(bytes, into: &dictionary, count: present)
        default: throw UnsupportedEncoding(encoding: encoding)
        }
        for index in 0..<present { codes[start + index] = UInt32(first + index) }
    }

    mutating func spread(rows: Range<Int>, present: Int, validity: BitRun) {
        var out = codes.mutableSpan
        Parquet.spread(
            &out, width: 1, rows: rows, present: present, validity: validity, empty: StringColumn.null)
    }

    consuming func finish(validity: Bitmap?) -> ColumnValues {
        .strings(StringColumn(dictionary: dictionary, codes: codes))
    }
}

struct FixedDecoder: ValueDecoder {
    private let width: Int
    private var bytes: [UInt8]
    private var dictionary: [UInt8] = []

    init(rowCount: Int, width: Int) {
        self.width = width
        bytes = [UInt8](repeating: 0, count: rowCount * width)
    }

    mutating func readDictionary(_ source: RawSpan, count: Int) throws {
        try checkPlain(source, count: count, width: width)
        dictionary = source.copy(0..<(count * width))
    }

    mutating func readPage(_ source: RawSpan, _ encoding: PageEncoding, at start: Int, present: Int) throws {
        switch encoding {
        case .plain:
            try checkPlain(source, count: present, width: width)
            let width = width
            var out = bytes.mutableSpan
            copyPlain(source, at: 0, into: &out, at: start * width, count: present * width)
        case .plainDictionary, .rleDictionary:
            let (dictionary, width) = (dictionary, width)
            var codes = [UInt32](repeating: 0, count: present)
            var codesOut = codes.mutableSpan
            try decodeDictionaryPage(
                source, into: &codesOut, at: 0, count: present, dictionaryCount: dictionary.count / width)
            var out = bytes.mutableSpan
            gather(codes.span, from: dictionary.span, width: width, into: &out, at: start * width)
        default: throw UnsupportedEncoding(encoding: encoding)
        }
    }

    mutating func spread(rows: Range<Int>, present: Int, validity: BitRun) {
        let width = width
        var out = bytes.mutableSpan
        Parquet.spread(&out, width: width, rows: rows, present: present, validity: validity, empty: 0)
    }

    consuming func finish(validity: Bitmap?) -> ColumnValues { .fixed(bytes, width: width, validity: validity) }
}

struct BoolDecoder: ValueDecoder {
    /// The values of all pages before the last.
    private var values = BitRun()
    /// The present values of the last page.
    private var page = BitRun()

    func readDictionary(_ bytes: RawSpan, count: Int) throws {
        throw DecodeError.invalid(what: "dictionary of booleans", offset: 0)
    }

    mutating func readPage(_ bytes: RawSpan, _ encoding: PageEncoding, at start: Int, present: Int) throws {
        appendPage()
        switch encoding {
        case .plain:
            guard (present + 7) / 8 <= bytes.byteCount else { throw DecodeError.truncated(offset: bytes.byteCount) }
            page.append(bytes, at: 0, length: present)
        case .rle:
            var offset = 0
            let length = Int(try bytes.read(UInt32.self, &offset))
            let run = bytes.extracting(try bytes.take(length, &offset))
            var runOffset = 0
            try decodeBits(run, &runOffset, into: &page, count: present)
        default: throw UnsupportedEncoding(encoding: encoding)
        }
    }

    mutating func spread(rows: Range<Int>, present: Int, validity: BitRun) {
        let dense = page
        page = BitRun()
        var source = 0
        for row in rows {
            let isPresent = validity[row]
            page.append(isPresent && dense[source] ? 1 : 0, length: 1)
            if isPresent { source += 1 }
        }
    }

    /// Moves the last page behind the pages before it.
    private mutating func appendPage() {
        for (index, word) in page.words.enumerated() {
            values.append(word, length: min(64, page.count - index * 64))
        }
        page = BitRun()
    }

    consuming func finish(validity: Bitmap?) -> ColumnValues {
        appendPage()
        return .bool(values.bitmap(), validity: validity)
    }
}
