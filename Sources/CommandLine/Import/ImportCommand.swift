import Bytes
import Config
import Events
import Files
import Foundation
import JSON
import Table
import Wire
import Zones

extension Command {
    /// `tidemark import`.
    static let importFiles = Command(
        "import", "Store events from CSV and NDJSON files.",
        notes: """
            Columns named event_type, event, user_id, distinct_id, anonymous_id, session_id, timestamp, time,
            event_id, group_key and the like map by themselves; device.NAME, location.NAME, context.NAME and
            traits.NAME go there; every other column becomes a property whose type is inferred value by value:
            true and false, whole numbers and decimals written plainly, JSON arrays and objects; all else is
            text (as 007, +1 and 1e3). With any --property, --device, --location or --context only the named
            columns become values.

            A row without an id of its own gets one from its content and from how often the same content was
            seen before in this import. So importing a file again stores nothing twice, an edited file only what
            is new, and exact repeats within a file all count.

            At the end: read; stored; duplicate; rejected. Without publishing, or where the table in the data
            folder cannot tell, sent stands for stored and duplicate. Exit code 2: some rows were rejected.
            """,
        examples: [
            "tidemark import events.csv",
            "tidemark import --event-type-column action --timestamp-column at --time-zone Europe/Berlin log.csv.gz",
            "tidemark import --property amount:float=total --property currency=cur orders.csv",
            "zcat events-*.ndjson.gz | tidemark import -",
        ],
        options: CollectorAccess.options + [
            .value("format", "auto|csv|ndjson", help: "How the input is written; auto by its first character."),
            .value("delimiter", "character", help: "Of CSV: one character or \"tab\"."),
            .value("header", "names", help: "Column names, with commas, of CSV files that have no header."),
            .value("event-type", "type", help: "The type of rows that name none."),
            .value("event-type-column", "column", help: "The column of the event type."),
            .value("user-id-column", "column", help: "The column of the user id."),
            .value("anonymous-id-column", "column", help: "The column of the anonymous id."),
            .value("session-id-column", "column", help: "The column of the session id."),
            .value("event-id-column", "column", help: "The column of the rows' own ids."),
            .value("timestamp-column", "column", help: "The column of the timestamp: ISO 8601, or a number."),
            .value("timestamp-unit", "auto|s|ms|us", help: "The unit of numeric timestamps; auto by their size."),
            .value("time-zone", "name", help: "Of times without an offset; UTC by default."),
            .value("property", "name[:type]=column", help: "A property: type string, int, float, bool, json or auto."),
            .value("device", "name[:type]=column", help: "A value that describes the device."),
            .value("location", "name[:type]=column", help: "A value that describes the location."),
            .value("context", "name[:type]=column", help: "A value that describes the context."),
            .flag("strings", help: "Infer nothing: values that are not named with a type are text."),
            .value("batch", "events", help: "Events a batch; 500 by default."),
            .value("rejects", "file", help: "Write every row that was not taken as NDJSON: file, line, reason."),
            .flag("dry-run", help: "Read and map, show the first events, store nothing."),
            .flag("no-publish", help: "Do not ask the collector to publish at the end."),
        ],
        positionals: [.init("file", .oneOrMore)], repeatable: ["property", "device", "location", "context"],
        run: { try ImportRun($0).run() })
}

/// One call of `tidemark import`.
private struct ImportRun {
    private let invocation: Invocation
    private let settings: Importer.Settings
    private let access: CollectorAccess
    private let disk = Disk.posix

    private var arguments: CommandArguments { invocation.arguments }
    private var console: Console { invocation.console }
    private var project: String { arguments.value("project") ?? Project.defaultName }

    init(_ invocation: Invocation) throws {
        self.invocation = invocation
        settings = try Importer.Settings(invocation, disk: disk)
        access = try CollectorAccess(invocation)
    }

    func run() throws -> ExitCode {
        let report = try RejectReport(arguments.value("rejects"), console: console, disk: disk)
        if arguments.has(flag: "dry-run") { return try preview(report) }

        let place = try access.ingestPlace(arguments, disk: disk)
        var wire = ClientSession.Settings(
            token: try access.token(arguments, ifAbsent: "default.token", disk: disk),
            project: project)
        wire.sdkName = "tidemark-import"
        wire.kind = .backfill
        let client = try CollectorClient(place, wire, console: console)
        defer { client.close() }
        let importer = Importer(
            settings, send: { try client.send($0, eventCount: $1, tag: $2) }, reject: report.add)
        client.onDelivered = importer.delivered

        let ledger = ledger()
        try completing(report) {
            do {
                try readAll(importer)
                try importer.finish()
                try client.finish()
            } catch {
                try show([
                    ("read", importer.readCount), ("sent", importer.deliveredCount),
                    ("rejected", importer.rejectedCount),
                ])
                throw error
            }
        }
        return try conclude(importer, client.sources, ledger)
    }

    /// Finishes the report whether or not `body` throws: what failed half-way is when it is needed most.
    private func completing(_ report: RejectReport, _ body: () throws -> Void) throws {
        do { try body() } catch {
            do { try report.finish() } catch let unwritten {
                console.note("the rejects are not all written: \(unwritten)")
            }
            throw error
        }
        try report.finish()
    }

