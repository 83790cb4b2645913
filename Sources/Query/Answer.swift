import JSON
import Table
import Zones

/// An answer: a table or other members, what they mean, and what they were computed from.
package struct Answer: Sendable {
    package let kind: String
    /// What the rows are called in JSON; nil if there is no table.
    package let rowsName: String?
    package let columns: [String]
    /// One value a column each.
    package let rows: [[JSONValue]]
    /// What stands beside the rows, such as a funnel's overall rate, or in their place.
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
        /// What was durable and is not in the answer.
        package let behind: Snapshot.Behind?
        package let warnings: [String]

        package var json: JSONValue {
            var object = JSONObject([
                .init("as_of", ["position": .integer(position), "clock": .string(ISO8601.format(micros: clockMicros))]),
                .init("table_version", .integer(tableVersion)), .init("rows_read", .integer(Int64(rowsRead))),
                .init("bytes_read", .integer(Int64(bytesRead))), .init("tail_rows", .integer(Int64(tailRows))),
                .init("from", range.from == .min ? nil : .string(ISO8601.format(micros: range.from, zone: zone))),
                .init("to", range.to == .max ? nil : .string(ISO8601.format(micros: range.to, zone: zone))),
                .init("time_zone", .string(zone.name)), .init("exact", true),
                .init("skipped", .integer(Int64(skipped))),
            ])
            if let behind {
                object["behind"] = [
                    "records": .integer(Int64(clamping: behind.records)), "reason": .string(behind.reason.rawValue),
                ]
            }
            object["warnings"] = .array(warnings.map { .string($0) })
            return .object(object)
        }
    }

    /// The answer as docs/questions.md describes it.
    package var json: JSONValue {
        var object = JSONObject([JSONObject.Member("kind", .string(kind))])
        if let rowsName {
            object["columns"] = .array(columns.map { .string($0) })
            object[rowsName] = .array(
                rows.map { row in .object(JSONObject(zip(columns, row).map { JSONObject.Member($0, $1) })) })
        }
        for member in totals { object[member.name] = member.value }
        object["meta"] = meta.json
        return .object(object)
    }
}

extension Answer.Meta {
    /// - Parameter warnings: what the kind itself has to say.
    init(_ question: Question, _ snapshot: Snapshot, _ report: ScanReport, warnings: [String] = []) {
        self.init(
            range: question.range, zone: question.zone, snapshot, report,
            warnings: question.warnings + report.warnings + warnings)
    }

    init(range: TimeRange, zone: Zone, _ snapshot: Snapshot, _ report: ScanReport, warnings: [String] = []) {
        self.init(
            position: snapshot.position, clockMicros: snapshot.clockMicros, tableVersion: snapshot.tableVersion,
            rowsRead: report.rowsRead, bytesRead: report.bytesRead, tailRows: snapshot.tailRowCount,
            range: range, zone: zone, skipped: report.skipped, behind: snapshot.behind,
            warnings: warnings + (snapshot.behind.map { [$0.warning] } ?? []))
    }
}

extension Snapshot.Behind {
    fileprivate var warning: String {
        let cause =
            switch reason {
            case .catchingUp: "the log is still being read"
            case .tailFull: "query.tail_memory is full until more is published"
            }
        return "\(records) durable records of the log, through \(lastDurable), are not in the answer: \(cause)"
    }
}
