import Bytes
import Files
import Table

/// What the project's `ledger` table says of this import's own sources (protocol/table.md §8).
///
/// The publish reply cannot tell: it covers all that the log held, whoever sent it.
struct ImportLedger {
    /// Events of some sources that the table accounts for.
    struct Count: Equatable {
        /// Taken into the log.
        var storedCount = 0
        /// Of those, found to be in the table already.
        var duplicateCount = 0

        var rowCount: Int { storedCount - duplicateCount }
    }

    private var ledger: Ledger
    private var stored: [String: Int64] = [:]
    private var duplicates: [String: Int64] = [:]

    /// To be made before the first event is sent: rows that are there already are of others.
    init(dataFolder: String, project: String, disk: Disk) throws {
        ledger = Ledger(projectFolder: dataFolder + "/" + project, disk: disk)
        _ = try ledger.newRows()
    }

    /// O(rows written since the last count).
    mutating func count(of sources: Set<SourceID>) throws -> Count {
        for row in try ledger.newRows() {
            // A running total, and what this one slice found.
            stored[row.source] = max(stored[row.source, default: 0], row.stored)
            duplicates[row.source, default: 0] += row.duplicates
        }
        let names = sources.map(\.description)
        return Count(
            storedCount: Int(names.reduce(0) { $0 + stored[$1, default: 0] }),
            duplicateCount: Int(names.reduce(0) { $0 + duplicates[$1, default: 0] }))
    }
}
