import Bytes
import Parquet

/// An order of rows by (day, user_key, timestamp, position), and where each day lies in it.
struct RowOrder {
    struct Day {
        let day: Int
        let range: Range<Int>
    }
    let rows: [Int]
    let days: [Day]

    /// O(n log n).
    /// - Parameters:
    ///   - byDay: false puts all days in one, as the tail of a query wants it.
    ///   - isKept: rows to leave out are false; nil keeps all.
    init(_ rows: EventRows, byDay: Bool, isKept: [Bool]? = nil) {
        struct Key {
            let day: Int32
            let row: Int32
            let userKey: Int64
            let timestamp: Int64
        }
        let userKeys = rows.columns[.userKey].int64s
        let timestamps = rows.columns[.timestamp].int64s
        var keys: [Key] = []
        keys.reserveCapacity(rows.rowCount)
        for row in 0..<rows.rowCount where isKept?[row] ?? true {
            let day = byDay ? Int32(EventRows.day(timestamps[row])) : 0
            keys.append(Key(day: day, row: Int32(row), userKey: userKeys[row], timestamp: timestamps[row]))
        }
        // Rows were gathered in the order of their positions, so the row number stands for the position.
        keys.sort { left, right in
            if left.day != right.day { return left.day < right.day }
            if left.userKey != right.userKey { return left.userKey < right.userKey }
            if left.timestamp != right.timestamp { return left.timestamp < right.timestamp }
            return left.row < right.row
        }
        self.rows = keys.map { Int($0.row) }
        var days: [Day] = []
        var start = 0
        for index in 1...max(keys.count, 1) where index <= keys.count {
            if index == keys.count || keys[index].day != keys[start].day {
                days.append(Day(day: Int(keys[start].day), range: start..<index))
                start = index
            }
        }
        self.days = days
    }
}

/// The 256 ranges that the key space is cut in, everywhere alike: protocol/table.md §4.
package enum KeyRange {
    package static let count = 256

    package static func index(of userKey: Int64) -> Int {
        Int((UInt64(bitPattern: userKey) ^ (1 << 63)) >> 56)
    }

    /// Cuts sorted keys into row groups of at most `rowsMax` rows that hold whole ranges, or part of exactly one.
    static func rowGroups(_ sortedKeys: [Int64], rowsMax: Int = Limits.rowGroupRowsMax) -> [Range<Int>] {
        var groups: [Range<Int>] = []
        var groupStart = 0
        var rangeStart = 0
        while rangeStart < sortedKeys.count {
            let range = index(of: sortedKeys[rangeStart])
            var rangeEnd = rangeStart + 1
            while rangeEnd < sortedKeys.count, index(of: sortedKeys[rangeEnd]) == range { rangeEnd += 1 }
            if rangeEnd - groupStart > rowsMax {
                if rangeStart > groupStart { groups.append(groupStart..<rangeStart) }
                groupStart = rangeStart
                while rangeEnd - groupStart > rowsMax {
                    groups.append(groupStart..<(groupStart + rowsMax))
                    groupStart += rowsMax
                }
                // What is left of a range that was cut stands alone.
                if groupStart > rangeStart, groupStart < rangeEnd {
                    groups.append(groupStart..<rangeEnd)
                    groupStart = rangeEnd
                }
            }
            rangeStart = rangeEnd
        }
        if groupStart < sortedKeys.count { groups.append(groupStart..<sortedKeys.count) }
        return groups
    }
}
