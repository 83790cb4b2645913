import Bytes
import Config
import Events
import Files
import JSON
import WAL
import Wire
import Zones

extension Command {
    /// `tidemark wal cat`.
    static let walCat = Command(
        "wal cat", "Show the events or the records of a log.",
        notes: """
            Events come in the order of their arrival, excluded ones marked. Reads only; the collector may be
            running. With --redact ids become pseudonyms that hold within one run, and texts are left out.
            """,
        examples: [
            "tidemark wal cat --limit 10", "tidemark wal cat --user ada --from 1200",
            "tidemark wal cat --records --to 3", "tidemark wal cat --format hex --from 7 --to 7 0000000000000001.wal",
        ],
        options: [
            CollectorAccess.dataOption, .flag("records", help: "Show records and their entries instead of events."),
            .value("format", "ndjson|json|hex", help: "One object a line, one array, or the record's raw bytes."),
            .value("limit", "count", help: "Stop after so many events or records."),
            .flag("redact", help: "Hide who it was and what they wrote."),
        ] + LogFilter.options,
        positionals: [LogFiles.positional],
        run: { invocation in
            let dump = try LogDump(invocation)
            let files = try LogFiles(logPath(invocation.arguments), disk: .posix)
            do {
                for part in files.parts { try dump.add(part) }
            } catch LogDump.Stop.limitReached {}
            try dump.finish()
            for error in files.broken { invocation.console.note(error.description) }
            return dump.hasMetDamage || !files.broken.isEmpty ? .corrupt : .done
        })
}

/// Writes what `wal cat` shows.
private final class LogDump {
    enum Format: String, CaseIterable { case ndjson, json, hex }
    /// Not an error: enough was shown.
    enum Stop: Error { case limitReached }

    private static let bufferBytes = 64 << 10

    private let console: Console
    private let filter: LogFilter
    private let format: Format
    private let showsRecords: Bool
    private let redaction: Redaction?
    private let limit: Int
    private let opener = BatchOpener()
    private var shownCount = 0
    private var buffer: [UInt8] = []
    private(set) var hasMetDamage = false

    init(_ invocation: Invocation) throws {
        let arguments = invocation.arguments
        console = invocation.console
        filter = try LogFilter(arguments)
        format = try invocation.choice("format", ifAbsent: .ndjson)
        showsRecords = arguments.has(flag: "records") || format == .hex
        redaction = arguments.has(flag: "redact") ? Redaction() : nil
        limit = try arguments.integer("limit", in: 0...Int.max) ?? Int.max
        if format == .json { buffer += Array("[".utf8) }
        if format == .hex, redaction != nil { throw CommandError.usage("raw bytes cannot be redacted") }
        if showsRecords, filter.looksAtEvents {
            throw CommandError.usage("--user and --type choose events, not records")
        }
    }

    func add(_ part: LogFiles.Part) throws {
        let end = try part.forEachRecord { record in
            guard filter.admits(record) else { return }
            if showsRecords { try show(record) } else { try showEvents(of: record) }
        }
        if case .bad(let offset, let reason) = end, !part.isFollowed {
            hasMetDamage = true
            console.note("\(part.segment.path):\(offset): \(reason)")
        }
    }

    func finish() throws {
        if format == .json { buffer += Array((shownCount == 0 ? "]\n" : "\n]\n").utf8) }
        try console.writeOutput(buffer)
        buffer = []
    }

    private func write(_ text: [UInt8]) throws {
        guard shownCount < limit else { throw Stop.limitReached }
        if format == .json { buffer += Array((shownCount == 0 ? "\n" : ",\n").utf8) }
        buffer += text
        if format == .ndjson { buffer.append(UInt8(ascii: "\n")) }
        shownCount += 1
        if buffer.count >= Self.bufferBytes {
            try console.writeOutput(buffer)
            buffer.removeAll(keepingCapacity: true)
        }
        if shownCount == limit { throw Stop.limitReached }
    }

    // MARK: Events

    private func showEvents(of record: Record) throws {
        var ordinal = 0
        for (index, entry) in record.entries.enumerated() {
            defer { ordinal += entry.ordinalCount }
            guard case .batch(let batch) = entry.kind, filter.admits(entry) else { continue }
            let rows: Batch
            do { rows = try opener.batch(index, of: record) } catch {
                hasMetDamage = true
                console.note("\(record.segment.path):\(record.byteOffset): entry \(index): \(error)")
                continue
            }
            for row in 0..<rows.eventCount {
                var event = rows.event(at: row)
                guard filter.admits(event) else { continue }
                let sequence = entry.base + UInt64(row)
                event.eventID = event.eventID ?? EventID(source: entry.source, sequence: sequence)
                if let redaction { event = redaction.redacted(event) }
                var object = EventJSON.value(event).asObject ?? JSONObject()
                object["project"] = .string(entry.project)
                object["source"] = .string(entry.source.description)
                object["source_sequence"] = .integer(Int64(sequence))
                object["record"] = .integer(Int64(record.sequence))
                object["ordinal"] = .integer(Int64(ordinal + row))
                object["received"] = .string(ISO8601.format(micros: batch.receivedMicros))
                if batch.clockOffsetMicros != 0 { object["clock_offset_us"] = .integer(batch.clockOffsetMicros) }
                if let excluded = batch.exclusions.first(where: { $0.index == row }) {
                    object["excluded"] = .string(Self.verdict(excluded.code))
                }
                try write(JSONValue.object(object).encoded())
            }
        }
    }

