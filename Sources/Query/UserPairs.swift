import Table

/// Users of the selected rows of one chunk with their groups, sorted by user: what distinct users are counted from.
struct UserPairs: Sendable {
    /// Never 0: an event without any id is nobody's.
    private(set) var keys: [Int64] = []
    /// The chunk's numbers of groups, one a key.
    private(set) var groups: [UInt32] = []
    /// Where each of the 256 ranges begins, and the end.
    private(set) var rangeStarts: [Int] = []

    static let bytesPerRow = 12

    init(userKeys: [Int64], _ rows: [UInt32], groups rowGroups: [UInt32]) {
        keys.reserveCapacity(rows.count)
        groups.reserveCapacity(rows.count)
        var lastKey: Int64 = 0
        var lastGroup = UInt32.max
        for (index, row) in rows.enumerated() {
            let key = userKeys[Int(row)]
            let group = rowGroups[index]
            guard key != 0, key != lastKey || group != lastGroup else { continue }
            keys.append(key)
            groups.append(group)
            (lastKey, lastGroup) = (key, group)
        }
        rangeStarts = KeyRange.starts(of: keys)
    }
}

extension KeyRange {
    /// Where each range begins in ascending keys, and the end: 257 entries. O(ranges × log keys).
    static func starts(of keys: [Int64]) -> [Int] {
        var starts = [0]
        starts.reserveCapacity(count + 1)
        for range in 1..<count { starts.append(keys.partitionPoint { index(of: $0) >= range }) }
        starts.append(keys.count)
        return starts
    }
}

/// A set of (user, group), small enough for a core's cache: it holds one range of keys.
struct PairSet {
    private struct Slot {
        /// 0 where free; no user has that key.
        var key: Int64
        var group: UInt32
    }
    private var slots = [Slot](repeating: Slot(key: 0, group: 0), count: 1024)
    private var pairCount = 0

    /// - Returns: whether the pair is new.
    mutating func insert(_ key: Int64, _ group: UInt32) -> Bool {
        let mask = slots.count &- 1
        // Keys are hashes already; those of a range differ in their low bits.
        var place = (Int(truncatingIfNeeded: key) &+ Int(group) &* 0x9E37_79B9) & mask
        while slots[place].key != 0 {
            if slots[place].key == key, slots[place].group == group { return false }
            place = (place &+ 1) & mask
        }
        slots[place] = Slot(key: key, group: group)
        pairCount &+= 1
        if pairCount &* 2 > slots.count { grow() }
        return true
    }

    private mutating func grow() {
        let old = slots
        slots = [Slot](repeating: Slot(key: 0, group: 0), count: old.count * 4)
        pairCount = 0
        for slot in old where slot.key != 0 { _ = insert(slot.key, slot.group) }
    }
}
