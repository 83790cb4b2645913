import Bytes
import Events
import Parquet

extension EventRows {
    /// The rows of the `identities` table: one for each kept event of a reserved type of the records after one, in the
    /// order of positions.
    func identities(isKept: [Bool], after record: UInt64) -> (columns: [ColumnValues], rowCount: Int) {
        let first = firstRow(after: record)
        let types = columns[.eventType].gather(ArraySlice(0..<rowCount))
        guard case .strings(let typeColumn) = types else { preconditionFailure("event_type is a string column") }
        let isReserved = (0..<typeColumn.dictionary.count).map { ReservedType.isReserved(typeColumn.dictionary[$0]) }
        let rows = ArraySlice((first..<rowCount).filter { isKept[$0] && isReserved[Int(typeColumn.codes[$0])] })
        guard !rows.isEmpty else { return ([], 0) }
        func column(_ fixed: EventSchema.Fixed) -> ColumnValues { columns[fixed].gather(rows) }
        var operations = ByteStrings()
        for code in 0..<typeColumn.dictionary.count {
            operations.append(Array(typeColumn.dictionary.copy(code).drop { $0 == dollar }))
        }
        let operation = StringColumn(dictionary: operations, codes: rows.map { typeColumn.codes[$0] })
        let traits = columns[EventSchema.firstJSON + 4].gather(rows)
        return (
            [
                column(.position), column(.timestamp), column(.receivedAt), .strings(operation), column(.userID),
                column(.anonymousID), .strings(previousIDs(of: rows)), column(.groupKey), column(.consent), traits,
            ], rows.count
        )
    }

    /// The property `previous_id` of each row; both lists ascend.
    private func previousIDs(of rows: ArraySlice<Int>) -> StringColumn {
        var next = 0
        let codes = rows.map { row -> UInt32 in
            while next < previousIDs.rows.count, previousIDs.rows[next] < row { next += 1 }
            return next < previousIDs.rows.count && previousIDs.rows[next] == row ? UInt32(next) : StringColumn.null
        }
        return StringColumn(dictionary: previousIDs.ids, codes: codes)
    }

    /// How many rows of each source, of the records after one, were left out.
    fileprivate func dropped(isKept: [Bool], after record: UInt64) -> [SourceID: Int64] {
        let first = firstRow(after: record)
        var dropped: [SourceID: Int64] = [:]
        for (index, run) in sourceRuns.enumerated() where run.firstRow >= first {
            let end = index + 1 < sourceRuns.count ? sourceRuns[index + 1].firstRow : rowCount
            let count = isKept[run.firstRow..<end].count { !$0 }
            if count > 0 { dropped[run.source, default: 0] += Int64(count) }
        }
        return dropped
    }

    /// The first row of the records after one: rows stand in the order of their positions. O(log n).
    func firstRow(after record: UInt64) -> Int {
        let positions = columns[.position].int64s
        let least = Int64(record + 1) << 20
        var low = 0
        var high = rowCount
        while low < high {
            let middle = (low + high) / 2
            if positions[middle] < least { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

private let dollar = UInt8(ascii: "$")

extension SliceGatherer {
    /// The rows of the `ledger` table: one for each source that records after one touched, ordered by source.
    func ledger(isKept: [Bool], after record: UInt64) -> (columns: [ColumnValues], rowCount: Int) {
        let standings = sources.filter { $0.value.record > record }.sorted { $0.key < $1.key }
        let dropped = events.dropped(isKept: isKept, after: record)
        guard !standings.isEmpty else { return ([], 0) }
        let names = ByteStrings(standings.map(\.key.description))
        let codes = standings.indices.map { UInt32($0) }
        func column(_ value: (SourceStanding) -> Int64) -> ColumnValues {
            .int64(standings.map { value($0.value) }, validity: nil)
        }
        return (
            [
                .strings(StringColumn(dictionary: names, codes: codes)),
                column { Int64($0.record) },
                column { $0.commitMicros },
                column { Int64($0.totals.unknownBefore) },
                column { Int64($0.totals.skipped) },
                column { Int64($0.totals.stored) },
                column { Int64($0.totals.rejected) },
                column { Int64($0.totals.quarantined) },
                .int64(standings.map { dropped[$0.key] ?? 0 }, validity: nil),
            ], standings.count
        )
    }
}
