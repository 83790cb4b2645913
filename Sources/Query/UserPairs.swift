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
        (keys, groups) = userPairs(userKeys, rows, groups: rowGroups)
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

/// The distinct users of each group, within one range of keys.
struct UserCounter {
    private(set) var counts: [Int]
    private var users = KeyTable()
    /// Which groups each user is in: `wordsPerUser` a user.
    private var bits: [UInt64] = []
    private let wordsPerUser: Int
    /// In place of `bits` where there are too many groups: the pairs themselves.
    private var pairs = Set<UInt64>()

    /// Above it, bits for every group would mostly be zero.
    private static let groupsOfBitsMax = 4096

    init(groupCount: Int) {
        counts = [Int](repeating: 0, count: groupCount)
        wordsPerUser = groupCount <= Self.groupsOfBitsMax ? (groupCount + 63) / 64 : 0
    }

    /// - Parameter numbers: the counter's group for each group of `part`.
    mutating func add(_ part: UserPairs, range: Int, numbers: [Int]) {
        let rows = part.rangeStarts[range]..<part.rangeStarts[range + 1]
        guard counts.count > 1 else {
            for row in rows { _ = users.number(of: part.keys[row]) }
            if !counts.isEmpty { counts[0] = users.count }
            return
        }
        var lastKey: Int64 = 0
        var user = 0
        for row in rows {
            let group = numbers[Int(part.groups[row])]
            if part.keys[row] != lastKey {
                lastKey = part.keys[row]
                user = users.number(of: lastKey)
                if user &* wordsPerUser == bits.count { for _ in 0..<wordsPerUser { bits.append(0) } }
            }
            if wordsPerUser == 0 {
                if pairs.insert(UInt64(user) << 32 | UInt64(group)).inserted { counts[group] += 1 }
                continue
            }
            let word = user &* wordsPerUser &+ group >> 6
            let bit: UInt64 = 1 << UInt64(group & 63)
            counts[group] &+= bits[word] & bit == 0 ? 1 : 0
            bits[word] |= bit
        }
    }
}
