// Numbers for users. Unsafe as in Kernels.swift: checked once, then unchecked.

/// Numbers the users of one range of keys in order of appearance: open addressing, small enough for a core's cache.
struct KeyTable {
    private struct Slot {
        /// 0 where free; no user has that key.
        var key: Int64
        var number: Int
    }
    /// A power of two, at most half full.
    private var slots = [Slot](repeating: Slot(key: 0, number: 0), count: 1024)
    private(set) var count = 0

    /// The number of a user, new or known.
    @inline(__always)
    mutating func number(of key: Int64) -> Int {
        let slot = slot(of: key)
        return slot.isFree ? add(key, slot.place) : slot.number
    }

    @inline(__always)
    private func slot(of key: Int64) -> (place: Int, number: Int, isFree: Bool) {
        precondition(key != 0, "a user's key is never 0")
        let mask = slots.count &- 1
        let known = slots.span
        // Keys are hashes already; those of a range differ in their low bits.
        var place = Int(truncatingIfNeeded: key) & mask
        while true {
            // Safe: `mask` keeps the place below the power of two that is the slots' count.
            let slot = unsafe known[unchecked: place]
            if slot.key == key || slot.key == 0 { return (place, slot.number, slot.key == 0) }
            place = (place &+ 1) & mask
        }
    }

    private mutating func add(_ key: Int64, _ place: Int) -> Int {
        slots[place] = Slot(key: key, number: count)
        count += 1
        if count * 2 > slots.count { grow() }
        return count - 1
    }

    private mutating func grow() {
        let old = slots
        slots = [Slot](repeating: Slot(key: 0, number: 0), count: old.count * 4)
        let mask = slots.count - 1
        for slot in old where slot.key != 0 {
            var place = Int(truncatingIfNeeded: slot.key) & mask
            while slots[place].key != 0 { place = (place + 1) & mask }
            slots[place] = slot
        }
    }
}
