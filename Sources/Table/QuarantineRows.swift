import Bytes
import Events
import Parquet
import WAL

/// The rows of the `quarantine` table: events that the plan kept aside, as rows of `events`, and why
/// (protocol/table.md §11).
struct QuarantineRows: Sendable {
    private(set) var rows: EventRows
    /// By row.
    private var violations: [PlanViolation] = []

    static let reasonColumn = "reason"

    init(project: Project) { rows = EventRows(project: project) }

    /// Adds the events of a batch that were quarantined. O(exclusions) if there are none.
    mutating func append(_ batch: Batch, _ entry: Entry, _ details: BatchEntry, record: UInt64, firstOrdinal: Int) {
        var kept: [Int] = []
        for exclusion in details.exclusions {
            guard case .quarantined(let violation) = ContentVerdict.Code(rawValue: exclusion.code) else { continue }
            kept.append(exclusion.index)
            violations.append(violation)
        }
        rows.append(kept, of: batch, entry, details, record: record, firstOrdinal: firstOrdinal)
    }

    /// The table's columns of the records after one, in the order of positions.
    func columns(after record: UInt64) -> (columns: [ColumnValues], rowCount: Int) {
        let order = ArraySlice(rows.firstRow(after: record)..<rows.rowCount)
        guard !order.isEmpty else { return ([], 0) }
        let kinds = PlanViolation.allCases
        let reasons = StringColumn(
            dictionary: ByteStrings(kinds.map(\.name)),
            codes: order.map { UInt32(violations[$0].rawValue - kinds[0].rawValue) })
        return (rows.columns.map { $0.gather(order) } + [.strings(reasons)], order.count)
    }
}
