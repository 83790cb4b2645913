import Bytes
import Config
import Events
import Files
import JSON
import WAL
import Zones

extension Command {
    /// `tidemark wal stats`.
    static let walStats = Command(
        "wal stats", "Say what a log holds: by project, by source, by event type.",
        notes: "Reads only; the collector may be running.",
        examples: ["tidemark wal stats", "tidemark wal stats --types --limit 50"],
        options: [
            CollectorAccess.dataOption, .flag("types", help: "Count event types too, which reads every body."),
            .value("limit", "count", help: "Show so many sources and types; 20 by default."),
        ],
        positionals: [LogFiles.positional],
        run: { invocation in
            let files = try LogFiles(logPath(invocation.arguments), disk: .posix)
            var census = LogCensus(countsTypes: invocation.arguments.has(flag: "types"))
            for part in files.parts { census.add(part) }
            let limit = try invocation.arguments.integer("limit", in: 0...1_000_000) ?? 20
            try invocation.console.writeOutput(Array(census.text(limit: limit).utf8))
            for error in files.broken { invocation.console.note(error.description) }
            return census.hasMetDamage || !files.broken.isEmpty ? .corrupt : .done
        })
}

/// Counts what a log holds.
private struct LogCensus {
    private struct Tally {
        var batches = 0
        var events = 0
        var excluded = 0
        var bytes = 0
        var firstMicros = Int64.max
        var lastMicros = Int64.min

        mutating func add(_ entry: Entry, _ batch: BatchEntry) {
            batches += 1
            events += entry.count
            excluded += batch.exclusions.count
            bytes += batch.length
            firstMicros = min(firstMicros, batch.minTimestampMicros)
            lastMicros = max(lastMicros, batch.maxTimestampMicros)
        }

        var cells: [String] {
            [
                Figures.grouped(batches), Figures.grouped(events), Figures.grouped(excluded),
                Figures.bytes(Double(bytes)),
                events == 0 ? "-" : Figures.fixed(Double(bytes) / Double(events), 1), time(firstMicros),
                time(lastMicros),
            ]
        }

        private func time(_ micros: Int64) -> String {
            batches == 0 ? "-" : String(ISO8601.format(micros: micros).prefix(19))
        }
    }

    private static let tallyColumns: [TextTable.Column] = [
        .init("batches", .right), .init("events", .right), .init("excluded", .right), .init("bytes", .right),
        .init("B/event", .right), .init("from"), .init("to"),
    ]

    private let countsTypes: Bool
    private let opener = BatchOpener()
    private var projects: [String: Tally] = [:]
    private var sources: [String: Tally] = [:]
    private var types: [String: Int] = [:]
    private var recordCount = 0
    private var recordBytes = 0
    private var storedBytes = 0
    private var decodedBytes = 0
    private var segmentCount = 0
    private(set) var hasMetDamage = false

    init(countsTypes: Bool) { self.countsTypes = countsTypes }

    mutating func add(_ part: LogFiles.Part) {
        segmentCount += 1
        let end = part.forEachRecord { record in
            recordCount += 1
            recordBytes += record.header.recordBytes
            storedBytes += record.blocks.reduce(0) { $0 + $1.storedBytes }
            decodedBytes += record.blocks.reduce(0) { $0 + $1.decodedBytes }
            for (index, entry) in record.entries.enumerated() {
                guard case .batch(let batch) = entry.kind else { continue }
                projects[entry.project, default: Tally()].add(entry, batch)
                sources[entry.project + " " + entry.source.description, default: Tally()].add(entry, batch)
                guard countsTypes else { continue }
                let rows: Batch
                do { rows = try opener.batch(index, of: record) } catch {
                    hasMetDamage = true
                    continue
                }
                var counts: [UInt32: Int] = [:]
                for type in rows.types { counts[type, default: 0] += 1 }
                for (type, count) in counts { types[rows.strings[Int(type)], default: 0] += count }
            }
        }
        if case .bad = end, !part.isFollowed { hasMetDamage = true }
    }

    func text(limit: Int) -> String {
        var text = "\(segmentCount) segments, \(Figures.grouped(recordCount)) records, "
        text += "\(Figures.bytes(Double(recordBytes))), bodies \(Figures.bytes(Double(storedBytes))) stored of "
        text += "\(Figures.bytes(Double(decodedBytes)))\n\n"
        text += table("project", projects, limit: .max) + "\n" + table("source", sources, limit: limit)
        guard countsTypes else { return text }
        var table = TextTable([.init("event type"), .init("events", .right)])
        for (type, count) in types.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }).prefix(limit) {
            table.add([type, Figures.grouped(count)])
        }
        return text + "\n" + table.text
    }

    private func table(_ title: String, _ tallies: [String: Tally], limit: Int) -> String {
        var table = TextTable([.init(title)] + Self.tallyColumns)
        let sorted = tallies.sorted { ($1.value.events, $0.key) < ($0.value.events, $1.key) }
        for (name, tally) in sorted.prefix(limit) { table.add([name] + tally.cells) }
        let hidden = sorted.count - min(sorted.count, limit)
        return table.text + (hidden == 0 ? "" : "... \(hidden) more\n")
    }
}
