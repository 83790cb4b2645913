import Bytes

// The loops that decide how fast a column is read, and the only unsafe code of this module. Each function
// checks its whole range once and then runs unchecked: `checkedRange` for the output, and for the input
// `wordReadable`, how many values may be loaded by eight (or nine) bytes before the input ends.

/// A number a column holds, as it lies in PLAIN pages.
protocol ColumnNumber: BitwiseCopyable, ExpressibleByIntegerLiteral, Comparable, Sendable {
    /// Whether the format has DELTA_BINARY_PACKED pages of this type.
    static var isDeltaAllowed: Bool { get }
    /// The number whose bytes, least significant first, are the low bytes of `word`.
    init(word: Int64)
    static func values(_ values: [Self], validity: Bitmap?) -> ColumnValues
    var parquetValue: ParquetValue { get }
}

extension Int64: ColumnNumber {
    static var isDeltaAllowed: Bool { true }
    init(word: Int64) { self = word }
    static func values(_ values: [Int64], validity: Bitmap?) -> ColumnValues { .int64(values, validity: validity) }
    var parquetValue: ParquetValue { .int64(self) }
}

extension Int32: ColumnNumber {
    static var isDeltaAllowed: Bool { true }
    init(word: Int64) { self = Int32(truncatingIfNeeded: word) }
    static func values(_ values: [Int32], validity: Bitmap?) -> ColumnValues { .int32(values, validity: validity) }
    var parquetValue: ParquetValue { .int32(self) }
}

extension Double: ColumnNumber {
    static var isDeltaAllowed: Bool { false }
    init(word: Int64) { self = Double(bitPattern: UInt64(bitPattern: word)) }
    static func values(_ values: [Double], validity: Bitmap?) -> ColumnValues { .double(values, validity: validity) }
    var parquetValue: ParquetValue { .double(self) }
}

/// Traps unless `start..<start + count` lies in 0..<limit.
@inline(__always)
private func checkedRange(_ start: Int, _ count: Int, _ limit: Int) {
    precondition(start >= 0 && count >= 0 && count <= limit && start <= limit - count)
}

/// How many of `count` values of `width` bits from byte `offset` can be loaded as `loadBytes` bytes at once.
@inline(__always)
private func wordReadable(_ bytes: RawSpan, _ offset: Int, width: Int, count: Int, loadBytes: Int) -> Int {
    let lastStart = bytes.byteCount &- loadBytes &- offset
    guard lastStart >= 0, width > 0 else { return 0 }
    return min(count, (lastStart &* 8 &+ 7) / width &+ 1)
}

/// The `width` (1...64) bits at `bit`, byte by byte: for the last values before the input ends.
private func slowBits(_ bytes: RawSpan, _ bit: Int, width: Int) -> UInt64 {
    var value: UInt64 = 0
    var have = 0
    var byte = bit >> 3
    var skip = bit & 7
    while have < width {
        value |= UInt64(bytes.uncheckedByte(byte) >> UInt8(skip)) << UInt64(have)
        have += 8 - skip
        skip = 0
        byte += 1
    }
    return width == 64 ? value : value & ((1 << UInt64(width)) - 1)
}

/// Unpacks `count` codes of `width` (0...32) bits, least significant bit first.
/// The caller has proven that the bytes from `offset` hold them.
func unpackCodes(
    _ bytes: RawSpan, at offset: Int, width: Int, into out: inout MutableSpan<UInt32>, at start: Int, count: Int
) {
    checkedRange(start, count, out.count)
    checkedRange(offset, (count * width + 7) / 8, bytes.byteCount)
    let fast = wordReadable(bytes, offset, width: width, count: count, loadBytes: 8)
    let mask: UInt64 = (1 &<< UInt64(width)) &- 1
    var bit = offset &* 8
    for index in start..<(start &+ fast) {
        let word = bytes.uncheckedWord(bit &>> 3) &>> UInt64(bit & 7)
        // Safe: start + count <= out.count by checkedRange.
        unsafe out[unchecked: index] = UInt32(truncatingIfNeeded: word & mask)
        bit &+= width
    }
    for index in (start &+ fast)..<(start &+ count) {
        out[index] = width == 0 ? 0 : UInt32(truncatingIfNeeded: slowBits(bytes, bit, width: width))
        bit &+= width
    }
}

