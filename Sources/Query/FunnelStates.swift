/// How far the users of one range of keys have come through a funnel.
///
/// Step `i` of a user has the latest entry of any chain that fills steps 0...i so far: a chain with a later entry can go
/// on wherever one with an earlier entry can, so no other needs to be known (ClickHouse's windowFunnel keeps the same
/// table). Events come in order of time, user by user within a day.
struct FunnelStates {
    private let stepCount: Int
    private let windowMicros: Int64
    /// Ordinals by user key; 0 where free.
    private var slotKeys = [Int64](repeating: 0, count: 1024)
    private var slotUsers = [UInt32](repeating: 0, count: 1024)
    private var userCount = 0
    /// `stepCount` a user: the latest entry of a chain that came to the step, `none` if there is none.
    private var entries: [Int64] = []

    private static let none = Int64.min

    init(stepCount: Int, windowMicros: Int64) {
        (self.stepCount, self.windowMicros) = (stepCount, windowMicros)
    }

    // MARK: Users

    private mutating func user(_ key: Int64) -> Int {
        let mask = slotKeys.count &- 1
        // Keys are hashes already; those of a range differ in their low bits.
        var place = Int(truncatingIfNeeded: key) & mask
        while slotKeys[place] != 0 {
            if slotKeys[place] == key { return Int(slotUsers[place]) }
            place = (place &+ 1) & mask
        }
        slotKeys[place] = key
        slotUsers[place] = UInt32(userCount)
        userCount &+= 1
        for _ in 0..<stepCount { entries.append(Self.none) }
        if userCount &* 2 > slotKeys.count { grow() }
        return userCount &- 1
    }

    private mutating func grow() {
        let (oldKeys, oldUsers) = (slotKeys, slotUsers)
        slotKeys = [Int64](repeating: 0, count: oldKeys.count * 4)
        slotUsers = [UInt32](repeating: 0, count: oldKeys.count * 4)
        let mask = slotKeys.count &- 1
        for (key, user) in zip(oldKeys, oldUsers) where key != 0 {
            var place = Int(truncatingIfNeeded: key) & mask
            while slotKeys[place] != 0 { place = (place &+ 1) & mask }
            (slotKeys[place], slotUsers[place]) = (key, user)
        }
    }

    // MARK: Events

    /// Takes in rows of later days than all before; those of one user ascend in time.
    mutating func add(_ events: FunnelEvents, _ rows: Range<Int>) {
        let keys = events.keys
        let times = events.times
        let steps = events.steps
        var row = rows.lowerBound
        var key: Int64 = 0
        var base = 0
        while row < rows.upperBound {
            if keys[row] != key {
                key = keys[row]
                base = user(key) &* stepCount
            }
            let next = row &+ 1
            if next == rows.upperBound || times[next] != times[row] || keys[next] != key {
                advance(base, times[row], steps[row])
                row = next
            } else {
                var end = next
                while end < rows.upperBound, times[end] == times[row], keys[end] == key { end += 1 }
                advance(base, times[row], simultaneous: steps[row..<end])
                row = end
            }
        }
    }

    /// One event: from the last step down, so that it fills one step of a chain only.
    @inline(__always)
    private mutating func advance(_ base: Int, _ time: Int64, _ mask: UInt32) {
        var rest = mask
        while rest != 0 {
            let step = 31 &- rest.leadingZeroBitCount
            rest ^= 1 << UInt32(step)
            let entry = step == 0 ? time : entries[base &+ step &- 1]
            if isOpen(entry, at: time), entry > entries[base &+ step] { entries[base &+ step] = entry }
        }
    }

    /// The window holds its last instant.
    private func isOpen(_ entry: Int64, at time: Int64) -> Bool {
        guard entry != Self.none else { return false }
        let (age, overflowed) = time.subtractingReportingOverflow(entry)
        return !overflowed && age <= windowMicros
    }

    /// Events of one instant convert in the order of the steps, each filling one step of a chain. Which steps a chain can
    /// take in this instant is a matching of steps to events.
    private mutating func advance(_ base: Int, _ time: Int64, simultaneous masks: ArraySlice<UInt32>) {
        let isSimple = masks.allSatisfy { $0.nonzeroBitCount == 1 }
        if isSimple {
            let all = masks.reduce(0, |)
            for step in 0..<stepCount where all >> UInt32(step) & 1 == 1 { advance(base, time, 1 << UInt32(step)) }
            return
        }
        let before = Array(entries[base..<(base + stepCount)])
        for start in -1..<(stepCount - 1) {
            let entry = start < 0 ? time : before[start]
            guard isOpen(entry, at: time) else { continue }
            var matching = StepMatching(masks)
            var step = start + 1
            while step < stepCount, matching.fill(step) {
                if entry > entries[base + step] { entries[base + step] = entry }
                step += 1
            }
        }
    }

    // MARK: Outcome

    /// Counts users by the last step they reached.
    func counts(clockMicros: Int64) -> FunnelCounts {
        var counts = FunnelCounts(stepCount: stepCount)
        for user in 0..<userCount {
            let steps = entries[(user * stepCount)..<((user + 1) * stepCount)]
            guard let deepest = steps.lastIndex(where: { $0 != Self.none }).map({ $0 - user * stepCount }) else {
                continue
            }
            counts.reached[deepest] += 1
            // The latest entry stands at step 0, and closes last.
            let latest = steps[user * stepCount]
            if deepest < stepCount - 1, isOpen(latest, at: clockMicros) { counts.inProgress[deepest] += 1 }
        }
        return counts
    }
}

/// Users by the last step they reached, and those of them who may still go on.
struct FunnelCounts: Sendable, Equatable {
    var reached: [Int]
    var inProgress: [Int]

    init(stepCount: Int) {
        reached = [Int](repeating: 0, count: stepCount)
        inProgress = reached
    }

    mutating func add(_ other: FunnelCounts) {
        for step in reached.indices {
            reached[step] += other.reached[step]
            inProgress[step] += other.inProgress[step]
        }
    }

    /// How many users reached each step or a later one.
    var users: [Int] { reached.indices.map { reached[$0...].reduce(0, +) } }
}

/// Gives each of some steps an event of its own (Kuhn's algorithm for bipartite matching).
private struct StepMatching {
    private let masks: [UInt32]
    private var stepOfEvent: [Int?]

    init(_ masks: ArraySlice<UInt32>) {
        // More events of a kind than there are steps can help nobody.
        var seen: [UInt32: Int] = [:]
        self.masks = masks.filter { mask in
            seen[mask, default: 0] += 1
            return seen[mask, default: 0] <= FunnelQuestion.stepCount.upperBound
        }
        stepOfEvent = [Int?](repeating: nil, count: self.masks.count)
    }

    /// Fills one more step, moving others to other events if it must.
    /// - Returns: false if it cannot; nothing has changed then.
    mutating func fill(_ step: Int) -> Bool {
        var visited = [Bool](repeating: false, count: masks.count)
        return fill(step, &visited)
    }

    private mutating func fill(_ step: Int, _ visited: inout [Bool]) -> Bool {
        for event in masks.indices where masks[event] >> UInt32(step) & 1 == 1 && !visited[event] {
            visited[event] = true
            if let holder = stepOfEvent[event], !fill(holder, &visited) { continue }
            stepOfEvent[event] = step
            return true
        }
        return false
    }
}
