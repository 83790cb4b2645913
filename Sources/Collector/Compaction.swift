import Config
import EventLoop
import Files
import Foundation
import JSON
import Table
import Telemetry
import WAL

/// Decides when the log is compacted and runs the child that does it: one at a time, by time, size and request.
///
/// A run: the log's thread ends its segment → the child publishes every project through that record → the tables are
/// asked how far they are, whatever the child said → the log frees what they hold. A child that dies costs a rerun.
final class Compaction {
    private struct Request {
        let project: String?
        let then: (Result<JSONValue, CollectorDaemon.Refusal>) -> Void
    }

    private enum State {
        case idle
        case rotating([Request])
        case running(ChildProcess, [Request])
        case stopped
    }

    private let loop: Loop
    private let config: CollectorConfig
    private let logger: Logger
    private let metrics: CollectorMetrics
    private let rotate: () -> Void
    private let free: ([String: UInt64]) -> Void
    private let program: String
    private var state = State.idle
    /// The newest known version of each project's table, so that only what is new is read.
    private var versions: [String: TableVersion] = [:]
    private var waiting: [Request] = []
    private var lastStartMillis: UInt64
    private var output = ""
    private var outputHasEnded = false
    private var exit: ChildProcess.Exit?
    /// Runs in a row that failed or published nothing: the next by itself waits longer each time.
    private var fruitlessRuns: UInt64 = 0
    private var waitsUntilMillis: UInt64 = 0

    private static let retryMillisMin: UInt64 = 1000
    private static let retryMillisMax: UInt64 = 300_000

    init(
        loop: Loop, config: CollectorConfig, logger: Logger, metrics: CollectorMetrics, rotate: @escaping () -> Void,
        free: @escaping ([String: UInt64]) -> Void
    ) throws {
        self.loop = loop
        self.config = config
        self.logger = logger
        self.metrics = metrics
        self.rotate = rotate
        self.free = free
        program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        lastStartMillis = loop.nowMillis
    }

    var isRunning: Bool {
        switch state {
        case .idle, .stopped: false
        case .rotating, .running: true
        }
    }

    /// To be called a few times a second.
    /// - Parameter log: what is not freed yet. Its bytes are compressed, so its events say how long a reader's tail is.
    func tick(_ log: LogSize) {
        guard case .idle = state else { return }
        let isDue = loop.nowMillis - lastStartMillis >= UInt64(config.compactInterval.components.seconds) * 1000
        let isLarge = log.recordBytes >= config.compactBytes || log.eventCount >= config.compactEvents
        let isWanted = isLarge || (isDue && log.recordBytes > 0)
        if !waiting.isEmpty || (isWanted && loop.nowMillis >= waitsUntilMillis) { begin() }
    }

    /// Compacts as soon as may be; `then` hears what was done for `project`, or for all.
    func request(project: String?, then: @escaping (Result<JSONValue, CollectorDaemon.Refusal>) -> Void) {
        waiting.append(Request(project: project, then: then))
        if case .idle = state { begin() }
    }

    /// Ends a child that runs; what it had not committed is done again after the next start.
    func stop() {
        let requests: [Request]
        switch state {
        case .idle, .stopped: requests = []
        case .rotating(let served): requests = served
        case .running(let child, let served):
            requests = served
            do { try child.terminate() } catch {
                logger.warning("compaction child not ended", ["reason": .string(error.description)])
            }
        }
        state = .stopped
        for request in requests + waiting { request.then(.failure(.init(reason: "the collector is stopping"))) }
        waiting = []
    }

    private func begin() {
        lastStartMillis = loop.nowMillis
        state = .rotating(waiting)
        waiting = []
        rotate()
    }

    /// The log's thread has ended the segment: everything through `sequence` can be published.
    func rotated(through sequence: UInt64) {
        guard case .rotating(let requests) = state else { return }
        (output, outputHasEnded, exit) = ("", false, nil)
        do {
            let child = try ChildProcess(
                loop, path: program,
                arguments: [
                    CompactionChild.argument, config.data, String(sequence),
                    String(ProcessInfo.processInfo.processIdentifier),
                ], environment: ProcessInfo.processInfo.environment, output: .piped,
                onExit: { [self] in
                    exit = $0
                    concludeIfEnded()
                })
            if let stream = child.output { read(stream) }
            state = .running(child, requests)
        } catch {
            logger.error("cannot start compaction", ["reason": .string("\(error)")])
            waitBeforeNext(wasFruitful: false)
            state = .idle
            for request in requests { request.then(.failure(.init(reason: "cannot start compaction: \(error)"))) }
        }
    }

