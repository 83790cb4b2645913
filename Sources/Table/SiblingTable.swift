import Bytes
import Events
import Files
import JSON
import Parquet
import WAL

/// A small table beside the root: `ledger` or `identities` (protocol/table.md §8, §9).
struct SiblingTable {
    let name: String
    let schema: ParquetSchema
    let project: Project
    let disk: Disk

    static func ledger(_ project: Project, _ disk: Disk) -> SiblingTable {
        SiblingTable(
            name: "ledger",
            schema: ParquetSchema([
                ParquetColumn("source", .string, isOptional: false),
                ParquetColumn("record", .int64, isOptional: false),
                ParquetColumn("committed_at", .timestampMicros, isOptional: false),
                ParquetColumn("unknown_before", .int64, isOptional: false),
                ParquetColumn("skipped", .int64, isOptional: false),
                ParquetColumn("stored", .int64, isOptional: false),
                ParquetColumn("rejected", .int64, isOptional: false),
                ParquetColumn("quarantined", .int64, isOptional: false),
                ParquetColumn("duplicates", .int64, isOptional: false),
            ]), project: project, disk: disk)
    }

    static func identities(_ project: Project, _ disk: Disk) -> SiblingTable {
        SiblingTable(
            name: "identities",
            schema: ParquetSchema([
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
            ]), project: project, disk: disk)
    }

    var folder: String { project.folder + "/" + name }

    /// The name of the root's transaction that says at which version to open this table.
    var rootTransaction: String { "tidemark-table:" + name }

    /// Appends rows of a slice as one commit, unless this table holds the slice already.
    ///
    /// Crash story: a commit carries the slice's last record as its own txn, so a rerun finds it and adds nothing.
    /// - Returns: the table's version afterwards; -1 if it does not exist, since there never was a row.
    func append(_ columns: [ColumnValues], rowCount: Int, slice: Slice) throws -> TableVersion {
        let log = DeltaLog(tableFolder: folder, disk: disk)
        let base = try log.newest()
        guard rowCount > 0, base.lastRecord < slice.lastRecord else { return base }
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
        if base.version < 0 {
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
        return try log.commit(actions, onto: base)
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
