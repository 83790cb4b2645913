import Config
import Files
import WAL
import Zones

extension Command {
    /// `tidemark wal list`.
    static let walList = Command(
        "wal list", "List the segments of a log.",
        notes: "Reads only; the collector may be running. Times are those of the commits, in UTC.",
        examples: [
            "tidemark wal list", "tidemark wal list /var/lib/tidemark", "tidemark wal list 0000000000000001.wal",
        ],
        options: [CollectorAccess.dataOption], positionals: [LogFiles.positional],
        run: { invocation in
            let files = try LogFiles(logPath(invocation.arguments), disk: .posix)
            var table = TextTable([
                .init("segment"), .init("records", .right), .init("events", .right), .init("bytes", .right),
                .init("first", .right), .init("last", .right), .init("from"), .init("to"), .init("state"),
            ])
            for part in files.parts { table.add(row(part)) }
            try invocation.console.writeOutput(Array(table.text.utf8))
            for error in files.broken { invocation.console.note(error.description) }
            let hasBad = !files.broken.isEmpty || table.rows.contains { $0.last?.hasPrefix("bad") == true }
            return hasBad ? .corrupt : .done
        })

    /// The folder or file that a `wal` command was given, else the data folder.
    static func logPath(_ arguments: CommandArguments) -> String {
        arguments.positionals.first ?? arguments.value("data") ?? "./data"
    }

    private static func row(_ part: LogFiles.Part) -> [String] {
        var (records, events) = (0, 0)
        var first: Record?
        var last: Record?
        let end = part.forEachRecord { record in
            records += 1
            events += record.header.eventCount
            first = first ?? record
            last = record
        }
        let state =
            switch end {
            case .sealed: "sealed"
            case .open, .beyond: part.isFollowed ? "continued" : "active"
            case .bad(let offset, let reason): part.isFollowed ? "continued" : "bad at \(offset): \(reason)"
            }
        return [
            part.name, Figures.grouped(records), Figures.grouped(events),
            Figures.grouped(end.byteOffset - SegmentHeader.byteCount), first.map { "\($0.sequence)" } ?? "-",
            last.map { "\($0.sequence)" } ?? "-", first.map { time($0.commitMicros) } ?? "-",
            last.map { time($0.commitMicros) } ?? "-", state,
        ]
    }

    private static func time(_ micros: Int64) -> String { String(ISO8601.format(micros: micros).prefix(19)) }
}
