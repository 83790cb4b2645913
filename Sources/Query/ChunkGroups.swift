import Table
import Zones

/// The groups that the selected rows of one chunk fall in, numbered in order of appearance.
struct ChunkGroups {
    /// One a selected row.
    private(set) var groups: [UInt32]
    /// The values of each group, nil where an event has none; a bucket is its first instant.
    private(set) var keys: [[Value?]] = []

    init(_ view: ChunkView, _ rows: [UInt32], _ columns: [AggregateQuestion.Column], _ calendar: Calendar) throws {
        groups = [UInt32](repeating: 0, count: rows.count)
        guard !columns.isEmpty, !rows.isEmpty else {
            keys = rows.isEmpty ? [] : [[]]
            return
        }
        var columnCodes: [CodedColumn] = []
        var firstRows: [Int] = [0]
        for column in columns {
            let coded: CodedColumn
            switch column.dimension {
            case .field(let field): coded = try view.coded(field)
            case .time(let unit): coded = try calendar.buckets(view, unit)
            }
            columnCodes.append(coded)
            firstRows = Self.split(&groups, firstRows.count, by: coded, rows)
        }
        keys = firstRows.map { index in
            columnCodes.map { column in
                let code = column.codes[Int(rows[index])]
                return code == CodedColumn.null ? nil : column.value(code)
            }
        }
    }

    /// Splits groups by one more column.
    /// - Returns: for each new group, which selected row was the first of it.
    private static func split(
        _ groups: inout [UInt32], _ groupCount: Int, by column: CodedColumn, _ rows: [UInt32]
    ) -> [Int] {
        var firstRows: [Int] = []
        let width = column.codeCount + 1
        let (tableCount, overflowed) = groupCount.multipliedReportingOverflow(by: width)
        if !overflowed, tableCount <= max(1 << 16, 4 * rows.count) {
            return splitGroups(&groups, groupCount, by: column.codes, codeCount: column.codeCount, rows)
        }
        var table: [UInt64: UInt32] = [:]
        for index in 0..<rows.count {
            let pair = UInt64(groups[index]) << 32 | UInt64(column.codes[Int(rows[index])])
            if let known = table[pair] {
                groups[index] = known
            } else {
                groups[index] = UInt32(firstRows.count)
                table[pair] = UInt32(firstRows.count)
                firstRows.append(index)
            }
        }
        return firstRows
    }
}

/// Which bucket an instant is in, by the question's calendar.
struct Calendar: Sendable {
    let zone: Zone
    let weekStart: Weekday

    /// Past it, buckets are not listed beforehand: rows of the tail may lie anywhere in time.
    private static let listedMax = 1 << 14

    /// The start of each row's bucket, as codes.
    func buckets(_ view: ChunkView, _ unit: BucketUnit) throws -> CodedColumn {
        let bounds = view.chunk.timestampsMicros
        let (end, overflowed) = bounds.upperBound.addingReportingOverflow(1)
        let times = try view.integers(.timestamp)
        let starts: [Int64]
        do throws(ZoneError) {
            starts = try zone.buckets(
                from: bounds.lowerBound, to: overflowed ? .max : end, unit: unit, weekStart: weekStart,
                countMax: Self.listedMax)
        } catch {
            var coder = CodedColumn.Coder(rowCount: times.count)
            for time in times { coder.append(.integer(zone.bucketStart(of: time, unit: unit, weekStart: weekStart))) }
            return coder.column
        }
        let dictionary = CodedColumn.Dictionary.values(starts.map { .integer($0) })
        guard starts.count > 1 else {
            return CodedColumn(codes: [UInt32](repeating: 0, count: times.count), dictionary)
        }
        var codes = [UInt32](repeating: 0, count: times.count)
        var bucket = 0
        for (row, time) in times.enumerated() {
            // Rows of one user ascend: mostly the same bucket as the row before.
            if time < starts[bucket] || (bucket + 1 < starts.count && time >= starts[bucket + 1]) {
                bucket = max(starts.partitionPoint { $0 > time } - 1, 0)
            }
            codes[row] = UInt32(bucket)
        }
        return CodedColumn(codes: codes, dictionary)
    }
}
