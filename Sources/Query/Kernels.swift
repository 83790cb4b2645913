// The loops over all rows of a chunk, and the only unsafe code of this module. Each function checks its whole range
// once and then runs unchecked.

/// A condition as a number: `&` of two needs no jump, where `&&` makes one that the processor often guesses wrong.
@inline(__always)
private func one(_ condition: Bool) -> Int { condition ? 1 : 0 }

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

/// Looks every code up in `entries`, whose last one is null's.
func lookUp(_ codes: [UInt32], _ entries: [UInt32]) -> [UInt32] {
    var result = [UInt32](repeating: 0, count: codes.count)
    let null = UInt32(entries.count - 1)
    let source = codes.span
    let table = entries.span
    var output = result.mutableSpan
    for row in 0..<codes.count {
        // Safe: all three spans are as long as the loops and `min` make their indices.
        unsafe output[unchecked: row] = table[unchecked: Int(min(source[unchecked: row], null))]
    }
    return result
}

/// Takes `bits` away from the rows that are 0 in `mask`.
func clear(_ bits: UInt32, of masks: inout [UInt32], unless mask: [UInt8]) {
    precondition(mask.count == masks.count)
    let source = mask.span
    var output = masks.mutableSpan
    for row in 0..<mask.count {
        // Safe: both spans have `mask.count` entries. 0 &- 1 keeps all bits, 0 &- 0 none.
        let kept = unsafe 0 &- UInt32(source[unchecked: row])
        unsafe output[unchecked: row] &= kept | ~bits
    }
}

/// Takes `bits` away from the rows whose time is not in `range`.
func clear(_ bits: UInt32, of masks: inout [UInt32], times: [Int64], outside range: TimeRange) {
    precondition(times.count == masks.count)
    let source = times.span
    var output = masks.mutableSpan
    for row in 0..<times.count {
        // Safe: both spans have `times.count` entries.
        let time = unsafe source[unchecked: row]
        let kept: UInt32 = time >= range.from && time < range.to ? .max : 0
        unsafe output[unchecked: row] &= kept | ~bits
    }
}

/// The rows of `slice` that have a bit and a key: their keys, times and masks.
func compact(
    keys: [Int64], times: [Int64], masks: [UInt32], _ slice: Range<Int>
) -> (keys: [Int64], times: [Int64], masks: [UInt32]) {
    precondition(keys.count == masks.count && times.count == masks.count)
    precondition(slice.lowerBound >= 0 && slice.upperBound <= masks.count)
    let (keySource, timeSource, maskSource) = (keys.span, times.span, masks.span)
    // Safe: `slice` lies in all three, and the outputs hold one entry more than it, for the entry behind the last one.
    var count = 0
    for row in slice { count &+= unsafe one(maskSource[unchecked: row] != 0) & one(keySource[unchecked: row] != 0) }
    var compactKeys = [Int64](repeating: 0, count: count + 1)
    var compactTimes = compactKeys
    var compactMasks = [UInt32](repeating: 0, count: count + 1)
    var keyOutput = compactKeys.mutableSpan
    var timeOutput = compactTimes.mutableSpan
    var maskOutput = compactMasks.mutableSpan
    var next = 0
    for row in slice {
        let key = unsafe keySource[unchecked: row]
        let mask = unsafe maskSource[unchecked: row]
        unsafe keyOutput[unchecked: next] = key
        unsafe timeOutput[unchecked: next] = timeSource[unchecked: row]
        unsafe maskOutput[unchecked: next] = mask
        next &+= one(mask != 0) & one(key != 0)
    }
    compactKeys.removeLast()
    compactTimes.removeLast()
    compactMasks.removeLast()
    return (compactKeys, compactTimes, compactMasks)
}

/// 0, 1, 2, … of a range.
func allRows(_ slice: Range<Int>) -> [UInt32] {
    precondition(slice.lowerBound >= 0 && slice.upperBound <= Int(UInt32.max))
    var rows = [UInt32](repeating: 0, count: slice.count)
    var output = rows.mutableSpan
    let first = UInt32(slice.lowerBound)
    // Safe: the span is as long as the slice, whose rows all have 32 bits.
    for index in 0..<slice.count { unsafe output[unchecked: index] = first &+ UInt32(truncatingIfNeeded: index) }
    return rows
}

/// Splits the groups of `rows` by the rows' codes, and numbers the new groups in order of appearance.
/// - Parameters:
///   - groups: below `groupCount`, one a row; checked.
///   - codes: below `codeCount`, or null; one a row of the chunk.
///   - rows: ascending; checked by the last one.
/// - Returns: for each new group, the index of its first row in `rows`.
func splitGroups(
    _ groups: inout [UInt32], _ groupCount: Int, by codes: [UInt32], codeCount: Int, _ rows: [UInt32]
) -> [Int] {
    precondition(groups.count == rows.count && Int(rows.last ?? 0) < max(codes.count, 1))
    let width = codeCount + 1
    var table = [UInt32](repeating: .max, count: groupCount * width)
    var firsts: [Int] = []
    let (codeSource, rowSource) = (codes.span, rows.span)
    var numbers = groups.mutableSpan
    var known = table.mutableSpan
    for index in 0..<rows.count {
        // Safe: rows ascend to the last one, which was checked; `known[place]` checks its own index.
        let code = unsafe codeSource[unchecked: Int(rowSource[unchecked: index])]
        let place = unsafe Int(numbers[unchecked: index]) &* width &+ min(Int(code), codeCount)
        var number = known[place]
        if number == .max {
            number = UInt32(firsts.count)
            known[place] = number
            firsts.append(index)
        }
        unsafe numbers[unchecked: index] = number
    }
    return firsts
}

/// The users of `rows` with their groups, without rows that repeat the row before or have no user.
/// - Parameter rows: ascending, below `userKeys.count`; checked.
func userPairs(
    _ userKeys: [Int64], _ rows: [UInt32], groups: [UInt32]
) -> (keys: [Int64], groups: [UInt32]) {
    precondition(groups.count == rows.count && Int(rows.last ?? 0) < max(userKeys.count, 1))
    var keys = [Int64](repeating: 0, count: rows.count + 1)
    var keyGroups = [UInt32](repeating: 0, count: rows.count + 1)
    let (keySource, rowSource, groupSource) = (userKeys.span, rows.span, groups.span)
    var keyOutput = keys.mutableSpan
    var groupOutput = keyGroups.mutableSpan
    var count = 0
    var lastKey: Int64 = 0
    var lastGroup = UInt32.max
    for index in 0..<rows.count {
        // Safe: rows ascend to the last one, which was checked; `count` is at most `index`.
        let key = unsafe keySource[unchecked: Int(rowSource[unchecked: index])]
        let group = unsafe groupSource[unchecked: index]
        unsafe keyOutput[unchecked: count] = key
        unsafe groupOutput[unchecked: count] = group
        count &+= one(key != 0) & (one(key != lastKey) | one(group != lastGroup))
        (lastKey, lastGroup) = (key, group)
    }
    keys.removeLast(keys.count - count)
    keyGroups.removeLast(keyGroups.count - count)
    return (keys, keyGroups)
}
