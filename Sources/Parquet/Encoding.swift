import Bytes

// The encodings of Parquet (Encodings.md) written for one page.

/// Packs values of `width` (0...64) bits, least significant bit first, and pads the last byte with zeros.
func encodePacked<T: FixedWidthInteger & UnsignedInteger>(_ values: Span<T>, width: Int, to writer: inout ByteWriter) {
    var word: UInt64 = 0
    var filled = 0
    for index in 0..<values.count {
        let value = UInt64(truncatingIfNeeded: values[index])
        word |= value &<< UInt64(filled)
        filled &+= width
        if filled >= 64 {
            writer.append(fixed: word)
            filled &-= 64
            word = filled > 0 ? value &>> UInt64(width &- filled) : 0
        }
    }
    while filled > 0 {
        writer.append(UInt8(truncatingIfNeeded: word))
        word &>>= 8
        filled &-= 8
    }
}

/// Writes codes of `width` (1...32) bits in the RLE / bit-packed hybrid: runs of eight and more as runs.
func encodeHybrid(_ codes: Span<UInt32>, width: Int, to writer: inout ByteWriter) {
    var literalStart = 0
    var index = 0
    while index < codes.count {
        let value = codes[index]
        var end = index + 1
        while end < codes.count && codes[end] == value { end += 1 }
        // Packed values come in groups of eight: the run first fills the group before it.
        let borrowed = (8 - (index - literalStart) % 8) % 8
        if end - index - borrowed >= 8 {
            encodeLiterals(codes.extracting(literalStart..<(index + borrowed)), width: width, to: &writer)
            writer.append(count: (end - index - borrowed) << 1)
            for byte in 0..<((width + 7) / 8) { writer.append(UInt8(truncatingIfNeeded: value >> UInt32(byte * 8))) }
            literalStart = end
        }
        index = end
    }
    encodeLiterals(codes.extracting(literalStart..<codes.count), width: width, to: &writer)
}

private func encodeLiterals(_ codes: Span<UInt32>, width: Int, to writer: inout ByteWriter) {
    guard !codes.isEmpty else { return }
    let groups = (codes.count + 7) / 8
    writer.append(count: groups << 1 | 1)
    let end = writer.count + groups * width
    encodePacked(codes, width: width, to: &writer)
    while writer.count < end { writer.append(0) }
}

/// Writes definition levels in the hybrid of width 1: one run if all are alike, else all packed. zstd squeezes
/// what short runs would save, and packed bits are written and read by the word.
func encodeLevels(_ levels: BitRun, to writer: inout ByteWriter) {
    let ones = levels.onesCount(0..<levels.count)
    guard ones > 0 && ones < levels.count else {
        writer.append(count: levels.count << 1)
        writer.append(ones > 0 ? 1 : 0)
        return
    }
    let groups = (levels.count + 7) / 8
    writer.append(count: groups << 1 | 1)
    for index in 0..<groups {
        writer.append(UInt8(truncatingIfNeeded: levels.words[index / 8] >> UInt64(index % 8 * 8)))
    }
}

private let deltaBlockSize = 128
private let deltaMiniblockSize = 32

/// Writes integers as DELTA_BINARY_PACKED: blocks of 128 deltas in miniblocks of 32. Deltas wrap at the type's width.
func encodeDeltas<T: FixedWidthInteger & SignedInteger>(_ values: Span<T>, to writer: inout ByteWriter) {
    writer.append(count: deltaBlockSize)
    writer.append(count: deltaBlockSize / deltaMiniblockSize)
    writer.append(count: values.count)
    writer.append(signed: values.isEmpty ? 0 : Int64(values[0]))
    var deltas = [T](repeating: 0, count: deltaBlockSize)
    var excess = [UInt64](repeating: 0, count: deltaBlockSize)
    var index = 1
    while index < values.count {
        let length = min(deltaBlockSize, values.count - index)
        var least = T.max
        for part in 0..<length {
            deltas[part] = values[index &+ part] &- values[index &+ part &- 1]
            least = min(least, deltas[part])
        }
        for part in 0..<deltaBlockSize {
            excess[part] = part < length ? UInt64(T.Magnitude(truncatingIfNeeded: deltas[part] &- least)) : 0
        }
        writer.append(signed: Int64(least))
        encodeMiniblocks(excess.span, length: length, to: &writer)
        index += length
    }
}

/// The widths of all miniblocks of a block, then those miniblocks that hold any of its `length` values.
private func encodeMiniblocks(_ excess: Span<UInt64>, length: Int, to writer: inout ByteWriter) {
    let starts = stride(from: 0, to: deltaBlockSize, by: deltaMiniblockSize)
    let widths = starts.map { start in
        var union: UInt64 = 0
        for index in start..<(start + deltaMiniblockSize) { union |= excess[index] }
        return 64 - union.leadingZeroBitCount
    }
    for width in widths { writer.append(UInt8(width)) }
    for (start, width) in zip(starts, widths) where start < length {
        encodePacked(excess.extracting(start..<(start + deltaMiniblockSize)), width: width, to: &writer)
    }
}

/// Writes doubles as BYTE_STREAM_SPLIT: all first bytes, all second bytes, and so on.
func encodeByteStreams(_ values: [Double], to writer: inout ByteWriter) {
    for stream in 0..<8 {
        for value in values { writer.append(UInt8(truncatingIfNeeded: value.bitPattern >> UInt64(stream * 8))) }
    }
}
