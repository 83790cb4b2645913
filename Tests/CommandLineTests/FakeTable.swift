import Bytes
import Events
import Files
import Parquet
import Wire

@testable import Table

/// The `ledger` table of a fake collector, written by the real writer. It holds no events.
final class FakeTable {
    private let project: Project
    private var ledger: SiblingTable
    private var publishedCount = 0
    private var seen: Set<EventID> = []
    private var lastRecord: UInt64 = 0

    init(dataFolder: String) throws {
        project = try Project.create(
            Project.defaultName, dataFolder: dataFolder, key: [UInt8](repeating: 5, count: 16), disk: .posix)
        ledger = try SiblingTable.ledger(project, .posix)
    }

    /// Publishes what came since the last time.
    /// - Parameters:
    ///   - totals: of all sources so far.
    ///   - writes: whether the table tells of it.
    /// - Returns: what a publish answers: of this slice only.
    func publish(
        _ content: FakeCollector.Stored, _ totals: [SourceID: SourceTotals], writes: Bool
    ) throws -> (rows: Int, duplicates: Int) {
        var duplicates: [SourceID: Int64] = [:]
        var touched: Set<SourceID> = []
        for (event, source) in zip(content.events, content.sources).dropFirst(publishedCount) {
            touched.insert(source)
            if let id = event.eventID, !seen.insert(id).inserted { duplicates[source, default: 0] += 1 }
        }
        let sliceCount = content.events.count - publishedCount
        publishedCount = content.events.count
        lastRecord += 1
        let sources = touched.sorted()
        if writes {
            func column(_ value: (SourceID) -> UInt64) -> ColumnValues {
                .int64(sources.map { Int64(value($0)) }, validity: nil)
            }
            let names = StringColumn(
                dictionary: ByteStrings(sources.map(\.description)), codes: sources.indices.map { UInt32($0) })
            try ledger.append(
                [
                    .strings(names),
                    column { _ in lastRecord }, column { _ in 0 },
                    column { totals[$0]?.unknownBefore ?? 0 }, column { totals[$0]?.skipped ?? 0 },
                    column { totals[$0]?.stored ?? 0 }, column { totals[$0]?.rejected ?? 0 },
                    column { totals[$0]?.quarantined ?? 0 },
                    .int64(sources.map { duplicates[$0] ?? 0 }, validity: nil),
                ], rowCount: sources.count, slice: Slice(lastRecord: lastRecord, commitMicros: 0, project: project))
        }
        let duplicateCount = Int(duplicates.values.reduce(0, +))
        return (sliceCount - duplicateCount, duplicateCount)
    }
}