    /// The child's last words may arrive after its end, so both are waited for.
    private func read(_ stream: EventLoop.Stream) {
        stream.onClosed = { [self] _ in
            outputHasEnded = true
            concludeIfEnded()
        }
        stream.startReading(
            onBytes: { [self] bytes in output += bytes.text(0..<bytes.byteCount) },
            onEnd: { [weak stream] in stream?.close() })
    }

    private func concludeIfEnded() {
        guard case .running(_, let requests) = state, let exit, outputHasEnded else { return }
        conclude(exit, requests)
    }

    private func conclude(_ exit: ChildProcess.Exit, _ requests: [Request]) {
        freePublished()
        let reports = output.split(separator: "\n").compactMap { try? JSONValue(parsing: String($0)) }
        let rows = reports.reduce(0) { $0 + Int($1["rows"]?.asInteger ?? 0) }
        metrics.rowsPublished.increment(by: rows)
        let succeeded = exit.status == 0 && exit.signal == 0
        (succeeded ? metrics.compactions : metrics.compactionsFailed).increment()
        waitBeforeNext(wasFruitful: succeeded && rows > 0)
        state = .idle
        if succeeded {
            logger.info("compacted", ["projects": .array(reports)])
        } else {
            logger.error("compaction failed", [
                "status": .integer(exit.status), "signal": .integer(Int64(exit.signal)), "projects": .array(reports),
            ])
        }
        let reason = "compaction ended with status \(exit.status), signal \(exit.signal)"
        for request in requests {
            let isServed = succeeded || reports.contains { $0["project"]?.asString == request.project }
            request.then(isServed ? .success(Self.sum(reports, of: request.project)) : .failure(.init(reason: reason)))
        }
    }

    /// Frees what the tables hold. A child that died between its commit and the folder's sync leaves a commit that only
    /// the page cache may have, so each table is synchronized before its word is acted on.
    private func freePublished() {
        var published: [String: UInt64] = [:]
        do {
            for project in try Project.list(dataFolder: config.data, disk: .posix) {
                // What the tables of one project hide keeps only the segments it is in.
                do {
                    let known = versions[project.name] ?? TableVersion()
                    let version = try project.durableEvents(after: known, disk: .posix)
                    versions[project.name] = version
                    published[project.name] = version.lastRecord
                } catch {
                    logger.error("table not readable, its log is kept", [
                        "project": .string(project.name), "reason": .string("\(error)"),
                    ])
                }
            }
            free(published)
        } catch {
            logger.error("projects not readable, nothing is freed", ["reason": .string("\(error)")])
        }
    }

    /// A run that cannot publish, or that frees nothing, must not follow itself at once.
    private func waitBeforeNext(wasFruitful: Bool) {
        fruitlessRuns = wasFruitful ? 0 : fruitlessRuns + 1
        waitsUntilMillis = loop.nowMillis + min(Self.retryMillisMin << min(fruitlessRuns, 10), Self.retryMillisMax)
    }

    /// What was done for one project, or for all together.
    private static func sum(_ reports: [JSONValue], of project: String?) -> JSONValue {
        let wanted = reports.filter { project == nil || $0["project"]?.asString == project }
        func total(_ name: String) -> JSONValue {
            .integer(wanted.reduce(0) { $0 + ($1[name]?.asInteger ?? 0) })
        }
        func highest(_ name: String) -> JSONValue {
            .integer(wanted.compactMap { $0[name]?.asInteger }.max() ?? 0)
        }
        return [
            "version": highest("version"), "last_record": highest("last_record"), "rows": total("rows"),
            "duplicates": total("duplicates"), "files": total("files"), "bytes": total("bytes"),
        ]
    }
}
