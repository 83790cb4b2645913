import Bytes
import Files
import Parquet
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

    private let folder: String
    private let disk: Disk
    /// Written before the import began, so nothing of it is in there.
    private let earlierPaths: Set<String>

    /// To be made before the first event is sent.
    init(dataFolder: String, project: String, disk: Disk) throws {
        folder = dataFolder + "/" + project + "/ledger"
        self.disk = disk
        earlierPaths = Set(try DeltaLog(tableFolder: folder, disk: disk).newest().files.map(\.path))
    }

    /// O(rows written since the import began).
    func count(of sources: Set<SourceID>) throws -> Count {
        let names = Set(sources.map(\.description))
        var stored: [String: Int64] = [:]
        var duplicates: Int64 = 0
        for file in try DeltaLog(tableFolder: folder, disk: disk).newest().files
        where !earlierPaths.contains(file.path) {
            let table = try ParquetFile(folder + "/" + file.path, disk: disk)
            for group in table.rowGroups.indices {
                guard let source = table.schema.index(of: "source"),
                    case .strings(let column) = try table.read(column: source, rowGroup: group)
                else { throw CommandError.unreadableInput(path: folder, reason: "no column source of strings") }
                let totals = try integers("stored", table, group)
                let found = try integers("duplicates", table, group)
                for (row, code) in column.codes.enumerated() where code != StringColumn.null {
                    let name = column.dictionary[Int(code)]
                    guard names.contains(name) else { continue }
                    // A running total, and what this one slice found.
                    stored[name] = max(stored[name, default: 0], totals[row])
                    duplicates += found[row]
                }
            }
        }
        return Count(storedCount: Int(stored.values.reduce(0, +)), duplicateCount: Int(duplicates))
    }

    private func integers(_ name: String, _ table: ParquetFile, _ group: Int) throws -> [Int64] {
        guard let index = table.schema.index(of: name),
            case .int64(let values, _) = try table.read(column: index, rowGroup: group)
        else { throw CommandError.unreadableInput(path: folder, reason: "no column \(name) of whole numbers") }
        return values
    }
}
