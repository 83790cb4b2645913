import Bytes
import Events
import Files
import JSON
import Parquet
import WAL
import Zones

/// What a publish did.
package struct PublishReport: Sendable, Equatable {
    package var slices = 0
    package var rows = 0
    package var duplicates = 0
    package var files = 0
    package var bytes = 0
    /// The root's version and the last record it holds afterwards.
    package var version: Int64 = -1
    package var lastRecord: UInt64 = 0

    package init() {}
}

/// Moves a project's events from the log into its tables: protocol/table.md §6.
///
/// Only the holder of the compactor's lock publishes. Crash story: until the root's commit is linked nothing of a
/// slice is visible, and a rerun replaces the files and appends to the siblings only what is behind their txn; from
/// the link on the slice is published and a rerun begins behind it.
package struct Publisher {
    package struct Options: Sendable {
        /// A slice ends at the record that fills it: memory is bounded whatever the backlog, for records are too.
        package var sliceBodyBytes = 64 << 20
        /// Of the values by what the batches say, and of the gathered rows by what they take.
        package var sliceValueBytes = 256 << 20
        package var sliceRows = 1 << 20
        package init() {}
    }

    private let project: Project
    private let log: LogReader
    private let disk: Disk
    private let options: Options
    private let delta: DeltaLog
    private let files: FileCache

    package init(project: Project, log: LogReader, disk: Disk, options: Options = Options()) {
        self.project = project
        self.log = log
        self.disk = disk
        self.options = options
        delta = DeltaLog(tableFolder: project.eventsFolder, disk: disk)
        files = FileCache(tableFolder: project.eventsFolder, disk: disk)
    }

    /// Publishes every record through `through` that is durable, and whatever an interrupted publish began.
    /// - Parameter progress: called after each slice.
    /// - Returns: what was done; the last record it names is durable in the tables, so the log may be freed up to it.
    package func publish(through: UInt64, progress: (PublishReport) -> Void = { _ in }) throws -> PublishReport {
        guard let mark = try log.refresh() else { return PublishReport() }
        var version = try project.newestEvents(disk: disk)
        try delta.makeDurable(version)
        var siblings = try Siblings(project, disk)
        // The log keeps what the root does not hold, so a root behind its siblings and behind the log is an older copy.
        guard siblings.lastRecord <= version.lastRecord || log.firstAvailable <= siblings.lastRecord else {
            throw TableError.refused(
                path: project.eventsFolder,
                reason: "holds records through \(version.lastRecord), its siblings through \(siblings.lastRecord), and "
                    + "the log begins at \(log.firstAvailable): an older copy; restore all tables of one moment")
        }
        var report = PublishReport()
        (report.version, report.lastRecord) = (version.version, version.lastRecord)
        let end = min(max(through, siblings.lastRecord), mark.sequence)
        var next = version.lastRecord
        while next < end {
            let (published, lastRecord) = try publishSlice(
                after: next, through: end, onto: version, &siblings, &report)
            next = lastRecord
            if let published {
                version = published
                report.slices += 1
                (report.version, report.lastRecord) = (version.version, version.lastRecord)
                progress(report)
            }
        }
        return report
    }

    /// - Returns: the new version, nil if no record of the slice was this project's; and the slice's last record.
    private func publishSlice(
        after: UInt64, through: UInt64, onto version: TableVersion, _ siblings: inout Siblings,
        _ report: inout PublishReport
    ) throws -> (TableVersion?, UInt64) {
        var gathered = SliceGatherer(project: project, gathersQuarantine: true)
        let last = try gather(after: after, through: through, atLeast: siblings.lastRecord, into: &gathered)
        guard gathered.entryCount > 0 else { return (nil, last.sequence) }
        let slice = Slice(lastRecord: last.sequence, commitMicros: last.commitMicros, project: project)
        var filter = DuplicateFilter(version: version, files: files)
        let isKept = try filter.keep(gathered.events)
        let added = try writeFiles(gathered.events, isKept, after: after, slice)
        try siblings.append(gathered, isKept, slice)
        let published = try commit(added, siblings, onto: version, slice)
        report.rows += added.reduce(0) { $0 + $1.rowCount }
        report.bytes += added.reduce(0) { $0 + $1.byteCount }
        report.files += added.count
        report.duplicates += isKept.count { !$0 }
        return (published, last.sequence)
    }

    /// Gathers records until the slice is full, but never fewer than the siblings hold: a slice that an interrupted
    /// publish began may not end earlier.
    /// - Returns: the last record.
    private func gather(
        after: UInt64, through: UInt64, atLeast: UInt64, into gatherer: inout SliceGatherer
    ) throws -> (sequence: UInt64, commitMicros: Int64) {
        var last: (sequence: UInt64, commitMicros: Int64) = (through, 0)
        do {
            try log.forEachRecord(after: after, through: through) { record in
                try gatherer.add(record)
                last = (record.sequence, record.commitMicros)
                let isFull =
                    gatherer.bodyBytes >= options.sliceBodyBytes || gatherer.rowCount >= options.sliceRows
                    || max(gatherer.valueBytes, gatherer.rowBytes) >= options.sliceValueBytes
                if isFull, record.sequence >= atLeast { throw SliceIsFull() }
            }
        } catch is SliceIsFull {}
        return last
    }

    private func writeFiles(_ rows: EventRows, _ isKept: [Bool], after: UInt64, _ slice: Slice) throws -> [DataFile] {
        let order = RowOrder(rows, byDay: true, isKept: isKept)
        let writer = EventFileWriter(tableFolder: project.eventsFolder, disk: disk)
        var added: [DataFile] = []
        for day in order.days {
            let folder = "date=" + CivilDate(daysSinceEpoch: day.day).description
            try disk.makeFolder(project.eventsFolder + "/" + folder)
            let path = folder + "/part-\(Hex.encode(after))-\(Hex.encode(slice.lastRecord)).parquet"
            added.append(try writer.write(rows, order, day, path: path))
            try disk.synchronizeFolder(project.eventsFolder + "/" + folder)
        }
        if !added.isEmpty {
            try disk.synchronizeFolder(project.eventsFolder)
            try disk.synchronizeFolder(project.folder)
        }
        return added
    }

    private func commit(
        _ added: [DataFile], _ siblings: Siblings, onto version: TableVersion, _ slice: Slice
    ) throws -> TableVersion {
        var actions: [JSONValue] = []
        if version.version < 0 {
            actions.append(DeltaAction.protocolVersion)
            actions.append(
                DeltaAction.metaData(
                    id: slice.tableID("events"), schema: EventSchema.parquet, isPartitionedByDate: true,
                    configuration: [
                        ("tidemark.format", "0"), ("tidemark.ranges", "\(KeyRange.count)"),
                        ("tidemark.keyCheck", project.keyCheck),
                    ], createdMillis: slice.commitMillis))
        }
        actions.append(DeltaAction.commitInfo("WRITE", timestampMillis: slice.commitMillis))
        actions.append(
            DeltaAction.transaction(
                TableVersion.logTransaction, slice.lastRecord, lastUpdatedMillis: slice.commitMillis))
        actions.append(
            DeltaAction.transaction(
                TableVersion.clockTransaction, UInt64(clamping: slice.commitMicros),
                lastUpdatedMillis: slice.commitMillis))
        for table in [siblings.quarantine, siblings.identities, siblings.ledger] where table.version.version >= 0 {
            actions.append(
                DeltaAction.transaction(
                    table.rootTransaction, UInt64(table.version.version), lastUpdatedMillis: slice.commitMillis))
        }
        actions += added.map { DeltaAction.add($0, modifiedMillis: slice.commitMillis) }
        return try delta.commit(actions, onto: version)
    }
}