    private static func verdict(_ code: UInt8) -> String {
        VerdictCode(rawValue: UInt64(code)).map { "\($0)" } ?? PlanViolation(rawValue: code)?.name ?? "code \(code)"
    }

    // MARK: Records

    private func show(_ record: Record) throws {
        let entries = record.entries.filter(filter.admits)
        guard !entries.isEmpty else { return }
        if format == .hex { return try write(hexDump(record)) }
        let json: JSONValue = [
            "record": .integer(Int64(record.sequence)), "file": .string(record.segment.path),
            "offset": .integer(Int64(record.byteOffset)), "bytes": .integer(Int64(record.header.recordBytes)),
            "committed": .string(ISO8601.format(micros: record.commitMicros)),
            "events": .integer(Int64(record.header.eventCount)),
            "blocks": .array(record.blocks.map { block in
                [
                    "codec": .string(block.isCompressed ? "zstd" : "stored"),
                    "stored_bytes": .integer(Int64(block.storedBytes)),
                    "decoded_bytes": .integer(Int64(block.decodedBytes)),
                ]
            }),
            "entries": .array(entries.map(Self.json)),
        ]
        try write(json.encoded())
    }

    private static func json(_ entry: Entry) -> JSONValue {
        var object = JSONObject()
        object["kind"] = .string(name(entry.kind))
        object["project"] = .string(entry.project)
        object["source"] = .string(entry.source.description)
        object["base"] = .integer(Int64(clamping: entry.base))
        object["count"] = .integer(Int64(entry.count))
        if entry.flags.contains(.isImport) { object["import"] = true }
        if entry.flags.contains(.recheck) { object["recheck"] = true }
        if entry.flags.contains(.final) { object["final"] = true }
        switch entry.kind {
        case .batch(let batch):
            object["received"] = .string(ISO8601.format(micros: batch.receivedMicros))
            object["clock_offset_us"] = .integer(batch.clockOffsetMicros)
            object["block"] = .integer(Int64(batch.block))
            object["body_bytes"] = .integer(Int64(batch.length))
            object["fingerprint"] = .string(Hex.encode(batch.fingerprint))
            object["first"] = .string(ISO8601.format(micros: batch.minTimestampMicros))
            object["last"] = .string(ISO8601.format(micros: batch.maxTimestampMicros))
            object["excluded"] = .integer(Int64(batch.exclusions.count))
        case .skip(let reason): object["reason"] = .integer(Int64(clamping: reason))
        case .open(let tokenName): object["token"] = .string(tokenName)
        case .rejectedBatch(_, let code): object["verdict"] = .string(verdict(code))
        case .close: break
        }
        object["totals"] = [
            "unknown_before": .integer(Int64(clamping: entry.totals.unknownBefore)),
            "skipped": .integer(Int64(clamping: entry.totals.skipped)),
            "stored": .integer(Int64(clamping: entry.totals.stored)),
            "rejected": .integer(Int64(clamping: entry.totals.rejected)),
            "quarantined": .integer(Int64(clamping: entry.totals.quarantined)),
        ]
        return .object(object)
    }

    private static func name(_ kind: Entry.Kind) -> String {
        switch kind {
        case .batch: "batch"
        case .skip: "skip"
        case .open: "open"
        case .rejectedBatch: "rejected batch"
        case .close: "close"
        }
    }

    /// Sixteen bytes a line: where in the file, the digits, what of it is ASCII.
    private func hexDump(_ record: Record) -> [UInt8] {
        let bytes = record.segment.copy(record.byteOffset..<record.end)
        var text = "record \(record.sequence) \(record.segment.path)\n"
        for start in stride(from: 0, to: bytes.count, by: 16) {
            let line = bytes[start..<min(start + 16, bytes.count)]
            let digits = line.map { Hex.encode([$0]) }.joined(separator: " ")
            let letters = line.map { (0x20..<0x7F).contains($0) ? String(UnicodeScalar($0)) : "." }.joined()
            text += Hex.encode(UInt64(record.byteOffset + start)).suffix(8) + "  "
            text += digits + String(repeating: " ", count: 49 - digits.count) + letters + "\n"
        }
        return Array(text.utf8)
    }
}
