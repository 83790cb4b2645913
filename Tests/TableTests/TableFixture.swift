import Bytes
import Events
import TestSupport
import WAL

@testable import Files
@testable import Table

/// A batch on its way to the log, with what the collector adds to it.
struct Shipment {
    var events: [Event]
    var project = "default"
    var source = TableFixture.sources[0]
    var flags: Entry.Flags = []
    var receivedMicros: Int64 = 1_709_500_000_000_001
    var clockOffsetMicros: Int64 = 0
    var excluded: [Int] = []
    /// By index, apart from the excluded: what the plan kept aside.
    var quarantined: [Int: PlanViolation] = [:]
    var codec = BatchEncoder.Codec.zstd(level: 1)
    /// A column that no version knows yet; the batch is raw then.
    var unknownColumn: (kind: UInt8, bytes: [UInt8])?
    /// The first event's sequence; the fixture sets it.
    var base: UInt64 = 0
}

/// A data folder with a log and a project, and the truth about every event that was put in.
final class TableFixture {
    let folder: TemporaryFolder
    let project: Project
    let writer: LogWriter
    private(set) var stored: [StoredEvent] = []
    private(set) var quarantined: [StoredEvent] = []
    private(set) var totals: [SourceID: SourceTotals] = [:]
    private var clockMicros: Int64 = 1_709_600_000_000_000

    static let sources = (0..<3).map { SourceID(bytes: [9, 8, 7, 6, 5, 4, 3, 2, 1, UInt8($0)])! }
    static let otherSource = SourceID(bytes: [UInt8](repeating: 5, count: 10))!
    static let key = [UInt8](0..<16)

    var dataFolder: String { folder.path }
    var logFolder: String { folder("wal") }

    init(segmentBytes: Int = 1 << 16) throws {
        folder = TemporaryFolder()
        project = try Project.create("default", dataFolder: folder.path, key: Self.key, disk: .posix)
        (writer, _) = try LogWriter.open(
            folder: folder("wal"), options: .init(segmentBytes: segmentBytes), disk: .posix, state: .none,
            highestPublished: 0, nowMicros: 1_709_600_000_000_000)
    }

    /// Commits one record of these batches.
    func commit(_ shipments: [Shipment]) throws {
        var draft = GroupDraft()
        var ordinal = 0
        for var shipment in shipments {
            var totals = totals[shipment.source] ?? SourceTotals()
            shipment.base = totals.sum + 1
            totals.rejected += UInt64(shipment.excluded.count)
            totals.quarantined += UInt64(shipment.quarantined.count)
            totals.stored += UInt64(shipment.events.count - shipment.excluded.count - shipment.quarantined.count)
            self.totals[shipment.source] = totals
            try add(shipment, totals, to: &draft)
            remember(shipment, record: writer.lastSequence + 1, ordinal: ordinal)
            ordinal += shipment.events.count
        }
        clockMicros += 1_234_567
        _ = try writer.commit(&draft, nowMicros: clockMicros)
    }

    private func add(_ shipment: Shipment, _ totals: SourceTotals, to draft: inout GroupDraft) throws {
        var encoder = BatchEncoder(codec: shipment.codec)
        var bytes = try encoder.encode(shipment.events)
        if let unknown = shipment.unknownColumn { bytes = bytes.adding(unknown.kind, unknown.bytes) }
        let times = shipment.events.map(\.timestampMicros)
        let entry = Entry(
            kind: .close, project: shipment.project, source: shipment.source, flags: shipment.flags,
            base: shipment.base, count: shipment.events.count, totals: totals)
        let batch = BatchEntry(
            receivedMicros: shipment.receivedMicros, clockOffsetMicros: shipment.clockOffsetMicros,
            fingerprint: Batch.fingerprint(of: bytes.rawSpan), minTimestampMicros: times.min() ?? 0,
            maxTimestampMicros: times.max() ?? 0,
            exclusions: (shipment.excluded.map { Exclusion(index: $0, code: 5) }
                + shipment.quarantined.map { Exclusion(index: $0.key, code: $0.value.rawValue) })
                .sorted { $0.index < $1.index })
        try draft.add(entry, batch, body: bytes.rawSpan, isCompressed: shipment.codec != .raw)
    }

