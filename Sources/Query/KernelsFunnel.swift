// The funnel's inner loop. Unsafe as in Kernels.swift: checked once, then unchecked.

/// Why `advanceUser` stopped.
enum FunnelStop {
    /// All rows of the user are done.
    case userEnd
    /// The next rows are of one instant; which step each fills is a question of its own.
    case simultaneous
}

/// Takes rows of the first row's user into his entries, until his end or two rows of one instant.
/// - Parameters:
///   - base: where his `stepCount` entries begin.
///   - rows: not empty; a precondition.
/// - Returns: the first row that was not taken.
func advanceUser(
    _ entries: inout [Int64], _ base: Int, stepCount: Int, windowMicros: Int64, _ events: FunnelEvents,
    _ rows: Range<Int>
) -> (row: Int, reason: FunnelStop) {
    let (keys, times, steps) = (events.keys.span, events.times.span, events.steps.span)
    precondition(rows.lowerBound >= 0 && rows.lowerBound < rows.upperBound && rows.upperBound <= keys.count)
    precondition(keys.count == times.count && keys.count == steps.count)
    precondition(base >= 0 && base + stepCount <= entries.count && stepCount <= 32)
    var slots = entries.mutableSpan
    let window = UInt64(windowMicros)
    let bits: UInt32 = stepCount == 32 ? .max : 1 << UInt32(stepCount) &- 1
    // Safe: rows lie in all three spans; a mask cut to `bits` names steps below `stepCount`, and their slots exist.
    let key = unsafe keys[unchecked: rows.lowerBound]
    var row = rows.lowerBound
    while row < rows.upperBound, unsafe keys[unchecked: row] == key {
        let time = unsafe times[unchecked: row]
        let next = row &+ 1
        if next < rows.upperBound, unsafe times[unchecked: next] == time, unsafe keys[unchecked: next] == key {
            return (row, .simultaneous)
        }
        // From the last step down, so that one event fills one step of a chain only.
        var rest = unsafe steps[unchecked: row] & bits
        while rest != 0 {
            let step = 31 &- rest.leadingZeroBitCount
            rest ^= 1 &<< UInt32(step)
            let entry = step == 0 ? time : unsafe slots[unchecked: base &+ step &- 1]
            // Entries are never later than the time, so the age as an unsigned number is right whatever overflows.
            let isOpen = entry != FunnelStates.none && UInt64(bitPattern: time &- entry) <= window
            let known = unsafe slots[unchecked: base &+ step]
            unsafe slots[unchecked: base &+ step] = isOpen ? max(entry, known) : known
        }
        row = next
    }
    return (row, .userEnd)
}
