import Bytes
import Files
import Parquet

/// Writes one day's rows as a data file of the root table: protocol/table.md §4.
struct EventFileWriter {
    let tableFolder: String
    let disk: Disk

    /// Writes and synchronizes the file; its folder is the caller's to synchronize.
    /// - Parameter path: relative to the table; what a crashed attempt left under it is replaced.
    func write(_ rows: EventRows, _ order: RowOrder, _ day: RowOrder.Day, path: String) throws -> DataFile {
        let fullPath = tableFolder + "/" + path
        try disk.unlink(fullPath)
        let sorted = (0..<3).map { SortingColumn($0) }
        var writer = try ParquetWriter(
            fullPath, schema: EventSchema.parquet, sortingColumns: sorted,
            keyValueMetadata: [("tidemark.format", "0"), ("tidemark.ranges", "\(KeyRange.count)")],
            settings: ParquetWriterSettings(), disk: disk)
        let userKeys = rows.columns[.userKey].int64s
        let dayRows = order.rows[day.range]
        let keys = dayRows.map { userKeys[$0] }
        for group in KeyRange.rowGroups(keys) {
            let first = day.range.lowerBound
            let rowsOfGroup = dayRows[(first + group.lowerBound)..<(first + group.upperBound)]
            try writer.writeRowGroup(rows.columns.map { $0.gather(rowsOfGroup) }, rowCount: rowsOfGroup.count)
        }
        let summary = try writer.finish()
        return DataFile(
            path: path, day: day.day, byteCount: summary.fileBytes, rowCount: summary.rowCount,
            bounds: DataFile.Bounds(summary.columns))
    }
}

extension DataFile.Bounds {
    /// The bounds of the sort columns from a file's statistics.
    fileprivate init?(_ columns: [ColumnStatistics]) {
        func range(_ column: EventSchema.Fixed) -> ClosedRange<Int64>? {
            guard case .int64(let least) = columns[column.rawValue].min,
                case .int64(let greatest) = columns[column.rawValue].max
            else { return nil }
            return least...greatest
        }
        guard let userKey = range(.userKey), let timestamp = range(.timestamp), let position = range(.position) else {
            return nil
        }
        self.init(userKey: userKey, timestampMicros: timestamp, position: position)
    }
}