    private func readAll(_ importer: Importer) throws {
        var meter = ProgressMeter("import", console: console)
        let inputs = try arguments.positionals.map { try TextInput($0, console: console, disk: disk) }
        let sizes = inputs.map(\.totalBytes)
        let total = sizes.contains(nil) ? nil : sizes.compactMap(\.self).reduce(0, +)
        for input in inputs {
            try importer.read(input) {
                let done = inputs.reduce(0) { $0 + $1.readBytes }
                meter.update(eventCount: importer.sentCount, doneBytes: done, totalBytes: total)
            }
            meter.clear()
        }
    }

    /// - Returns: nil if the table cannot be read here.
    private func ledger() -> ImportLedger? {
        do {
            return try ImportLedger(dataFolder: access.dataFolder, project: project, disk: disk)
        } catch {
            console.note("the table cannot tell what becomes of the rows: \(error)")
            return nil
        }
    }

    /// Rows of the table that are this import's.
    /// - Returns: nil if the table does not account for all that was sent: it cannot be read or is another's.
    private func rowCount(_ importer: Importer, _ sources: Set<SourceID>, _ ledger: ImportLedger?) -> Int? {
        guard var ledger else { return nil }
        do {
            let count = try ledger.count(of: sources)
            let keptCount = importer.sentCount - importer.refusedCount
            return count.storedCount >= keptCount ? min(count.rowCount, keptCount) : nil
        } catch {
            console.note("the table cannot tell what became of the rows: \(error)")
            return nil
        }
    }

    /// Publishes, and says what became of the rows.
    private func conclude(
        _ importer: Importer, _ sources: Set<SourceID>, _ ledger: ImportLedger?
    ) throws -> ExitCode {
        var lines = [("read", importer.readCount)]
        let isPublishing = !arguments.has(flag: "no-publish")
        let published = isPublishing ? access.publish(project, console: console, disk: disk) : nil
        if published != nil, let rowCount = rowCount(importer, sources, ledger) {
            lines += [("stored", rowCount), ("duplicate", importer.sentCount - importer.refusedCount - rowCount)]
        } else {
            lines.append(("sent", importer.sentCount))
            if let published {
                let (rows, duplicates) = (published["rows"]?.asInteger, published["duplicates"]?.asInteger)
                console.note(
                    "published by the project, whoever sent it: \(Figures.grouped(Int(rows ?? 0))) rows; "
                        + "\(Figures.grouped(Int(duplicates ?? 0))) duplicates left out")
            }
        }
        lines.append(("rejected", importer.rejectedCount))
        try show(lines)
        return importer.rejectedCount == 0 ? .done : .partial
    }

    /// One line each, the numbers below one another.
    private func show(_ lines: [(name: String, count: Int)]) throws {
        let width = lines.map { Figures.grouped($0.count).count }.max() ?? 0
        for (name, count) in lines {
            let text = Figures.grouped(count)
            try console.print(
                name + String(repeating: " ", count: 10 - name.count + width - text.count) + text)
        }
    }

    private func preview(_ report: RejectReport) throws -> ExitCode {
        let shownMax = 3
        var first: [UInt8]?
        let importer = Importer(settings, send: { batch, _, _ in first = first ?? batch }, reject: report.add)
        try completing(report) {
            try readAll(importer)
            try importer.finish()
        }
        if let first {
            var decoder = BatchDecoder()
            for event in try decoder.decode(first.rawSpan).events().prefix(shownMax) {
                try console.print(EventJSON.value(event).description)
            }
        }
        console.note(
            "\(Figures.grouped(importer.readCount)) rows read, \(Figures.grouped(importer.rejectedCount)) rejected, "
                + "nothing stored")
        return importer.rejectedCount == 0 ? .done : .partial
    }
}

extension Importer.Settings {
    init(_ invocation: Invocation, disk: Disk) throws {
        let arguments = invocation.arguments
        format = try invocation.choice("format", ifAbsent: .auto)
        delimiter = try arguments.value("delimiter", expected: "one character or \"tab\"") { text in
            let byte = text == "tab" || text == "\\t" ? UInt8(ascii: "\t") : text.utf8.first
            return text.utf8.count == 1 || text == "tab" || text == "\\t" ? byte : nil
        }
        header = try arguments.value("header").map { text in
            do {
                return try Importer.columnNames(
                    text.split(separator: ",", omittingEmptySubsequences: false).map(String.init))
            } catch { throw CommandError.usage("--header: \(error)") }
        }
        batchEventsMax = try arguments.integer("batch", in: 1...65_536) ?? 500
        assembler.defaultType = arguments.value("event-type")
        assembler.timestamps.unit = try invocation.choice("timestamp-unit", ifAbsent: .auto)
        if let name = arguments.value("time-zone") { assembler.timestamps.zone = try Zone(named: name, disk: disk) }
        mapping.timestampColumn = arguments.value("timestamp-column")
        mapping.identityColumns = [
            ColumnRole.Identity.type: "event-type-column", .user: "user-id-column", .anonymous: "anonymous-id-column",
            .session: "session-id-column", .eventID: "event-id-column",
        ].compactMapValues { arguments.value($0) }
        if arguments.has(flag: "strings") { mapping.defaultKind = .string }
        let scopes: [(String, EventValue.Scope)] = [
            ("property", .property), ("device", .device), ("location", .location), ("context", .context),
        ]
        for (option, scope) in scopes {
            for text in invocation.repeated[option] ?? [] {
                guard let named = RowMapping.NamedValue(scope, text) else {
                    throw UsageError.invalidValue(option, expected: "name[:type]=column", found: text)
                }
                mapping.namedValues.append(named)
            }
        }
    }
}
