import Bytes
import WAL

/// The events of the log that the root table does not hold yet, as sorted runs in memory.
///
/// Runs are merged in tiers: each is at least twice as long as the next, so there are few and following costs O(log n)
/// a row.
struct Tail {
    private struct Piece {
        let records: ClosedRange<UInt64>
        let rowCount: Int
        let run: Run?
    }

    private let project: Project
    private let log: LogReader
    private var filter: DuplicateFilter
    private var pieces: [Piece] = []
    private var dropped = Set<Int64>()
    /// The root's last record, behind which the tail begins.
    let base: UInt64
    let tableVersion: Int64
    private(set) var lastRecord: UInt64
    private(set) var clockMicros: Int64

    init(project: Project, log: LogReader, version: TableVersion, files: FileCache) {
        self.project = project
        self.log = log
        filter = DuplicateFilter(version: version, files: files)
        base = version.lastRecord
        tableVersion = version.version
        lastRecord = version.lastRecord
        clockMicros = version.lastUpdatedMillis * 1000
    }

    var runs: [Run] { pieces.compactMap(\.run) }
    var rowCount: Int { pieces.reduce(0) { $0 + $1.rowCount } }

    /// Takes up the records through `mark`, which the log's reader has refreshed to.
    mutating func follow(_ mark: DurableMark) throws {
        guard mark.sequence > lastRecord else { return }
        let rows = try gather(lastRecord + 1...mark.sequence)
        let isKept = try filter.keep(rows)
        for (row, position) in rows.columns[.position].int64s.enumerated() where !isKept[row] {
            dropped.insert(position)
        }
        let added = piece(lastRecord + 1...mark.sequence, rows, isKept)
        lastRecord = mark.sequence
        clockMicros = mark.commitMicros
        // Records without rows are no piece: other projects' records must not cause this one's to be merged.
        guard added.rowCount > 0 else { return }
        pieces.append(added)
        while pieces.count > 1, pieces[pieces.count - 2].rowCount <= 2 * pieces[pieces.count - 1].rowCount {
            let last = pieces.removeLast()
            let previous = pieces.removeLast()
            let records = previous.records.lowerBound...last.records.upperBound
            let merged = try gather(records)
            pieces.append(piece(records, merged, merged.columns[.position].int64s.map { !dropped.contains($0) }))
        }
    }

    private func gather(_ records: ClosedRange<UInt64>) throws -> EventRows {
        var gatherer = SliceGatherer(project: project)
        try log.forEachRecord(after: records.lowerBound - 1, through: records.upperBound) { try gatherer.add($0) }
        return gatherer.events
    }

    private func piece(_ records: ClosedRange<UInt64>, _ rows: EventRows, _ isKept: [Bool]) -> Piece {
        Piece(records: records, rowCount: isKept.count { $0 }, run: Run(rows, isKept: isKept))
    }
}
