import Config
import Events
import Files
import JSON
import Table
import Wire
import Zones

extension Command {
    /// `tidemark demo`.
    static let demo = Command(
        "demo", "Store a believable stream of events, to try things out.",
        notes: """
            Users of an imaginary product who differ in activity, device and place; visits that sign up through
            the funnel page_view signup, click signup_button, submit signup, sign_up; sessions over midnight;
            features in two versions; purchases in two currencies; a day with many errors; busy and quiet hours.
            The same options give the same events, which are stored again every time: their ids are not their
            own.
            """,
        examples: ["tidemark demo", "tidemark demo --events 5000000 --users 50000", "tidemark demo --out demo.ndjson"],
        options: CollectorAccess.options + DemoSettings.options + [
            .value("batch", "events", help: "Events a batch; 500 by default."),
            .value("out", "file", help: "Write NDJSON that `import` reads, and store nothing."),
            .flag("no-publish", help: "Do not ask the collector to publish at the end."),
        ],
        run: { invocation in
            let settings = try DemoSettings(invocation)
            let console = invocation.console
            if let path = invocation.arguments.value("out") {
                try write(settings, to: path, console)
                return .done
            }
            return try store(settings, invocation)
        })

    private static func write(_ settings: DemoSettings, to path: String, _ console: Console) throws {
        let file = try OutputFile(path, disk: .posix)
        var stream = DemoStream(settings)
        var meter = ProgressMeter("demo", console: console)
        while let events = stream.nextHour() {
            for event in events { try file.append(EventJSON.value(event).encoded() + [UInt8(ascii: "\n")]) }
            meter.update(
                eventCount: stream.producedCount, doneBytes: stream.producedCount, totalBytes: settings.eventCount)
        }
        try file.flush()
        meter.clear()
        try console.print("\(Figures.grouped(stream.producedCount)) events written to \(path)")
    }

    private static func store(_ settings: DemoSettings, _ invocation: Invocation) throws -> ExitCode {
        let (arguments, console) = (invocation.arguments, invocation.console)
        let access = try CollectorAccess(invocation)
        let batchEventsMax = try arguments.integer("batch", in: 1...65_536) ?? 500
        let project = arguments.value("project") ?? Project.defaultName
        let wire = ClientSession.Settings(
            token: try access.token(arguments, ifAbsent: "default.token", disk: .posix), project: project)
        let client = try CollectorClient(try access.ingestPlace(arguments, disk: .posix), wire, console: console)
        defer { client.close() }
        var refusedCount = 0
        client.onDelivered = { delivery in refusedCount += delivery.refused.reduce(0) { $0 + $1.rows.count } }

        var stream = DemoStream(settings)
        var batches = BatchCutter(eventsMax: batchEventsMax)
        var meter = ProgressMeter("demo", console: console)
        func send(_ batch: EncodedBatch?) throws {
            if let batch { try client.send(batch.bytes, eventCount: batch.eventCount, tag: 0) }
        }
        while let events = stream.nextHour() {
            for event in events { try send(batches.add(event)) }
            meter.update(
                eventCount: stream.producedCount, doneBytes: stream.producedCount, totalBytes: settings.eventCount)
        }
        try send(batches.finish())
        try client.finish()
        meter.clear()
        let seconds = Double(meter.elapsedMicros) / 1e6
        try console.print(
            "\(Figures.grouped(stream.producedCount)) events sent and durable in \(Figures.fixed(seconds, 1)) s"
                + (refusedCount == 0 ? "" : ", \(Figures.grouped(refusedCount)) of them refused"))
        if !arguments.has(flag: "no-publish") { _ = access.publish(project, console: console, disk: .posix) }
        return refusedCount == 0 ? .done : .partial
    }
}

extension DemoSettings {
    static let options: [CommandSyntax.Option] = [
        .value("events", "count", help: "About how many events, never more; 200000 by default."),
        .value("users", "count", help: "How many users there are at the beginning; 2000 by default."),
        .value("days", "count", help: "Over how many days; 30 by default."),
        .value("end", "date", help: "The last day, YYYY-MM-DD in UTC; today up to now by default."),
        .value("seed", "number", help: "Another seed gives other events; 1 by default."),
    ]

    init(_ invocation: Invocation) throws(UsageError) {
        let arguments = invocation.arguments
        let now = invocation.console.clockMicros()
        if let end = try arguments.value("end", expected: "a date such as 2024-03-01", { ISO8601.date($0) }) {
            self.init(endDate: end)
        } else {
            // Up to the last full hour: the collector takes nothing from the future.
            let hours = Int(now / 3_600_000_000)
            let day = hours % 24 == 0 ? hours / 24 - 1 : hours / 24
            self.init(endDate: CivilDate(daysSinceEpoch: day), lastDayHours: hours % 24 == 0 ? 24 : hours % 24)
        }
        eventCount = try arguments.integer("events", in: 1...1_000_000_000) ?? eventCount
        userCount = try arguments.integer("users", in: 1...10_000_000) ?? userCount
        dayCount = try arguments.integer("days", in: 1...3650) ?? dayCount
        seed = UInt64(try arguments.integer("seed", in: 0...Int.max) ?? 1)
    }
}