/// Adds `count` deltas of `width` (0...64) bits, each plus `least`, to `value` and stores every sum.
/// The caller has proven that the bytes from `offset` hold them. Sums wrap, at 32 bits too, as the format says.
func accumulateDeltas<T: ColumnNumber>(
    _ bytes: RawSpan, at offset: Int, width: Int, least: Int64, value: inout Int64,
    into out: inout MutableSpan<T>, at start: Int, count: Int
) {
    checkedRange(start, count, out.count)
    checkedRange(offset, (count * width + 7) / 8, bytes.byteCount)
    let isWide = width > 56
    let fast = wordReadable(bytes, offset, width: width, count: count, loadBytes: isWide ? 9 : 8)
    let mask: UInt64 = width == 64 ? .max : (1 &<< UInt64(width)) &- 1
    var bit = offset &* 8
    var sum = value
    if isWide {
        for index in start..<(start &+ fast) {
            let shift = UInt64(bit & 7)
            let low = bytes.uncheckedWord(bit &>> 3) &>> shift
            let high = (UInt64(bytes.uncheckedByte(bit &>> 3 &+ 8)) &<< 1) &<< (63 &- shift)
            sum = sum &+ least &+ Int64(bitPattern: (low | high) & mask)
            // Safe: start + count <= out.count by checkedRange.
            unsafe out[unchecked: index] = T(word: sum)
            bit &+= width
        }
    } else {
        for index in start..<(start &+ fast) {
            let word = bytes.uncheckedWord(bit &>> 3) &>> UInt64(bit & 7)
            sum = sum &+ least &+ Int64(bitPattern: word & mask)
            // Safe: start + count <= out.count by checkedRange.
            unsafe out[unchecked: index] = T(word: sum)
            bit &+= width
        }
    }
    for index in (start &+ fast)..<(start &+ count) {
        let delta = width == 0 ? 0 : slowBits(bytes, bit, width: width)
        sum = sum &+ least &+ Int64(bitPattern: delta)
        out[index] = T(word: sum)
        bit &+= width
    }
    value = sum
}

/// Copies `count` numbers from PLAIN bytes. The caller has proven that the bytes from `offset` hold them.
func copyPlain<T: BitwiseCopyable>(
    _ bytes: RawSpan, at offset: Int, into out: inout MutableSpan<T>, at start: Int, count: Int
) {
    checkedRange(start, count, out.count)
    checkedRange(offset, count * MemoryLayout<T>.size, bytes.byteCount)
    for index in 0..<count {
        // Safe: both ranges are checked above; T is trivial.
        unsafe out[unchecked: start &+ index] = bytes.unsafeLoadUnaligned(
            fromUncheckedByteOffset: offset &+ index &* MemoryLayout<T>.size, as: T.self)
    }
}

/// Joins `count` numbers of a BYTE_STREAM_SPLIT page: all first bytes, all second bytes, and so on.
func joinByteStreams<T: ColumnNumber>(
    _ bytes: RawSpan, into out: inout MutableSpan<T>, at start: Int, count: Int
) {
    checkedRange(start, count, out.count)
    precondition(bytes.byteCount == count * MemoryLayout<T>.size)
    for index in 0..<count {
        var word: UInt64 = 0
        for stream in 0..<MemoryLayout<T>.size {
            word |= UInt64(bytes.uncheckedByte(stream &* count &+ index)) &<< UInt64(stream &* 8)
        }
        // Safe: start + count <= out.count by checkedRange.
        unsafe out[unchecked: start &+ index] = T(word: Int64(bitPattern: word))
    }
}

