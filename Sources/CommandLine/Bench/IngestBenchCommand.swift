import Config
import Events
import Files
import Foundation
import JSON
import Synchronization
import Wire

extension Command {
    /// `tidemark bench ingest`.
    static let benchIngest = Command(
        "bench ingest", "Load a collector as hard as it goes, and measure.",
        notes: """
            Batches of demo events are encoded before the clock starts. An event counts when its ACK is there:
            it is durable. The events stay in the project: use one of their own, or a data folder to throw away.
            """,
        examples: [
            "tidemark bench ingest --seconds 60", "tidemark bench ingest --connections 16 --window 16 --threads 2",
            "tidemark bench ingest --events-per-batch 1 --window 256",
        ],
        options: CollectorAccess.options + [
            .value("seconds", "count", help: "How long is measured; 10 by default."),
            .value("warmup", "seconds", help: "How long before is not; 1 by default."),
            .value("connections", "count", help: "Connections in all; 4 by default."),
            .value("window", "batches", help: "Unacknowledged batches a connection; 16 by default."),
            .value("threads", "count", help: "Loops that share the connections; 1 by default."),
            .value("events-per-batch", "count", help: "500 by default."),
            .value("batches", "count", help: "How many different batches; 200 by default, 5000 of one event."),
            .value("codec", "zstd|raw", help: "How batches are encoded; zstd by default, raw for one event."),
            .flag("json", help: "Show the figures as JSON."),
        ],
        run: benchIngest)

    private enum CodecName: String, CaseIterable { case zstd, raw }

    private static func benchIngest(_ invocation: Invocation) throws -> ExitCode {
        let (arguments, console) = (invocation.arguments, invocation.console)
        let eventsPerBatch = try arguments.integer("events-per-batch", in: 1...65_536) ?? 500
        let batchCount = try arguments.integer("batches", in: 1...1_000_000) ?? (eventsPerBatch == 1 ? 5000 : 200)
        let codec = try invocation.choice("codec", ifAbsent: eventsPerBatch == 1 ? CodecName.raw : .zstd)
        let laneCount = try arguments.integer("threads", in: 1...64) ?? 1
        let connectionCount = try arguments.integer("connections", in: 1...4096) ?? 4
        let batches = try encodeBatches(
            batchCount, eventsPerBatch: eventsPerBatch, codec: codec == .raw ? .raw : .zstd(level: 1), console)
        let plan = try plan(invocation, batches, connectionsPerLane: max(1, connectionCount / laneCount))

        let results = Mutex<[Result<IngestTally, any Error>]>([])
        DispatchQueue.concurrentPerform(iterations: laneCount) { index in
            let result = Result {
                let lane = try IngestLane(plan, index: index, console: .standard())
                return try lane.run()
            }
            results.withLock { $0.append(result) }
        }
        var tally = IngestTally()
        for result in results.withLock({ $0 }) { tally.add(try result.get()) }
        let report = IngestReport(tally, plan, laneCount: laneCount)
        let text = arguments.has(flag: "json") ? report.json.description + "\n" : report.text
        try console.writeOutput(Array(text.utf8))
        return tally.refused == 0 ? .done : .partial
    }

    private static func plan(
        _ invocation: Invocation, _ batches: [EncodedBatch], connectionsPerLane: Int
    ) throws -> IngestPlan {
        let arguments = invocation.arguments
        let access = try CollectorAccess(invocation)
        let window = try arguments.integer("window", in: 1...256) ?? 16
        var wire = ClientSession.Settings(
            token: try access.token(arguments, ifAbsent: "default.token", disk: .posix),
            project: arguments.value("project") ?? "default")
        wire.sdkName = "tidemark-bench"
        wire.unackedBatchesMax = window
        wire.unackedBytesMax = 1 << 30  // the window is counted in batches
        return IngestPlan(
            place: try access.ingestPlace(arguments, disk: .posix), wire: wire, batches: batches,
            connectionsPerLane: connectionsPerLane, window: window,
            warmupMicros: Int64(try arguments.integer("warmup", in: 0...600) ?? 1) * 1_000_000,
            measuredMicros: Int64(try arguments.integer("seconds", in: 1...86_400) ?? 10) * 1_000_000)
    }

    private static func encodeBatches(
        _ count: Int, eventsPerBatch: Int, codec: BatchEncoder.Codec, _ console: Console
    ) throws -> [EncodedBatch] {
        var settings = DemoSettings(endDate: .init(daysSinceEpoch: Int(console.clockMicros() / 86_400_000_000) - 1))
        settings.eventCount = count * eventsPerBatch
        var stream = DemoStream(settings)
        var batches: [EncodedBatch] = []
        var cutter = BatchCutter(eventsMax: eventsPerBatch, codec: codec)
        while let events = stream.nextHour() {
            for event in events {
                if let batch = try cutter.add(event) { batches.append(batch) }
            }
        }
        if let batch = try cutter.finish() { batches.append(batch) }
        return batches
    }
}

/// The figures of one run.
struct IngestReport {
    private let tally: IngestTally
    private let plan: IngestPlan
    private let laneCount: Int

    init(_ tally: IngestTally, _ plan: IngestPlan, laneCount: Int) {
        self.tally = tally
        self.plan = plan
        self.laneCount = laneCount
    }

    private var seconds: Double { Double(plan.measuredMicros) / 1e6 }
    private var eventsPerSecond: Double { Double(tally.events) / seconds }
    private var bytesPerSecond: Double { Double(tally.bytes) / seconds }

    private var bytesPerEvent: Double {
        let events = plan.batches.reduce(0) { $0 + $1.eventCount }
        return Double(plan.batches.reduce(0) { $0 + $1.bytes.count }) / Double(max(events, 1))
    }

    private func millis(_ share: Double) -> Double { Double(tally.latencies.quantileMicros(share)) / 1000 }

    var text: String {
        let lines = [
            ("durable events/s", Figures.short(eventsPerSecond)),
            ("batches/s", Figures.short(Double(tally.batches) / seconds)),
            ("MB/s", Figures.fixed(bytesPerSecond / 1e6, 1)), ("bytes/event", Figures.fixed(bytesPerEvent, 1)),
            ("ack p50 ms", Figures.fixed(millis(0.5), 2)), ("ack p99 ms", Figures.fixed(millis(0.99), 2)),
            ("events", Figures.grouped(tally.events)), ("refused", Figures.grouped(tally.refused)),
            ("measured s", Figures.fixed(seconds, 0)),
            (
                "connections",
                "\(plan.connectionsPerLane * laneCount) x window \(plan.window) on \(laneCount) threads, \(plan.place)"
            ),
        ]
        return lines.map { $0.0 + String(repeating: " ", count: 18 - $0.0.count) + $0.1 + "\n" }.joined()
    }

    var json: JSONValue {
        [
            "events_per_second": .number(eventsPerSecond),
            "batches_per_second": .number(Double(tally.batches) / seconds),
            "bytes_per_second": .number(bytesPerSecond), "bytes_per_event": .number(bytesPerEvent),
            "ack_p50_ms": .number(millis(0.5)), "ack_p99_ms": .number(millis(0.99)),
            "events": .integer(Int64(tally.events)), "refused": .integer(Int64(tally.refused)),
            "seconds": .number(seconds), "connections": .integer(Int64(plan.connectionsPerLane * laneCount)),
            "window": .integer(Int64(plan.window)), "threads": .integer(Int64(laneCount)),
        ]
    }
}
