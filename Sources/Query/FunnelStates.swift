/// How far the users of one range of keys have come through a funnel.
///
/// Step `i` of a user has the latest entry of any chain that fills steps 0...i so far: a chain with a later entry can
/// go on wherever one with an earlier entry can, so no other needs to be known (ClickHouse's windowFunnel keeps the
/// same table). Events come in order of time, user by user within a day.
struct FunnelStates {
    private let stepCount: Int
    private let windowMicros: Int64
    private var users = KeyTable()
    /// `stepCount` a user: the latest entry of a chain that came to the step, `none` if there is none.
    private var entries: [Int64] = []
    /// The step whose users may be named; nil where nobody is.
    private let followedStep: Int?
    /// Where a step is followed: each user, and when he first reached it; `none` before.
    private var followed: [(key: Int64, reachedMicros: Int64)] = []

    static let none = Int64.min

    init(stepCount: Int, windowMicros: Int64, followedStep: Int?) {
        (self.stepCount, self.windowMicros, self.followedStep) = (stepCount, windowMicros, followedStep)
    }

    // MARK: Events

    /// Takes in rows of later days than all before; those of one user ascend in time.
    mutating func add(_ events: FunnelEvents, _ rows: Range<Int>) {
        var row = rows.lowerBound
        while row < rows.upperBound {
            let user = users.number(of: events.keys[row])
            let base = user * stepCount
            if base == entries.count { add(events.keys[row]) }
            // A step that is followed is looked at after each instant.
            let end = followedStep == nil ? rows.upperBound : endOfInstant(events, row..<rows.upperBound)
            let time = events.times[row]
            let stop = advanceUser(
                &entries, base, stepCount: stepCount, windowMicros: windowMicros, events, row..<end)
            row = stop.row
            if stop.reason == .simultaneous {
                let end = endOfInstant(events, row..<rows.upperBound)
                advance(base, events.times[row], simultaneous: events.steps[row..<end])
                row = end
            }
            if let followedStep, followed[user].reachedMicros == Self.none, entries[base + followedStep] != Self.none {
                followed[user].reachedMicros = time
            }
        }
    }

    private mutating func add(_ key: Int64) {
        for _ in 0..<stepCount { entries.append(Self.none) }
        if followedStep != nil { followed.append((key, Self.none)) }
    }

    /// Behind the rows of the first row's user and time.
    private func endOfInstant(_ events: FunnelEvents, _ rows: Range<Int>) -> Int {
        let first = rows.lowerBound
        var end = first + 1
        while end < rows.upperBound, events.keys[end] == events.keys[first], events.times[end] == events.times[first] {
            end += 1
        }
        return end
    }

    /// One event that fits one step.
    private mutating func advance(_ base: Int, _ time: Int64, step: Int) {
        let entry = step == 0 ? time : entries[base + step - 1]
        if isOpen(entry, at: time), entry > entries[base + step] { entries[base + step] = entry }
    }

    /// The window holds its last instant.
    private func isOpen(_ entry: Int64, at time: Int64) -> Bool {
        guard entry != Self.none else { return false }
        let (age, overflowed) = time.subtractingReportingOverflow(entry)
        return !overflowed && age <= windowMicros
    }

    /// Events of one instant convert in the order of the steps, each filling one step of a chain. Which steps a chain
    /// can take in this instant is a matching of steps to events.
    private mutating func advance(_ base: Int, _ time: Int64, simultaneous masks: ArraySlice<UInt32>) {
        let isSimple = masks.allSatisfy { $0.nonzeroBitCount == 1 }
        if isSimple {
            let all = masks.reduce(0, |)
            for step in 0..<stepCount where all >> UInt32(step) & 1 == 1 { advance(base, time, step: step) }
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
        for user in 0..<users.count {
            let steps = entries[(user * stepCount)..<((user + 1) * stepCount)]
            guard let deepest = steps.lastIndex(where: { $0 != Self.none }).map({ $0 - user * stepCount }) else {
                continue
            }
            counts.reached[deepest] += 1
            if isInProgress(user, deepest: deepest, clockMicros: clockMicros) { counts.inProgress[deepest] += 1 }
        }
        return counts
    }

    /// Whether a user may still go on. His latest entry stands at step 0, and closes last.
    private func isInProgress(_ user: Int, deepest: Int, clockMicros: Int64) -> Bool {
        deepest < stepCount - 1 && isOpen(entries[user * stepCount], at: clockMicros)
    }

    /// The users at the followed step of whom an outcome holds.
    func users(_ outcome: FunnelQuestion.UsersAt.Outcome, clockMicros: Int64, limit: Int) -> FunnelUsers {
        var found = FunnelUsers(limit: limit)
        guard let followedStep else { return found }
        for (user, entry) in followed.enumerated() where entry.reachedMicros != Self.none {
            let steps = entries[(user * stepCount)..<((user + 1) * stepCount)]
            let deepest = (steps.lastIndex { $0 != Self.none } ?? steps.startIndex) - user * stepCount
            let isLast = followedStep == stepCount - 1
            let holds =
                switch outcome {
                case .reached: true
                case .converted: isLast || deepest > followedStep
                case .dropped:
                    !isLast && deepest == followedStep
                        && !isInProgress(user, deepest: deepest, clockMicros: clockMicros)
                case .inProgress:
                    deepest == followedStep && isInProgress(user, deepest: deepest, clockMicros: clockMicros)
                }
            if holds { found.insert(FunnelUsers.User(reachedMicros: entry.reachedMicros, key: entry.key)) }
        }
        return found
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

/// The users at a step: how many, and those who reached it last.
struct FunnelUsers: Sendable {
    struct User: Sendable, Comparable {
        let reachedMicros: Int64
        let key: Int64

        /// The later one is named first; ties stand by their keys.
        static func < (left: User, right: User) -> Bool {
            (~left.reachedMicros, left.key) < (~right.reachedMicros, right.key)
        }
    }

    private(set) var count = 0
    private var latest: Least<User>

    init(limit: Int) { latest = Least(limit) }

    mutating func insert(_ user: User) {
        count += 1
        latest.insert(user)
    }

    mutating func merge(_ other: FunnelUsers) {
        count += other.count
        var other = other
        for user in other.named() { latest.insert(user) }
    }

    /// In order, as many as are wanted.
    mutating func named() -> [User] { latest.sorted() }
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