/// Replaces codes by what they stand for: `width` consecutive entries of `dictionary`.
/// The caller has proven every code times `width` in the dictionary.
func gather<T: BitwiseCopyable>(
    _ codes: Span<UInt32>, from dictionary: Span<T>, width: Int, into out: inout MutableSpan<T>, at start: Int
) {
    checkedRange(start, codes.count * width, out.count)
    precondition(codes.isEmpty || (Int(largest(codes)) + 1) * width <= dictionary.count)
    var target = start
    for index in 0..<codes.count {
        // Safe: both ranges and the largest code are checked above.
        let source = unsafe Int(codes[unchecked: index]) &* width
        for part in 0..<width {
            // Safe: as above.
            unsafe out[unchecked: target &+ part] = dictionary[unchecked: source &+ part]
        }
        target &+= width
    }
}

/// The largest code, or 0 if there are none.
func largest(_ codes: Span<UInt32>) -> UInt32 {
    var most: UInt32 = 0
    for index in 0..<codes.count {
        // Safe: index < codes.count.
        most = max(most, unsafe codes[unchecked: index])
    }
    return most
}

/// Moves the `present` values at the head of `rows` to the rows whose bit is one, and `empty` to the others.
/// A value is `width` consecutive entries of `out`. Goes from the end, so that no value is overwritten before
/// it has moved, and stops where all rows before are present. O(rows), without a branch on the bits.
func spread<T: BitwiseCopyable>(
    _ out: inout MutableSpan<T>, width: Int, rows: Range<Int>, present: Int, validity: BitRun, empty: T
) {
    checkedRange(rows.lowerBound * width, rows.count * width, out.count)
    precondition(present == validity.onesCount(rows))
    let words = validity.words.span
    var source = rows.lowerBound &+ present
    var row = rows.upperBound
    while row > source {
        row &-= 1
        // Safe: onesCount has checked that rows lie in the bits; source falls by one for each one bit of rows,
        // so rows.lowerBound <= source <= row < rows.upperBound, which checkedRange holds against out.
        let bit = unsafe words[unchecked: row &>> 6] &>> UInt64(row & 63) & 1
        source &-= Int(bit)
        for part in 0..<width {
            // Safe: as above.
            let value = unsafe out[unchecked: source &* width &+ part]
            unsafe out[unchecked: row &* width &+ part] = bit == 1 ? value : empty
        }
    }
}

/// The values of `rows` whose bit in `validity` (which begins at the first of them) is one. O(rows), branch-free.
func presentValues<T: BitwiseCopyable>(_ values: [T], _ rows: Range<Int>, _ validity: BitRun) -> [T] {
    precondition(validity.count == rows.count)
    var present = Array(values[rows])
    let presentCount = validity.onesCount(0..<rows.count)
    if presentCount == rows.count { return present }
    let words = validity.words.span
    var out = present.mutableSpan
    var target = 0
    for index in 0..<rows.count {
        // Safe: target <= index < rows.count, the length of out and of the bits.
        unsafe out[unchecked: target] = out[unchecked: index]
        target &+= unsafe Int(words[unchecked: index &>> 6] &>> UInt64(index & 63) & 1)
    }
    present.removeLast(rows.count - presentCount)
    return present
}

/// Appends numbers as PLAIN pages hold them.
func encodePlain<T: ColumnNumber>(_ values: [T], to writer: inout ByteWriter) {
    // Safe: T is an integer or a double, without padding.
    unsafe writer.append(values.span.bytes)
}

/// A CRC of 32 bits, reflected, by eight tables of 256 entries (Kounavis and Berry, 2005): eight bytes a turn.
func sliceByEight(_ bytes: RawSpan, tables: Span<UInt32>) -> UInt32 {
    precondition(tables.count == 8 * 256)
    var crc = UInt32.max
    var offset = 0
    while offset &+ 8 <= bytes.byteCount {
        let word = bytes.uncheckedWord(offset) ^ UInt64(crc)
        crc = 0
        for slice in 0..<8 {
            // Safe: slice < 8 and a byte < 256, so the index is below the count checked above.
            crc ^= unsafe tables[unchecked: (7 &- slice) &* 256 &+ Int((word &>> UInt64(slice &* 8)) & 0xFF)]
        }
        offset &+= 8
    }
    while offset < bytes.byteCount {
        crc = (crc &>> 8) ^ tables[Int((crc ^ UInt32(bytes.uncheckedByte(offset))) & 0xFF)]
        offset &+= 1
    }
    return ~crc
}
