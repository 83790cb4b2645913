import Parquet

/// Values of one column: dense, one entry a row.
package typealias ColumnValues = Parquet.ColumnValues
package typealias StringColumn = Parquet.StringColumn

/// A stretch of rows sorted by (user_key, timestamp, position): a row group of a file, or a piece of the log's tail.
package struct Chunk: Sendable {
    enum Source: Sendable {
        case rowGroup(ParquetFile, Int)
        case memory([String: ColumnValues])
    }
    let source: Source
    package let rowCount: Int
    package let userKeys: ClosedRange<Int64>
    package let timestampsMicros: ClosedRange<Int64>
    /// What reading all of it from the disk would cost; 0 for the tail.
    package let storedBytes: Int

    /// The values of a column, or nil if this chunk has none of that name, so that every row is null.
    ///
    /// Reads and decodes the whole chunk's column. Any thread. O(rows).
    package func column(_ name: String) throws -> ColumnValues? {
        switch source {
        case .memory(let columns): return columns[name]
        case .rowGroup(let file, let index):
            guard let column = file.schema.index(of: name) else { return nil }
            return try file.read(column: column, rowGroup: index)
        }
    }
}

/// Chunks that follow one another in one sorted order: the row groups of a file, or one piece of the tail.
package struct Run: Sendable {
    package let chunks: [Chunk]
    /// The UTC day all rows are of, in days since 1970-01-01; nil for the tail.
    package let day: Int?
}

/// One instant of a project's events: a version of the root table and the log's records behind it
/// (protocol/table.md §10). Immutable; any thread.
package struct Snapshot: Sendable {
    /// Whose events they are; it knows the keys of their users.
    package let project: Project
    package let runs: [Run]
    /// The root's version; -1 if nothing was published yet.
    package let tableVersion: Int64
    /// The last record of the log that is in the answer.
    package let lastRecord: UInt64
    /// When that record was committed: the snapshot's clock.
    package let clockMicros: Int64
    /// Rows that come from the tail.
    package let tailRowCount: Int
    /// What was durable when it was taken and is not in it; nil if all is.
    package let behind: Behind?

    /// Records of the log, of whatever project, that a snapshot does not reach.
    package struct Behind: Sendable, Equatable {
        package let records: UInt64
        /// The last of them: the log's durable mark.
        package let lastDurable: UInt64
        package let reason: Reason

        package enum Reason: String, Sendable {
            /// There was more than one step takes up; the next snapshots get nearer.
            case catchingUp = "catching up"
            /// The tail's memory is full until more is published.
            case tailFull = "tail memory full"
        }
    }

    /// The last position that may be in the answer.
    package var position: Int64 { Int64(bitPattern: (lastRecord + 1) << 20) - 1 }
    package var rowCount: Int { runs.reduce(0) { $0 + $1.chunks.reduce(0) { $0 + $1.rowCount } } }

    package init(
        project: Project, runs: [Run], tableVersion: Int64, lastRecord: UInt64, clockMicros: Int64, tailRowCount: Int,
        behind: Behind?
    ) {
        self.project = project
        self.runs = runs
        self.tableVersion = tableVersion
        self.lastRecord = lastRecord
        self.clockMicros = clockMicros
        self.tailRowCount = tailRowCount
        self.behind = behind
    }
}

extension Run {
    /// The run of a data file.
    init(_ file: ParquetFile, _ data: DataFile) {
        let key = file.schema.index(of: EventSchema.Fixed.userKey.name)
        let time = file.schema.index(of: EventSchema.Fixed.timestamp.name)
        var chunks: [Chunk] = []
        for (index, group) in file.rowGroups.enumerated() {
            func range(_ column: Int?) -> ClosedRange<Int64> {
                guard let column, case .int64(let least) = group.columns[column].min,
                    case .int64(let greatest) = group.columns[column].max, least <= greatest
                else { return .min ... .max }
                return least...greatest
            }
            chunks.append(
                Chunk(
                    source: .rowGroup(file, index), rowCount: group.rowCount, userKeys: range(key),
                    timestampsMicros: range(time), storedBytes: data.byteCount / max(file.rowGroups.count, 1)))
        }
        self.init(chunks: chunks, day: data.day)
    }

    /// The run of rows in memory; nil if none is kept. O(n log n).
    package init?(_ rows: EventRows, isKept: [Bool]) {
        let order = RowOrder(rows, byDay: false, isKept: isKept).rows
        guard let first = order.first, let last = order.last else { return nil }
        var columns: [String: ColumnValues] = [:]
        for (column, builder) in zip(EventSchema.parquet.columns, rows.columns) where !builder.isAbsent {
            columns[column.name] = builder.gather(order[...])
        }
        let userKeys = rows.columns[.userKey].int64s
        let times = rows.columns[.timestamp].int64s
        var (least, greatest) = (Int64.max, Int64.min)
        for row in order {
            least = min(least, times[row])
            greatest = max(greatest, times[row])
        }
        let chunk = Chunk(
            source: .memory(columns), rowCount: order.count, userKeys: userKeys[first]...userKeys[last],
            timestampsMicros: least...greatest, storedBytes: 0)
        self.init(chunks: [chunk], day: nil)
    }
}
