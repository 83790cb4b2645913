import Bytes
import Parquet
import WAL

/// How much of the log the query daemon takes up, and how fast.
package struct TailLimits: Sendable {
    /// Memory of the rows that are not in the root table yet: their columns, sorted, and what finds duplicates. The
    /// record that fills it is the last. While a step is taken its rows, and those merged with them, are there twice.
    package var memoryBytes = 256 << 20
    /// What one step takes up: bodies as a slice counts them,
    package var stepBodyBytes = 64 << 20
    /// and rows.
    package var stepRows = 1 << 20

    package init() {}
}

/// The events of the log that the root table does not hold yet, as sorted runs in memory.
///
/// Runs are merged in tiers up to the size of a step: each is at least twice as long as the next, so there are few,
/// following costs O(log n) a row, and no step takes longer than two of the longest.
struct Tail {
    private struct Piece {
        let records: ClosedRange<UInt64>
        let rowCount: Int
        let byteCount: Int
        let run: Run?
    }

    private let project: Project
    private let log: LogReader
    private let limits: TailLimits
    private var filter: DuplicateFilter
    private var pieces: [Piece] = []
    private var dropped = Set<Int64>()
    /// The root's last record, behind which the tail begins.
    let base: UInt64
    let tableVersion: Int64
    /// The log it follows; another one in its place makes it worthless.
    let lineage: UUID16?
    private(set) var lastRecord: UInt64
    private(set) var clockMicros: Int64

    init(project: Project, log: LogReader, limits: TailLimits, version: TableVersion, files: FileCache) {
        self.project = project
        self.log = log
        self.limits = limits
        filter = DuplicateFilter(version: version, files: files)
        base = version.lastRecord
        tableVersion = version.version
        lineage = log.lineage
        lastRecord = version.lastRecord
        clockMicros = version.clockMicros
    }

    var runs: [Run] { pieces.compactMap(\.run) }
    var rowCount: Int { pieces.reduce(0) { $0 + $1.rowCount } }

    /// Whether nothing more of the project is taken up until something is published.
    var isFull: Bool { memoryBytes >= limits.memoryBytes }

    /// What of the log through `mark` is not in the tail.
    func behind(_ mark: DurableMark) -> Snapshot.Behind? {
        guard mark.sequence > lastRecord else { return nil }
        return Snapshot.Behind(
            records: mark.sequence - lastRecord, lastDurable: mark.sequence,
            reason: isFull ? .tailFull : .catchingUp)
    }

    private var memoryBytes: Int {
        pieces.reduce(0) { $0 + $1.byteCount } + filter.memoryBytes + 2 * dropped.capacity * MemoryLayout<Int64>.size
    }

    /// Takes up the next records through `mark`, which the log's reader has refreshed to, until a step or the memory
    /// is full.
    mutating func step(toward mark: DurableMark) throws {
        guard mark.sequence > lastRecord else { return }
        guard log.firstAvailable <= mark.sequence else {
            // Freed, so published by everybody: what of it is not in this table was nothing of this project's.
            lastRecord = mark.sequence
            return
        }
        guard let (rows, last) = try gatherStep(through: mark.sequence) else { return }
        let isKept = try filter.keep(rows)
        for (row, position) in rows.columns[.position].int64s.enumerated() where !isKept[row] {
            dropped.insert(position)
        }
        let added = piece(lastRecord + 1...last.sequence, rows, isKept)
        lastRecord = last.sequence
        clockMicros = last.commitMicros
        // Records without rows are no piece: other projects' records must not cause this one's to be merged.
        guard added.rowCount > 0 else { return }
        pieces.append(added)
        try mergeTiers()
    }

    /// - Returns: nil if the next record does not fit.
    private func gatherStep(
        through: UInt64
    ) throws -> (rows: EventRows, last: (sequence: UInt64, commitMicros: Int64))? {
        let room = limits.memoryBytes - memoryBytes
        var gatherer = SliceGatherer(project: project)
        var last: (sequence: UInt64, commitMicros: Int64)?
        do {
            try log.forEachRecord(after: lastRecord, through: through) { record in
                let isFull =
                    gatherer.bodyBytes >= limits.stepBodyBytes || gatherer.events.rowCount >= limits.stepRows
                    || gatherer.events.byteCount >= room
                // What is others' takes no room.
                if isFull, record.hasEvents(of: project.name) { throw StepIsFull() }
                try gatherer.add(record)
                last = (record.sequence, record.commitMicros)
            }
        } catch is StepIsFull {}
        return last.map { (gatherer.events, $0) }
    }

    /// Merges the last run with those before it that are not twice as long; each row is read once.
    private mutating func mergeTiers() throws {
        var first = pieces.count - 1
        var (rowCount, byteCount) = (pieces[first].rowCount, pieces[first].byteCount)
        while first > 0 {
            let previous = pieces[first - 1]
            guard previous.rowCount <= 2 * rowCount, rowCount + previous.rowCount <= limits.stepRows,
                byteCount + previous.byteCount <= limits.stepBodyBytes
            else { break }
            first -= 1
            rowCount += previous.rowCount
            byteCount += previous.byteCount
        }
        guard first < pieces.count - 1 else { return }
        let records = pieces[first].records.lowerBound...lastRecord
        pieces.removeSubrange(first...)
        var gatherer = SliceGatherer(project: project)
        try log.forEachRecord(after: records.lowerBound - 1, through: records.upperBound) { try gatherer.add($0) }
        let rows = gatherer.events
        pieces.append(piece(records, rows, rows.columns[.position].int64s.map { !dropped.contains($0) }))
    }

    private func piece(_ records: ClosedRange<UInt64>, _ rows: EventRows, _ isKept: [Bool]) -> Piece {
        let run = Run(rows, isKept: isKept)
        let byteCount = run?.chunks.reduce(0) { $0 + $1.memoryBytes } ?? 0
        return Piece(records: records, rowCount: isKept.count { $0 }, byteCount: byteCount, run: run)
    }
}

/// Ends a walk over records early.
private struct StepIsFull: Error {}

extension Record {
    fileprivate func hasEvents(of project: String) -> Bool {
        entries.contains { $0.project == project && $0.ordinalCount > 0 }
    }
}

extension Chunk {
    /// What its columns take; 0 for a row group, which is read when it is asked for.
    fileprivate var memoryBytes: Int {
        guard case .memory(let columns) = source else { return 0 }
        return columns.values.reduce(0) { $0 + $1.memoryBytes }
    }
}

extension ColumnValues {
    fileprivate var memoryBytes: Int {
        switch self {
        case .int64(let values, let validity): values.count * 8 + validity.memoryBytes
        case .int32(let values, let validity): values.count * 4 + validity.memoryBytes
        case .double(let values, let validity): values.count * 8 + validity.memoryBytes
        case .bool(let bits, let validity): bits.words.count * 8 + validity.memoryBytes
        case .strings(let column): column.dictionary.memoryBytes + column.codes.count * 4
        case .fixed(let bytes, _, let validity): bytes.count + validity.memoryBytes
        }
    }
}

extension Bitmap? {
    fileprivate var memoryBytes: Int { (self?.words.count ?? 0) * 8 }
}

extension ByteStrings {
    var memoryBytes: Int { bytes.count + offsets.count * 8 }
}
