import Bytes
import Events
import Parquet

/// Finds events that are the same as an earlier one: same (user_key, event_id) on stored days at most one apart
/// (protocol/table.md §7). The one function that the publish and the query daemon's tail share.
package struct DuplicateFilter {
    private struct Identity: Hashable {
        let userKey: Int64
        let high: UInt64
        let low: UInt64

        /// The id of `row` in a column of 16-byte ids.
        init(userKey: Int64, _ ids: RawSpan, _ row: Int) {
            self.userKey = userKey
            high = ids.uncheckedWord(row * 16)
            low = ids.uncheckedWord(row * 16 + 8)
        }
    }

    /// The rows of one identity, in order of position.
    private struct Candidate {
        let row: Int
        let day: Int
    }

    private let files: FileCache
    private let version: TableVersion
    /// Days of what earlier calls kept: the rows of one snapshot may come in pieces.
    private var kept: [Identity: [Int]] = [:]

    package init(version: TableVersion, files: FileCache) {
        self.version = version
        self.files = files
    }

    /// Which rows stay: all but those that repeat a row of the table, or an earlier row, of this call or one before, that stays.
    ///
    /// O(rows with an explicit id + rows of the row groups whose keys overlap theirs on days at most one apart).
    package mutating func keep(_ rows: EventRows) throws -> [Bool] {
        var keep = [Bool](repeating: true, count: rows.rowCount)
        let candidates = candidates(rows)
        guard !candidates.isEmpty else { return keep }
        let stored = try storedDays(of: candidates)
        for (identity, list) in candidates {
            var days = (stored[identity] ?? []) + (kept[identity] ?? [])
            let knownCount = days.count
            for candidate in list {
                if days.contains(where: { abs($0 - candidate.day) <= 1 }) {
                    keep[candidate.row] = false
                } else {
                    days.append(candidate.day)
                }
            }
            if days.count > knownCount { kept[identity, default: []] += days[knownCount...] }
        }
        return keep
    }

    private func candidates(_ rows: EventRows) -> [Identity: [Candidate]] {
        let ids = rows.columns[.eventID]
        let userKeys = rows.columns[.userKey].int64s
        let timestamps = rows.columns[.timestamp].int64s
        let bytes = ids.fixedBytes
        var candidates: [Identity: [Candidate]] = [:]
        for row in 0..<rows.rowCount where ids.isPresent(row) {
            let identity = Identity(userKey: userKeys[row], bytes.rawSpan, row)
            candidates[identity, default: []].append(Candidate(row: row, day: EventRows.day(timestamps[row])))
        }
        return candidates
    }

    /// The stored days of those identities that the table holds.
    private func storedDays(of candidates: [Identity: [Candidate]]) throws -> [Identity: [Int]] {
        let keys = Set(candidates.keys.map(\.userKey)).sorted()
        var days = Set<Int>()
        for candidate in candidates.values.joined() { days.formUnion([candidate.day - 1, candidate.day, candidate.day + 1]) }
        var found: [Identity: [Int]] = [:]
        for file in version.files where file.day.map(days.contains) ?? true {
            guard file.bounds.map({ keys.overlaps($0.userKey) }) ?? true else { continue }
            let reader = try files.open(file)
            try scan(reader, file, keys) { identity in
                if candidates[identity] != nil, let day = file.day { found[identity, default: []].append(day) }
            }
        }
        return found
    }

    private func scan(_ file: ParquetFile, _ data: DataFile, _ keys: [Int64], _ body: (Identity) -> Void) throws {
        guard let keyColumn = file.schema.index(of: EventSchema.Fixed.userKey.name),
            let idColumn = file.schema.index(of: EventSchema.Fixed.eventID.name)
        else { return }
        for (index, group) in file.rowGroups.enumerated() {
            let statistics = group.columns[keyColumn]
            if case .int64(let least) = statistics.min, case .int64(let greatest) = statistics.max,
                !keys.overlaps(least...greatest) {
                continue
            }
            if group.columns[idColumn].nullCount == group.rowCount { continue }
            guard case .int64(let userKeys, _) = try file.read(column: keyColumn, rowGroup: index),
                case .fixed(let bytes, 16, let validity) = try file.read(column: idColumn, rowGroup: index)
            else { continue }
            for row in userKeys.indices where validity?[row] ?? true {
                body(Identity(userKey: userKeys[row], bytes.rawSpan, row))
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