    private func remember(_ shipment: Shipment, record: UInt64, ordinal: Int) {
        guard shipment.project == project.name else { return }
        let oracle = EventOracle(project: project)
        for (index, event) in shipment.events.enumerated() where !shipment.excluded.contains(index) {
            let position = Int64(record) << 20 + Int64(ordinal + index)
            // A batch keeps an event's values in its own order.
            var event = event
            event.values.sort {
                $0.scope == $1.scope
                    ? $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) : $0.scope.rawValue < $1.scope.rawValue
            }
            var row = oracle.row(event, shipment, index: index, position: position)
            let violation = shipment.quarantined[index]
            let isFirst = (0..<index).allSatisfy { earlier in
                shipment.excluded.contains(earlier) || (shipment.quarantined[earlier] == nil) != (violation == nil)
            }
            if isFirst, let unknown = shipment.unknownColumn {
                row["_extra_json"] = "{\"\(unknown.kind)\":\"\(Hex.encode(unknown.bytes))\"}"
            }
            if let violation {
                row["reason"] = violation.name
                quarantined.append(StoredEvent(record: record, source: shipment.source, row: row))
            } else {
                stored.append(StoredEvent(record: record, source: shipment.source, row: row))
            }
        }
    }

    /// Commits a record without a batch: a source is opened.
    func open(_ source: SourceID, project: String = "default") throws {
        var draft = GroupDraft()
        draft.add(
            Entry(
                kind: .open(tokenName: "web"), project: project, source: source, flags: [],
                base: totals[source]?.sum ?? 0, count: 0, totals: totals[source] ?? SourceTotals()))
        clockMicros += 1
        _ = try writer.commit(&draft, nowMicros: clockMicros)
    }

    /// Commits records of random batches that meet every rule of protocol/table.md.
    func fill(records: Int, seed: UInt64, eventsMax: Int = 40) throws {
        var made = TableEvents(seed: seed)
        for _ in 0..<records {
            let shipments = (0..<Int.random(in: 1...3, using: &made.random)).map { _ in
                var shipment = Shipment(events: made.events(Int.random(in: 1...eventsMax, using: &made.random)))
                shipment.source = Self.sources.randomElement(using: &made.random) ?? Self.sources[0]
                if made.random.chance(0.2) { (shipment.project, shipment.source) = ("other", Self.otherSource) }
                shipment.flags = made.random.chance(0.3) ? .isImport : []
                shipment.clockOffsetMicros =
                    ([0, 2_000_000, -2_000_001, 90_000_000_000] as [Int64]).randomElement(using: &made.random) ?? 0
                shipment.excluded = shipment.events.indices.filter { _ in made.random.chance(0.1) }
                let kinds = PlanViolation.allCases.filter { $0 != .disabledType }
                for index in shipment.events.indices where !shipment.excluded.contains(index) {
                    guard made.random.chance(0.1) else { continue }
                    shipment.quarantined[index] = kinds.randomElement(using: &made.random)
                }
                shipment.codec = made.random.chance(0.5) ? .raw : .zstd(level: 1)
                return shipment
            }
            try commit(shipments)
        }
    }

    // MARK: What is expected

    /// The rows of all records through `record`, without duplicates, sorted.
    func expectedRows(through record: UInt64 = .max) -> [Row] {
        EventOracle.withoutDuplicates(stored.filter { $0.record <= record }).map(\.row).sorted { $0.precedes($1) }
    }

    // MARK: What is there

    func publisher(
        _ disk: Disk = .posix, sliceRows: Int = 1 << 20, change: (inout Publisher.Options) -> Void = { _ in }
    ) -> Publisher {
        var options = Publisher.Options()
        options.sliceRows = sliceRows
        change(&options)
        return Publisher(
            project: project, log: LogReader(folder: logFolder, disk: .posix), disk: disk, options: options)
    }

    func reader(_ limits: TailLimits = TailLimits()) -> TableReader {
        TableReader(project: project, logFolder: logFolder, disk: .posix, limits: limits)
    }

    /// All rows of one of the project's tables at a version, read by its Delta log. The newest if nil.
    func tableRows(_ name: String, version: Int64? = nil) throws -> [Row] {
        let table = try DeltaLog(tableFolder: project.folder + "/" + name, disk: .posix).newest()
        // A version is the first so many files: nothing is removed in these tests.
        let perVersion = version.map { Int($0) + 1 } ?? table.files.count
        let cache = FileCache(tableFolder: project.folder + "/" + name, disk: .posix)
        return try table.files.prefix(name == "events" ? table.files.count : perVersion).flatMap { file in
            let opened = try cache.open(file)
            return try opened.rowGroups.indices.flatMap { group in
                try rows(opened.schema.columns.enumerated().map { index, column in
                    (column.name, try opened.read(column: index, rowGroup: group))
                })
            }
        }
    }
}

extension [UInt8] {
    /// A raw batch with one more column at its end; it has fewer than 127 so far.
    fileprivate func adding(_ kind: UInt8, _ column: [UInt8]) -> [UInt8] {
        var offset = BatchHeader.byteCount
        func varint() -> Int {
            var (value, shift) = (0, 0)
            while self[offset] >= 0x80 {
                value |= Int(self[offset] & 0x7F) << shift
                shift += 7
                offset += 1
            }
            offset += 1
            return value | Int(self[offset - 1]) << shift
        }
        let lengths = (0..<varint()).map { _ in varint() }
        var batch = self
        batch[offset + lengths.reduce(0, +)] += 1
        batch += [kind, UInt8(column.count)] + column
        let size = UInt32(batch.count - BatchHeader.byteCount)
        for index in 0..<4 { batch[8 + index] = UInt8(truncatingIfNeeded: size >> UInt32(8 * index)) }
        return batch
    }
}

extension Snapshot {
    /// All rows, sorted; says where a run breaks its promises.
    func rows() throws -> [Row] {
        var all: [Row] = []
        for run in runs {
            var previous: Row?
            for chunk in run.chunks {
                let columns = try EventSchema.parquet.columns.compactMap { column in
                    try chunk.column(column.name).map { (column.name, $0) }
                }
                let rows = try TableTests.rows(columns)
                guard rows.count == chunk.rowCount else { throw BrokenPromise("\(rows.count) rows in a chunk") }
                for row in rows {
                    guard previous?.precedes(row) ?? true else { throw BrokenPromise("rows out of order") }
                    guard chunk.userKeys.contains(row.integer("user_key")),
                        chunk.timestampsMicros.contains(row.integer("timestamp"))
                    else { throw BrokenPromise("a row outside its chunk's bounds") }
                    let day = Int(row.integer("timestamp") / 86_400_000_000)
                    guard run.day == nil || run.day == day else { throw BrokenPromise("a row of another day") }
                    previous = row
                }
                all += rows
            }
        }
        guard all.count == rowCount else { throw BrokenPromise("\(all.count) rows, rowCount is \(rowCount)") }
        return all.sorted { $0.precedes($1) }
    }
}

struct BrokenPromise: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