/// The tables beside the root, as a publish goes on.
private struct Siblings {
    private(set) var quarantine: SiblingTable
    private(set) var identities: SiblingTable
    private(set) var ledger: SiblingTable

    init(_ project: Project, _ disk: Disk) throws {
        quarantine = try SiblingTable.quarantine(project, disk)
        identities = try SiblingTable.identities(project, disk)
        ledger = try SiblingTable.ledger(project, disk)
    }

    var lastRecord: UInt64 { max(quarantine.lastRecord, identities.lastRecord, ledger.lastRecord) }

    mutating func append(_ gathered: borrowing SliceGatherer, _ isKept: [Bool], _ slice: Slice) throws {
        let aside = gathered.quarantine.columns(after: quarantine.lastRecord)
        try quarantine.append(aside.columns, rowCount: aside.rowCount, slice: slice)
        let operations = gathered.events.identities(isKept: isKept, after: identities.lastRecord)
        try identities.append(operations.columns, rowCount: operations.rowCount, slice: slice)
        let standings = gathered.ledger(isKept: isKept, after: ledger.lastRecord)
        try ledger.append(standings.columns, rowCount: standings.rowCount, slice: slice)
    }
}

/// Ends a walk over records early.
private struct SliceIsFull: Error {}

extension Project {
    package var eventsFolder: String { folder + "/events" }

    /// The newest version of the root table, whose commits outlast a crash: what its `lastRecord` says may be freed.
    package func durableEvents(after known: TableVersion, disk: Disk) throws -> TableVersion {
        let version = try newestEvents(after: known, disk: disk)
        try DeltaLog(tableFolder: eventsFolder, disk: disk).makeDurable(version)
        return version
    }

    /// The newest version of the root table, refused if it was made with another key or format.
    package func newestEvents(after known: TableVersion = TableVersion(), disk: Disk) throws -> TableVersion {
        let version = try DeltaLog(tableFolder: eventsFolder, disk: disk).newest(after: known)
        guard version.version >= 0 else { return version }
        guard version.configuration["tidemark.format"] == "0" else {
            throw TableError.refused(path: eventsFolder, reason: "not a table of format 0")
        }
        guard version.configuration["tidemark.keyCheck"] == keyCheck else {
            throw TableError.refused(path: eventsFolder, reason: "keyed with another project's secret")
        }
        return version
    }
}
