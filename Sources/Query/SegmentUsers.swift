import Table

/// The latest event of a person that has a trait, and whether its value passes.
struct TraitState: Sendable {
    private(set) var place: EventPlace
    private(set) var passes: Bool

    /// Of nobody's trait.
    static let none = TraitState(EventPlace(timestampMicros: .min, position: .min), passes: false)

    init(_ place: EventPlace, passes: Bool) { (self.place, self.passes) = (place, passes) }

    var isNone: Bool { place == Self.none.place }

    mutating func merge(_ other: TraitState) {
        if other.place > place { self = other }
    }
}

/// What some events tell of the people of a segment, sorted by user.
struct SegmentUsers: Sendable {
    private(set) var keys: [Int64]
    /// By user, then by condition: events that pass.
    private(set) var counts: [Int]
    /// By user, then by condition on a trait.
    private(set) var traits: [TraitState]
    private(set) var rangeStarts: [Int]
    private let countsPerUser: Int
    private let traitsPerUser: Int

    /// - Parameter rows: of everybody who counts, ascending.
    init(userKeys: [Int64], _ rows: [UInt32], countsPerUser: Int, traitsPerUser: Int) {
        (self.countsPerUser, self.traitsPerUser) = (countsPerUser, traitsPerUser)
        var keys: [Int64] = []
        // An event without any id is nobody's.
        for row in rows where userKeys[Int(row)] != 0 && keys.last != userKeys[Int(row)] {
            keys.append(userKeys[Int(row)])
        }
        self.keys = keys
        counts = [Int](repeating: 0, count: keys.count * countsPerUser)
        traits = [TraitState](repeating: .none, count: keys.count * traitsPerUser)
        rangeStarts = KeyRange.starts(of: keys)
    }

    static func bytesPerRow(countsPerUser: Int, traitsPerUser: Int) -> Int {
        MemoryLayout<Int64>.size * (1 + countsPerUser) + MemoryLayout<TraitState>.stride * traitsPerUser
    }

    /// Counts rows for a condition.
    /// - Parameter rows: ascending, and among those of `init`.
    mutating func count(_ rows: [UInt32], _ userKeys: [Int64], condition: Int) {
        forEachUser(of: rows, userKeys) { users, user, _ in users.counts[user * users.countsPerUser + condition] += 1 }
    }

    /// Notes the places of the rows, which have a trait.
    mutating func note(
        _ rows: [UInt32], _ userKeys: [Int64], trait: Int, _ state: (_ row: Int) -> TraitState
    ) {
        forEachUser(of: rows, userKeys) { users, user, row in
            users.traits[user * users.traitsPerUser + trait].merge(state(row))
        }
    }

    private mutating func forEachUser(
        of rows: [UInt32], _ userKeys: [Int64], _ body: (inout SegmentUsers, _ user: Int, _ row: Int) -> Void
    ) {
        var user = 0
        for row in rows.map(Int.init) where userKeys[row] != 0 {
            while user < keys.count, keys[user] < userKeys[row] { user += 1 }
            guard user < keys.count, keys[user] == userKeys[row] else { continue }
            body(&self, user, row)
        }
    }
}

/// The people of one range of keys, over all chunks.
struct SegmentStates {
    private var users = KeyTable()
    private var keys: [Int64] = []
    private var counts: [Int] = []
    private var traits: [TraitState] = []
    private let countsPerUser: Int
    private let traitsPerUser: Int

    init(countsPerUser: Int, traitsPerUser: Int) {
        (self.countsPerUser, self.traitsPerUser) = (countsPerUser, traitsPerUser)
    }

    mutating func add(_ part: SegmentUsers, range: Int) {
        for row in part.rangeStarts[range]..<part.rangeStarts[range + 1] {
            let user = users.number(of: part.keys[row])
            if user == keys.count {
                keys.append(part.keys[row])
                counts += part.counts[(row * countsPerUser)..<((row + 1) * countsPerUser)]
                traits += part.traits[(row * traitsPerUser)..<((row + 1) * traitsPerUser)]
                continue
            }
            for index in 0..<countsPerUser {
                counts[user * countsPerUser + index] += part.counts[row * countsPerUser + index]
            }
            for index in 0..<traitsPerUser {
                traits[user * traitsPerUser + index].merge(part.traits[row * traitsPerUser + index])
            }
        }
    }

    /// The keys of those for whom it holds.
    func keys(where holds: (_ counts: ArraySlice<Int>, _ traits: ArraySlice<TraitState>) -> Bool) -> [Int64] {
        keys.indices.filter { user in
            holds(
                counts[(user * countsPerUser)..<((user + 1) * countsPerUser)],
                traits[(user * traitsPerUser)..<((user + 1) * traitsPerUser)])
        }.map { keys[$0] }
    }
}
