import Bytes

// The encodings of Parquet (Encodings.md) read from the bytes of one page. Every function checks all that the
// bytes claim before a kernel runs.

/// One run of the RLE / bit-packed hybrid: `length` copies of `value`, or as many packed values at `byteOffset`.
private struct HybridRun {
    let value: UInt32?
    let byteOffset: Int
    let length: Int
}

/// Reads the header of a run and moves `offset` past the run, of which at most `rest` values count.
///
/// Run header: varint; low bit 1 = (header >> 1) groups of 8 packed values, 0 = (header >> 1) copies of one value
/// in ceil(width / 8) bytes.
@inline(__always)
private func hybridRun(
    _ bytes: RawSpan, _ offset: inout Int, width: Int, rest: Int
) throws(DecodeError) -> HybridRun {
    let start = offset
    let header = try bytes.varint(&offset)
    let stated = header >> 1
    guard stated > 0, stated <= 1 << 31 else { throw .invalid(what: "run length", offset: start) }
    if header & 1 == 1 {
        let length = min(Int(stated) * 8, rest)
        // The last run may lack the padding of its last group.
        let run = HybridRun(value: nil, byteOffset: offset, length: length)
        guard (length * width + 7) / 8 <= bytes.byteCount - offset else { throw .truncated(offset: offset) }
        offset += min(Int(stated) * width, bytes.byteCount - offset)
        return run
    }
    var value: UInt32 = 0
    for index in 0..<((width + 7) / 8) {
        value |= UInt32(try bytes.read(UInt8.self, &offset)) << UInt32(index * 8)
    }
    return HybridRun(value: value, byteOffset: offset, length: min(Int(stated), rest))
}

/// Reads `count` codes of `width` (0...32) bits in the hybrid encoding.
func decodeCodes(
    _ bytes: RawSpan, _ offset: inout Int, width: Int, into out: inout MutableSpan<UInt32>, at start: Int, count: Int
) throws(DecodeError) {
    var done = 0
    while done < count {
        let run = try hybridRun(bytes, &offset, width: width, rest: count - done)
        if let value = run.value {
            for index in (start + done)..<(start + done + run.length) { out[index] = value }
        } else {
            unpackCodes(bytes, at: run.byteOffset, width: width, into: &out, at: start + done, count: run.length)
        }
        done += run.length
    }
}

/// Reads `count` bits in the hybrid encoding of width 1: definition levels, RLE booleans.
func decodeBits(
    _ bytes: RawSpan, _ offset: inout Int, into bits: inout BitRun, count: Int
) throws(DecodeError) {
    var done = 0
    while done < count {
        let start = offset
        let run = try hybridRun(bytes, &offset, width: 1, rest: count - done)
        if let value = run.value {
            guard value <= 1 else { throw .invalid(what: "level", offset: start) }
            bits.append(repeating: value == 1, length: run.length)
        } else {
            bits.append(bytes, at: run.byteOffset, length: run.length)
        }
        done += run.length
    }
}

/// The codes of a page of dictionary indices: a byte of bit width, then the hybrid. All are below `dictionaryCount`.
func decodeDictionaryPage(
    _ bytes: RawSpan, into out: inout MutableSpan<UInt32>, at start: Int, count: Int, dictionaryCount: Int
) throws(DecodeError) {
    guard count > 0 else { return }
    var offset = 0
    let width = Int(try bytes.read(UInt8.self, &offset))
    guard width <= 32 else { throw .invalid(what: "dictionary index width", offset: 0) }
    try decodeCodes(bytes, &offset, width: width, into: &out, at: start, count: count)
    let most = largest(out.span.extracting(start..<(start + count)))
    guard Int(most) < dictionaryCount else { throw .invalid(what: "dictionary index", offset: 0) }
}

/// Reads `count` integers of DELTA_BINARY_PACKED.
///
/// Header: varint block size, varint miniblocks a block, varint count, zigzag first value. Block: zigzag least delta,
/// a byte of bit width a miniblock, the miniblocks. The last miniblock is padded; unused ones are absent.
func decodeDeltas<T: ColumnNumber>(
    _ bytes: RawSpan, _ offset: inout Int, into out: inout MutableSpan<T>, at start: Int, count: Int
) throws(DecodeError) {
    let blockSize = try bytes.count("delta block size", limit: 1 << 20, &offset)
    let miniblocks = try bytes.count("delta miniblocks", limit: 1 << 12, &offset)
    let stated = try bytes.count("delta count", limit: ParquetLimits.rowGroupRowsMax, &offset)
    var value = try bytes.signedVarint(&offset)
    guard miniblocks > 0, blockSize > 0, blockSize % miniblocks == 0, (blockSize / miniblocks) % 8 == 0 else {
        throw .invalid(what: "delta block size", offset: 0)
    }
    guard stated == count else { throw .invalid(what: "delta count", offset: 0) }
    guard count > 0 else { return }
    out[start] = T(word: value)
    let miniblockSize = blockSize / miniblocks
    var done = 1
    while done < count {
        let least = try bytes.signedVarint(&offset)
        let widths = try bytes.take(miniblocks, &offset)
        for widthOffset in widths where done < count {
            let width = Int(bytes.uncheckedByte(widthOffset))
            guard width <= 64 else { throw .invalid(what: "delta bit width", offset: widthOffset) }
            let length = min(miniblockSize, count - done)
            guard (length * width + 7) / 8 <= bytes.byteCount - offset else { throw .truncated(offset: offset) }
            accumulateDeltas(
                bytes, at: offset, width: width, least: least, value: &value,
                into: &out, at: start + done, count: length)
            offset += min(miniblockSize * width / 8, bytes.byteCount - offset)
            done += length
        }
    }
}

/// Appends `count` strings of a PLAIN page: each a 4-byte length and the bytes.
func decodePlainStrings(
    _ bytes: RawSpan, into strings: inout ByteStrings, count: Int
) throws(DecodeError) {
    guard count <= bytes.byteCount / 4 else { throw .truncated(offset: bytes.byteCount) }
    strings.reserveCapacity(
        strings: strings.count + count, bytes: strings.bytes.count + bytes.byteCount - 4 * count)
    var offset = 0
    for _ in 0..<count {
        let length = Int(try bytes.read(UInt32.self, &offset))
        strings.append(bytes.extracting(try bytes.take(length, &offset)))
    }
}

/// Appends `count` strings of a DELTA_LENGTH_BYTE_ARRAY page: delta-packed lengths, then all bytes.
func decodeDeltaLengthStrings(
    _ bytes: RawSpan, into strings: inout ByteStrings, count: Int
) throws(DecodeError) {
    var offset = 0
    var lengths = [Int32](repeating: 0, count: count)
    var lengthsSpan = lengths.mutableSpan
    try decodeDeltas(bytes, &offset, into: &lengthsSpan, at: 0, count: count)
    var end = offset
    var offsets = strings.offsets
    let base = strings.bytes.count - offset
    offsets.reserveCapacity(offsets.count + count)
    for length in lengths {
        guard length >= 0 else { throw .invalid(what: "string length", offset: 0) }
        _ = try bytes.take(Int(length), &end)
        offsets.append(base + end)
    }
    var joined = strings.bytes
    strings = ByteStrings()
    joined.append(contentsOf: bytes.copy(offset..<end))
    strings = ByteStrings(bytes: joined, offsets: offsets)
}
