import JSON
import Table
import Zones

/// An answer: a table, what it means, and what it was computed from.
package struct Answer: Sendable {
    package let kind: String
    /// What the rows are called in JSON.
    package let rowsName: String
    package let columns: [String]
    /// One value a column each.
    package let rows: [[JSONValue]]
    /// What stands beside the rows, such as a funnel's overall rate.
    package let totals: [JSONObject.Member]
    package let meta: Meta

    package struct Meta: Sendable {
        package let position: Int64
        package let clockMicros: Int64
        package let tableVersion: Int64
        /// Rows of the chunks that were looked at, whether they passed or not.
        package let rowsRead: Int
        /// What these chunks take on the disk, all columns: an upper bound of what was read.
        package let bytesRead: Int
        package let tailRows: Int
        package let range: TimeRange
        package let zone: Zone
        package let skipped: Int
        package let warnings: [String]

        package var json: JSONValue {
            [
                "as_of": ["position": .integer(position), "clock": .string(ISO8601.format(micros: clockMicros))],
                "table_version": .integer(tableVersion), "rows_read": .integer(Int64(rowsRead)),
                "bytes_read": .integer(Int64(bytesRead)), "tail_rows": .integer(Int64(tailRows)),
                "from": range.from == .min ? nil : .string(ISO8601.format(micros: range.from, zone: zone)),
                "to": range.to == .max ? nil : .string(ISO8601.format(micros: range.to, zone: zone)),
                "time_zone": .string(zone.name), "exact": true, "skipped": .integer(Int64(skipped)),
                "warnings": .array(warnings.map { .string($0) }),
            ]
        }
    }

    /// The answer as docs/questions.md describes it.
    package var json: JSONValue {
        var object = JSONObject([
            JSONObject.Member("kind", .string(kind)), JSONObject.Member("columns", .array(columns.map { .string($0) })),
        ])
        object[rowsName] = .array(
            rows.map { row in .object(JSONObject(zip(columns, row).map { JSONObject.Member($0, $1) })) })
        for member in totals { object[member.name] = member.value }
        object["meta"] = meta.json
        return .object(object)
    }
}

extension Answer.Meta {
    init(_ question: Question, _ snapshot: Snapshot, _ report: ScanReport) {
        self.init(
            position: snapshot.position, clockMicros: snapshot.clockMicros, tableVersion: snapshot.tableVersion,
            rowsRead: report.rowsRead, bytesRead: report.bytesRead, tailRows: snapshot.tailRowCount,
            range: question.range, zone: question.zone, skipped: report.skipped,
            warnings: question.warnings + report.warnings)
    }
}
