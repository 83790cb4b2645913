import Bytes
import Events
import Parquet

/// Finds events that are the same as an earlier one: same (user_key, event_id) on stored days at most one apart
/// (protocol/table.md §7). The one function that the publish and the query daemon's tail share.
package struct DuplicateFilter {
    /// The days on which an identity is kept: one, but for ids that are used again.
    private struct Days {
        private let first: Int32
        private var others: [Int32] = []

        init(_ day: Int) { first = Int32(day) }

        mutating func insert(_ day: Int) { others.append(Int32(day)) }

        /// Whether one of them is `day`, the day before or the day after.
        func touch(_ day: Int) -> Bool {
            abs(Int(first) - day) <= 1 || others.contains { abs(Int($0) - day) <= 1 }
        }
    }

    private let files: FileCache
    private let version: TableVersion
    /// Days of what earlier calls kept: the rows of one snapshot may come in pieces.
    private var kept: [EventIdentity: Days] = [:]

    package init(version: TableVersion, files: FileCache) {
        self.version = version
        self.files = files
    }

    /// What the identities kept take: an entry of the dictionary has 40 bytes, and there are slots for more.
    var memoryBytes: Int {
        kept.capacity * (MemoryLayout<EventIdentity>.stride + MemoryLayout<Days>.stride + 1) * 4 / 3
    }

    /// Which rows stay: all but those that repeat a row of the table, or an earlier row, of this call or one before,
    /// that stays.
    ///
    /// O(rows with an explicit id × files on days at most one apart), and O(rows of a file) the first time it is asked
    /// and whenever it may hold one of the ids.
    package mutating func keep(_ rows: EventRows) throws -> [Bool] {
        var keep = [Bool](repeating: true, count: rows.rowCount)
        let ids = rows.columns[.eventID]
        let candidates = (0..<rows.rowCount).filter { ids.isPresent($0) }
        guard !candidates.isEmpty else { return keep }
        let bytes = ids.fixedBytes
        let userKeys = rows.columns[.userKey].int64s
        let timestamps = rows.columns[.timestamp].int64s
        let identities = candidates.map { EventIdentity(userKey: userKeys[$0], bytes.rawSpan, $0) }
        let days = candidates.map { EventRows.day(timestamps[$0]) }
        let stored = try storedDays(of: identities, on: Set(days))
        // Growing once for many; a few more are left to the dictionary's own doubling.
        if candidates.count > kept.count { kept.reserveCapacity(kept.count + candidates.count) }
        for (index, row) in candidates.enumerated() {
            let identity = identities[index]
            if !stored.isEmpty, let known = stored[identity], known.touch(days[index]) {
                keep[row] = false
            } else if let known = kept[identity] {
                keep[row] = !known.touch(days[index])
                if keep[row] { kept[identity]?.insert(days[index]) }
            } else {
                kept[identity] = Days(days[index])
            }
        }
        return keep
    }

    /// The stored days of those identities that the table holds.
    private func storedDays(of identities: [EventIdentity], on days: Set<Int>) throws -> [EventIdentity: Days] {
        let near = days.union(days.map { $0 - 1 }).union(days.map { $0 + 1 })
        let keys = Set(identities.map(\.userKey)).sorted()
        let overlapping = version.files.filter { file in
            file.day.map(near.contains) ?? false && file.bounds.map { keys.overlaps($0.userKey) } ?? true
        }
        var found: [EventIdentity: Days] = [:]
        for file in overlapping {
            guard let day = file.day else { continue }
            let filter = try files.identityFilter(file) { try self.filter(file) }
            let possible = identities.filter { filter.mayHold($0) }
            if possible.isEmpty { continue }
            let wanted = Set(possible)
            try scan(file, Set(possible.map(\.userKey)).sorted()) { identity in
                guard wanted.contains(identity) else { return }
                if found[identity] == nil { found[identity] = Days(day) } else { found[identity]?.insert(day) }
            }
        }
        return found
    }

    private func filter(_ file: DataFile) throws -> IdentityFilter {
        var filter = IdentityFilter(count: file.rowCount)
        try scan(file, nil) { filter.insert($0) }
        return filter
    }

    /// Calls `body` with every identity of a file's row groups, or of those alone that `keys` reach into.
    private func scan(_ data: DataFile, _ keys: [Int64]?, _ body: (EventIdentity) -> Void) throws {
        let file = try files.open(data)
        guard let keyColumn = file.schema.index(of: EventSchema.Fixed.userKey.name),
            let idColumn = file.schema.index(of: EventSchema.Fixed.eventID.name)
        else { return }
        for (index, group) in file.rowGroups.enumerated() {
            let statistics = group.columns[keyColumn]
            if let keys, case .int64(let least) = statistics.min, case .int64(let greatest) = statistics.max,
                least <= greatest, !keys.overlaps(least...greatest) {
                continue
            }
            if group.columns[idColumn].nullCount == group.rowCount { continue }
            guard case .int64(let userKeys, _) = try file.read(column: keyColumn, rowGroup: index),
                case .fixed(let bytes, 16, let validity) = try file.read(column: idColumn, rowGroup: index)
            else { continue }
            for row in userKeys.indices where validity?[row] ?? true {
                body(EventIdentity(userKey: userKeys[row], bytes.rawSpan, row))
            }
        }
    }
}

extension Array where Element == Int64 {
    /// Whether a sorted array has an element in `range`. O(log n).
    func overlaps(_ range: ClosedRange<Int64>) -> Bool {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < range.lowerBound { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low] <= range.upperBound
    }
}
