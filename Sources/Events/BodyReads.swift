import Bytes

// Reads from a batch's body. Offsets count from the body's start; a span that ends with the column bounds every read.

extension RawSpan {
    /// A varint that mostly has one or two bytes: refs, lengths. Moves `offset`, which must not be negative, past it.
    @inline(__always)
    func shortVarint(_ offset: inout Int, _ part: BatchPart) throws(BatchError) -> UInt64 {
        if offset &+ 2 <= byteCount {
            let first = UInt64(uncheckedByte(offset))
            let second = UInt64(uncheckedByte(offset &+ 1))
            let continues = first &>> 7
            if continues & (second &>> 7) == 0 {
                // No branch on the length: refs of one and two bytes alternate unpredictably.
                offset &+= 1 &+ Int(continues)
                return (first & 0x7F) | ((second & 0x7F) &<< 7 & (0 &- continues))
            }
        }
        return try anyVarint(&offset, part)
    }

    /// A zigzag of any length up to eight bytes at one cost: times, numbers. Moves `offset` past it.
    @inline(__always)
    func wordZigzag(_ offset: inout Int, _ part: BatchPart) throws(BatchError) -> Int64 {
        if offset &+ 8 <= byteCount {
            let word = uncheckedWord(offset)
            let ends = ~word & 0x8080_8080_8080_8080
            if ends != 0 {
                // All bits up to the first byte without the continuation bit, then the gaps squeezed out.
                var bits = word & (ends ^ (ends &- 1)) & 0x7F7F_7F7F_7F7F_7F7F
                bits = (bits & 0x007F_007F_007F_007F) | ((bits & 0x7F00_7F00_7F00_7F00) &>> 1)
                bits = (bits & 0x0000_3FFF_0000_3FFF) | ((bits & 0x3FFF_0000_3FFF_0000) &>> 2)
                bits = (bits & 0x0000_0000_0FFF_FFFF) | ((bits & 0x0FFF_FFFF_0000_0000) &>> 4)
                offset &+= ends.trailingZeroBitCount &>> 3 &+ 1
                return zigzagDecode(bits)
            }
        }
        return zigzagDecode(try anyVarint(&offset, part))
    }

    @inline(never)
    func anyVarint(_ offset: inout Int, _ part: BatchPart) throws(BatchError) -> UInt64 {
        do throws(DecodeError) {
            return try longVarint(&offset)
        } catch {
            switch error {
            case .varintTooLong(let position): throw .varintTooLong(part, offset: position)
            case .truncated, .invalid, .overLimit: throw .truncated(part, offset: offset)
            }
        }
    }

    /// The next `count` bytes.
    func part(_ count: Int, _ offset: inout Int, _ part: BatchPart) throws(BatchError) -> Range<Int> {
        guard count <= byteCount &- offset else { throw .truncated(part, offset: offset) }
        let range = offset..<(offset &+ count)
        offset &+= count
        return range
    }

    func byte(_ offset: inout Int, _ part: BatchPart) throws(BatchError) -> UInt8 {
        uncheckedByte(try self.part(1, &offset, part).lowerBound)
    }

    /// A length that must fit what is left of the span.
    func length(_ offset: inout Int, _ part: BatchPart) throws(BatchError) -> Int {
        let value = try shortVarint(&offset, part)
        guard value <= UInt64(byteCount &- offset) else { throw .truncated(part, offset: offset) }
        return Int(value)
    }

    /// A bitmap of `count` rows, spare bits zero.
    func bitmap(_ count: Int, _ offset: inout Int, _ part: BatchPart) throws(BatchError) -> Bitmap {
        let range = try self.part((count &+ 7) / 8, &offset, part)
        if count & 7 != 0, uncheckedByte(range.upperBound &- 1) &>> UInt8(count & 7) != 0 {
            throw .spareBitsSet(part)
        }
        let words = [UInt64](capacity: (count &+ 63) / 64) { (output: inout OutputSpan<UInt64>) in
            var position = range.lowerBound
            while position &+ 8 <= range.upperBound {
                output.append(uncheckedWord(position))
                position &+= 8
            }
            if position == range.upperBound { return }
            var last: UInt64 = 0
            for byteOffset in (position..<range.upperBound).reversed() {
                last = last &<< 8 | UInt64(uncheckedByte(byteOffset))
            }
            output.append(last)
        }
        return Bitmap(words: words, count: count)
    }

    /// `count` refs, checked against the table. With `noneIsZero`, 0 reads as `Batch.none` and others are one less.
    func refs(
        _ count: Int, noneIsZero: NoneIsZero, _ table: borrowing StringTable, _ offset: inout Int, _ part: BatchPart
    ) throws(BatchError) -> [UInt32] {
        guard count <= byteCount &- offset else { throw .truncated(part, offset: byteCount) }
        let bias: UInt64 = noneIsZero == .yes ? 1 : 0
        var highest: UInt64 = 0
        var position = offset
        let refs = try [UInt32](capacity: count) { (output: inout OutputSpan<UInt32>) throws(BatchError) in
            for _ in 0..<count {
                let ref = try shortVarint(&position, part)
                highest = max(highest, ref)
                output.append(UInt32(truncatingIfNeeded: ref &- bias))
            }
        }
        offset = position
        guard highest < UInt64(table.strings.count) &+ bias else {
            throw .stringIndexOutOfRange(part, index: highest &- bias, stringCount: table.strings.count)
        }
        return refs
    }

    enum NoneIsZero { case yes, no }
}
