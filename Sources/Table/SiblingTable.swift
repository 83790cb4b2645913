import Bytes
import Events
import Files
import JSON
import Parquet
import WAL

/// A table beside the root: `ledger`, `identities` or `quarantine` (protocol/table.md §8, §9, §11).
struct SiblingTable {
    private let name: String
    private let schema: ParquetSchema
    private let folder: String
    private let disk: Disk
    private let log: DeltaLog
    /// The newest version; -1 if the table does not exist, since there never was a row.
    private(set) var version: TableVersion

    /// Opens the newest version, durable even if the publish that made it was interrupted.
    private init(_ name: String, _ columns: [ParquetColumn], _ project: Project, _ disk: Disk) throws {
        self.name = name
        schema = ParquetSchema(columns)
        folder = project.folder + "/" + name
        self.disk = disk
        log = DeltaLog(tableFolder: folder, disk: disk)
        version = try log.newest()
        try log.makeDurable(version)
    }

    static func ledger(_ project: Project, _ disk: Disk) throws -> SiblingTable {
        try SiblingTable(
            "ledger",
            [
                ParquetColumn("source", .string, isOptional: false),
                ParquetColumn("record", .int64, isOptional: false),
                ParquetColumn("committed_at", .timestampMicros, isOptional: false),
                ParquetColumn("unknown_before", .int64, isOptional: false),
                ParquetColumn("skipped", .int64, isOptional: false),
                ParquetColumn("stored", .int64, isOptional: false),
                ParquetColumn("rejected", .int64, isOptional: false),
                ParquetColumn("quarantined", .int64, isOptional: false),
                ParquetColumn("duplicates", .int64, isOptional: false),
            ], project, disk)
    }

    static func identities(_ project: Project, _ disk: Disk) throws -> SiblingTable {
        try SiblingTable(
            "identities",
            [
                ParquetColumn("position", .int64, isOptional: false),
                ParquetColumn("timestamp", .timestampMicros, isOptional: false),
                ParquetColumn("received_at", .timestampMicros, isOptional: true),
                ParquetColumn("operation", .string, isOptional: false),
                ParquetColumn("user_id", .string, isOptional: true),
                ParquetColumn("anonymous_id", .string, isOptional: true),
                ParquetColumn("previous_id", .string, isOptional: true),
                ParquetColumn("group_key", .string, isOptional: true),
                ParquetColumn("consent", .int32, isOptional: true),
                ParquetColumn("traits", .string, isOptional: true),
            ], project, disk)
    }

    static func quarantine(_ project: Project, _ disk: Disk) throws -> SiblingTable {
        try SiblingTable(
            "quarantine",
            EventSchema.parquet.columns + [ParquetColumn(QuarantineRows.reasonColumn, .string, isOptional: false)],
            project, disk)
    }

    /// The name of the root's transaction that says at which version to open this table.
    var rootTransaction: String { "tidemark-table:" + name }

    /// The last record whose rows are here. An interrupted publish leaves it ahead of the root's.
    var lastRecord: UInt64 { version.lastRecord }

    /// Appends rows of a slice as one commit, if there are any.
    ///
    /// Crash story: the commit carries the slice's last record as its own txn, so a rerun finds it and appends only
    /// what stands behind it.
    /// - Parameter columns: rows of records behind `lastRecord` only.
    mutating func append(_ columns: [ColumnValues], rowCount: Int, slice: Slice) throws {
        guard rowCount > 0 else { return }
        precondition(lastRecord < slice.lastRecord, "rows of a slice that is here already")
        try disk.makeFolder(folder)
        let path = "part-\(Hex.encode(slice.lastRecord)).parquet"
        try disk.unlink(folder + "/" + path)
        var writer = try ParquetWriter(
            folder + "/" + path, schema: schema, sortingColumns: [], keyValueMetadata: [("tidemark.format", "0")],
            settings: ParquetWriterSettings(), disk: disk)
        try writer.writeRowGroup(columns, rowCount: rowCount)
        let summary = try writer.finish()
        try disk.synchronizeFolder(folder)
        var actions: [JSONValue] = [DeltaAction.commitInfo("WRITE", timestampMillis: slice.commitMillis)]
        if version.version < 0 {
            actions = [
                DeltaAction.protocolVersion,
                DeltaAction.metaData(
                    id: slice.tableID(name), schema: schema, isPartitionedByDate: false,
                    configuration: [("tidemark.format", "0")], createdMillis: slice.commitMillis),
            ] + actions
        }
        actions.append(
            DeltaAction.transaction(
                TableVersion.logTransaction, slice.lastRecord, lastUpdatedMillis: slice.commitMillis))
        let file = DataFile(
            path: path, day: nil, byteCount: summary.fileBytes, rowCount: summary.rowCount, bounds: nil)
        actions.append(DeltaAction.add(file, modifiedMillis: slice.commitMillis))
        version = try log.commit(actions, onto: version)
    }
}

/// The stretch of the log that one commit publishes: its last record and when that was committed.
struct Slice {
    let lastRecord: UInt64
    let commitMicros: Int64
    let project: Project

    var commitMillis: Int64 { commitMicros.flooredQuotient(by: 1000) }

    /// A UUID's text for a new table: a pure function of project key and table, so that a rerun makes the same.
    func tableID(_ table: String) -> String {
        let digits = Array((project.keyCheck + Hex.encode(XXH64.hash(Array(table.utf8)))).utf8)
        let groups = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32]
        return groups.map { String(decoding: digits[$0], as: UTF8.self) }.joined(separator: "-")
    }
}
