import Bytes

/// A batch's strings, checked, and what spares the columns most of their checks.
///
///     varint count · count × varint length · all strings' bytes, joined
struct StringTable {
    let strings: ByteStrings
    let longestBytes: Int
    private let holdsEmpty: Bool

    /// Reads the table from the front of `body`. O(bytes).
    init(_ body: RawSpan, _ offset: inout Int, _ limits: BatchLimits) throws(BatchError) {
        let part = BatchPart.stringTable
        let declared = try body.shortVarint(&offset, part)
        guard declared <= UInt64(limits.stringsMax) else {
            throw .overLimit(.strings, value: declared, limit: limits.stringsMax)
        }
        let count = Int(declared)
        guard count <= body.byteCount &- offset else { throw .truncated(part, offset: body.byteCount) }
        var longest: UInt64 = 0
        var shortest = UInt64.max
        var total: UInt64 = 0
        var position = offset
        let offsets = try [Int](capacity: count &+ 1) { (output: inout OutputSpan<Int>) throws(BatchError) in
            output.append(0)
            for _ in 0..<count {
                let length = try body.shortVarint(&position, part)
                longest = max(longest, length)
                shortest = min(shortest, length)
                // May wrap or be cut only if `longest` is over its limit, which is checked before `total` is believed.
                total &+= length
                output.append(Int(truncatingIfNeeded: total))
            }
        }
        offset = position
        guard longest <= UInt64(Limits.stringBytesMax) else {
            throw .overLimit(.stringBytes, value: longest, limit: Limits.stringBytesMax)
        }
        let range = try body.part(Int(total), &offset, part)
        let blob = body.extracting(range)
        try StringTable.checkUTF8(blob, offsets)
        strings = ByteStrings(bytes: blob.copy(), offsets: offsets)
        longestBytes = Int(longest)
        holdsEmpty = shortest == 0
    }

    /// The joined bytes are validated once; then no string may start inside a character, so none ends inside one.
    private static func checkUTF8(_ blob: RawSpan, _ offsets: [Int]) throws(BatchError) {
        guard blob.isWellFormedUTF8 else { throw .notUTF8 }
        for index in offsets.indices where offsets[index] < blob.byteCount {
            if blob.uncheckedByte(offsets[index]) & 0xC0 == 0x80 { throw .stringStartsInsideCharacter(string: index) }
        }
    }

    /// Checks that each ref that is not `Batch.none` names a string of 1 to `quantity`'s maximum bytes.
    func checkLengths(
        _ refs: [UInt32], _ quantity: BatchQuantity, max limit: Int, _ part: BatchPart
    ) throws(BatchError) {
        if longestBytes <= limit && !holdsEmpty { return }
        for ref in refs where ref != Batch.none {
            try checkLength(ref, quantity, max: limit, part)
        }
    }

    func checkLength(
        _ ref: UInt32, _ quantity: BatchQuantity, max limit: Int, _ part: BatchPart
    ) throws(BatchError) {
        let length = strings.range(Int(ref)).count
        guard length > 0 else { throw .emptyString(part) }
        guard length <= limit else { throw .overLimit(quantity, value: UInt64(length), limit: limit) }
    }
}
