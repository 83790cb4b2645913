import Bytes

/// The least dictionary that is always worth while, however many rows are distinct.
private let dictionaryStringsMin = 256

extension StringColumn {
    /// The same strings over a dictionary of those that occur, each once, in order of first use.
    ///
    /// nil if such a dictionary would be over `bytesMax`, or over half as long as there are values: then
    /// codes would save nothing. O(rows + distinct bytes).
    func compacted(bytesMax: Int) -> StringColumn? {
        let presentCount = codes.reduce(0) { $0 &+ ($1 == StringColumn.null ? 0 : 1) }
        let stringsMax = max(presentCount / 2, dictionaryStringsMin)
        var distinct = StringInterner()
        var newCodes = [UInt32](repeating: StringColumn.null, count: dictionary.count)
        var result = codes
        for row in codes.indices where codes[row] != StringColumn.null {
            let old = Int(codes[row])
            if newCodes[old] == StringColumn.null {
                newCodes[old] = distinct.intern(dictionary.span(old))
                if distinct.strings.count > stringsMax || distinct.strings.bytes.count > bytesMax { return nil }
            }
            result[row] = newCodes[old]
        }
        return StringColumn(dictionary: distinct.strings, codes: result)
    }

    /// The lengths and the joined bytes of the present strings of `rows`.
    func joined(_ rows: Range<Int>) -> (lengths: [Int32], bytes: [UInt8]) {
        var lengths: [Int32] = []
        lengths.reserveCapacity(rows.count)
        var writer = ByteWriter()
        for row in rows where codes[row] != StringColumn.null {
            let string = dictionary.span(Int(codes[row]))
            lengths.append(Int32(string.byteCount))
            writer.append(string)
        }
        return (lengths, writer.bytes)
    }
}

/// How long a bound of a string column may be; longer ones are cut and said to be inexact.
private let boundBytesMax = 64

/// The statistics of string pages. Looks at each distinct string once a page.
struct StringBounds {
    /// The ordinal of the last page in which a dictionary entry was seen, from 1.
    private var lastSeen: [UInt32]
    private var pageOrdinal: UInt32 = 0

    init(dictionaryCount: Int) { lastSeen = [UInt32](repeating: 0, count: dictionaryCount) }

    mutating func statistics(_ column: StringColumn, _ rows: Range<Int>) -> ColumnStatistics {
        pageOrdinal += 1
        var nullCount = 0
        var least: Int?
        var most: Int?
        for row in rows {
            if column.codes[row] == StringColumn.null {
                nullCount += 1
                continue
            }
            let code = Int(column.codes[row])
            if lastSeen[code] == pageOrdinal { continue }
            lastSeen[code] = pageOrdinal
            let string = column.dictionary.span(code)
            if least.map({ string.compare(column.dictionary.span($0)) < 0 }) ?? true { least = code }
            if most.map({ string.compare(column.dictionary.span($0)) > 0 }) ?? true { most = code }
        }
        let (min, isMinExact) = lowerBound(least.map(column.dictionary.copy))
        let (max, isMaxExact) = upperBound(most.map(column.dictionary.copy))
        return ColumnStatistics(
            min: min.map { .bytes($0) }, max: max.map { .bytes($0) }, isMinExact: isMinExact, isMaxExact: isMaxExact,
            nullCount: nullCount)
    }
}

/// The string, or the longest head of whole characters within the limit.
func lowerBound(_ string: [UInt8]?) -> (bound: [UInt8]?, isExact: Bool) {
    guard let string, string.count > boundBytesMax else { return (string, true) }
    return (Array(string[..<headLength(string)]), false)
}

/// The string, or its head with the last character that has a successor of the same length replaced by that.
/// Exact and long if no character of the head has one, or if the head is not UTF-8.
func upperBound(_ string: [UInt8]?) -> (bound: [UInt8]?, isExact: Bool) {
    guard let string, string.count > boundBytesMax else { return (string, true) }
    guard let head = String(validating: string[..<headLength(string)], as: UTF8.self) else { return (string, true) }
    var scalars = Array(head.unicodeScalars)
    while let last = scalars.popLast() {
        if let next = Unicode.Scalar(last.value + 1), UTF8.width(next) == UTF8.width(last) {
            scalars.append(next)
            var bound = String.UnicodeScalarView()
            bound.append(contentsOf: scalars)
            return (Array(String(bound).utf8), false)
        }
    }
    return (string, true)
}

/// Up to the limit, back to the start of a character.
private func headLength(_ string: [UInt8]) -> Int {
    var length = boundBytesMax
    while length > 0 && string[length] & 0xC0 == 0x80 { length -= 1 }
    return length
}
