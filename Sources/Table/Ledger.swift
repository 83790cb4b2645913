import Files
import Parquet

/// Reads a project's table `ledger` (protocol/table.md §8): what became of each source's sequences, as far as the log
/// is published. Keeps what it read, so that reading again costs what came since.
package struct Ledger {
    /// A row: running totals of a source, and what its slice found.
    package struct Row {
        package let source: String
        package let record: Int64
        package let skipped: Int64
        package let stored: Int64
        package let rejected: Int64
        package let quarantined: Int64
        package let duplicates: Int64
    }

    /// Events of all sources.
    package struct Totals: Equatable, Sendable {
        package var stored: Int64 = 0
        package var rejected: Int64 = 0
        package var quarantined: Int64 = 0
        package var skipped: Int64 = 0
        /// Of those stored: found to be in the table already.
        package var duplicates: Int64 = 0
        package var sourceCount = 0
    }

    private let folder: String
    private let disk: Disk
    private let log: DeltaLog
    private var readPaths = Set<String>()
    /// The newest row of each source.
    private var newest: [String: Row] = [:]
    private var duplicates: Int64 = 0

    /// Reads nothing yet.
    package init(projectFolder: String, disk: Disk) {
        folder = projectFolder + "/ledger"
        self.disk = disk
        log = DeltaLog(tableFolder: folder, disk: disk)
    }

    /// The rows that were not read before, in no order. O(their number + files of the table).
    package mutating func newRows() throws -> [Row] {
        var rows: [Row] = []
        for file in try log.newest().files where readPaths.insert(file.path).inserted {
            rows += try Self.rows(folder + "/" + file.path, disk)
        }
        return rows
    }

    /// Everything up to the newest version. O(sources + rows that were not read before).
    package mutating func totals() throws -> Totals {
        for row in try newRows() {
            duplicates += row.duplicates
            if let known = newest[row.source], known.record >= row.record { continue }
            newest[row.source] = row
        }
        var totals = Totals(duplicates: duplicates, sourceCount: newest.count)
        for row in newest.values {
            totals.stored += row.stored
            totals.rejected += row.rejected
            totals.quarantined += row.quarantined
            totals.skipped += row.skipped
        }
        return totals
    }

    private static func rows(_ path: String, _ disk: Disk) throws -> [Row] {
        let table = try ParquetFile(path, disk: disk)
        var rows: [Row] = []
        for group in table.rowGroups.indices {
            func integers(_ name: String) throws -> [Int64] {
                guard let index = table.schema.index(of: name),
                    case .int64(let values, _) = try table.read(column: index, rowGroup: group)
                else { throw TableError.refused(path: path, reason: "no column \(name) of whole numbers") }
                return values
            }
            guard let index = table.schema.index(of: "source"),
                case .strings(let sources) = try table.read(column: index, rowGroup: group)
            else { throw TableError.refused(path: path, reason: "no column source of strings") }
            let (record, skipped, stored) = (try integers("record"), try integers("skipped"), try integers("stored"))
            let (rejected, quarantined) = (try integers("rejected"), try integers("quarantined"))
            let duplicates = try integers("duplicates")
            for (row, code) in sources.codes.enumerated() where code != StringColumn.null {
                rows.append(
                    Row(
                        source: sources.dictionary[Int(code)], record: record[row], skipped: skipped[row],
                        stored: stored[row], rejected: rejected[row], quarantined: quarantined[row],
                        duplicates: duplicates[row]))
            }
        }
        return rows
    }
}
