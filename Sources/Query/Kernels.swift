// The loops over all rows of a chunk, and the only unsafe code of this module. Each function checks its whole range
// once and then runs unchecked.

/// Looks every code up in `passes`, whose last entry is null's: one byte a row, 1 where it passes.
func passMask(_ codes: [UInt32], passes: [UInt8]) -> [UInt8] {
    var mask = [UInt8](repeating: 0, count: codes.count)
    let null = UInt32(passes.count - 1)
    let source = codes.span
    let table = passes.span
    var output = mask.mutableSpan
    for row in 0..<codes.count {
        // Safe: all three spans are as long as the loops and `min` make their indices.
        unsafe output[unchecked: row] = table[unchecked: Int(min(source[unchecked: row], null))]
    }
    return mask
}

/// Clears the rows of `mask` whose time is not in `range`.
func restrict(_ mask: inout [UInt8], times: [Int64], to range: TimeRange) {
    precondition(mask.count == times.count)
    let source = times.span
    var output = mask.mutableSpan
    for row in 0..<times.count {
        // Safe: both spans have `times.count` entries.
        let time = unsafe source[unchecked: row]
        let isIn: UInt8 = time >= range.from && time < range.to ? 1 : 0
        unsafe output[unchecked: row] &= isIn
    }
}

/// The rows of `slice` that are 1 in `mask`, ascending.
func selectedRows(_ mask: [UInt8], in slice: Range<Int>) -> [UInt32] {
    precondition(slice.lowerBound >= 0 && slice.upperBound <= mask.count)
    // One more than there can be: the entry behind the last selected row is written too.
    var rows = [UInt32](repeating: 0, count: slice.count + 1)
    let source = mask.span
    var output = rows.mutableSpan
    var count = 0
    for row in slice {
        // Safe: `count` is at most the number of rows before this one; `row` is within the mask.
        unsafe output[unchecked: count] = UInt32(truncatingIfNeeded: row)
        count &+= unsafe Int(source[unchecked: row])
    }
    rows.removeLast(rows.count - count)
    return rows
}

/// The values of `rows`, in their order.
func gather(_ values: [Int64], _ rows: [UInt32]) -> [Int64] {
    var gathered = [Int64](repeating: 0, count: rows.count)
    let source = values.span
    let indices = rows.span
    var output = gathered.mutableSpan
    for index in 0..<rows.count { output[index] = source[Int(indices[index])] }
    return gathered
}
