import Bytes
import Files
import Table
import Wire

/// What a data folder holds, as the query daemon would see it.
struct StoredEvents {
    struct Row: Hashable {
        let source: String
        let sequence: Int64
    }

    /// How often each user id is there.
    private(set) var counts: [String: Int] = [:]
    private(set) var types: [String: Int] = [:]
    private(set) var rowCount = 0
    private(set) var tailRowCount = 0
    private(set) var repeatedRows = 0
    private(set) var rowsBySource: [String: Int] = [:]

    init(data: String, project: String = "default") throws {
        let reader = TableReader(
            project: try Project.open(project, dataFolder: data, disk: .posix), logFolder: data + "/wal", disk: .posix)
        let snapshot = try reader.snapshot()
        tailRowCount = snapshot.tailRowCount
        var seen = Set<Row>()
        for chunk in snapshot.runs.flatMap(\.chunks) {
            guard case .strings(let users) = try chunk.column("user_id"),
                case .strings(let eventTypes) = try chunk.column("event_type"),
                case .strings(let sources) = try chunk.column("source"),
                case .int64(let sequences, _) = try chunk.column("sequence")
            else { continue }
            for row in 0..<chunk.rowCount {
                rowCount += 1
                if let user = Self.text(users, row) { counts[user, default: 0] += 1 }
                types[Self.text(eventTypes, row) ?? "", default: 0] += 1
                let source = Self.text(sources, row) ?? ""
                rowsBySource[source, default: 0] += 1
                if !seen.insert(Row(source: source, sequence: sequences[row])).inserted { repeatedRows += 1 }
            }
        }
    }

    private static func text(_ column: StringColumn, _ row: Int) -> String? {
        let code = column.codes[row]
        return code == StringColumn.null ? nil : column.dictionary[Int(code)]
    }

    /// What is wrong with the events of a sender, in words; empty if every acknowledged one is there once.
    func faults(_ sender: Sender) -> [String] {
        let progress = sender.progress
        var faults: [String] = []
        let lost = progress.acked.filter { counts["\(sender.name)-\($0)"] == nil }
        if !lost.isEmpty { faults.append("\(sender.name): lost \(lost.sorted().prefix(10)), \(lost.count) in all") }
        let doubled = (0..<progress.produced).filter { (counts["\(sender.name)-\($0)"] ?? 0) > 1 }
        if !doubled.isEmpty { faults.append("\(sender.name): doubled \(doubled.prefix(10)), \(doubled.count) in all") }
        let twice = progress.settledTwice
        if twice > 0 { faults.append("\(sender.name): \(twice) batches were settled twice") }
        if let failure = progress.failure { faults.append("\(sender.name): \(failure)") }
        return faults
    }
}
