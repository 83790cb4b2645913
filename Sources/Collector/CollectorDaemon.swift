import Access
import Bytes
import Config
import EventLoop
import Events
import Files
import Foundation
import HTTPServer
import JSON
import Synchronization
import Table
import Telemetry
import WAL
import Wire

/// collectord: one loop for all senders, one thread for the log, one child at a time for compaction.
///
/// Everything here happens on the loop's thread, but for what is said to come from elsewhere and arrives through
/// `wakeup`.
final class CollectorDaemon {
    enum Message: Sendable {
        case logOpened(failure: String?)
        case answers([LedgerAnswer])
        case logFailed(String)
        case rotated(UInt64)
    }

    struct Refusal: Error {
        let reason: String
    }

    private let config: CollectorConfig
    private let logger: Logger
    private let disk = Disk.posix
    private let loop: Loop
    private let log: LogThread
    private let tokens: TokenStore
    private var projects = Set<String>()
    private var checker: BatchChecker
    private let tracking: AnalyticsConfig.Tracking
    private var connections: [UInt64: ProducerConnection] = [:]
    private var nextConnection: UInt64 = 1
    private var listeners: [Listener] = []
    private var signals: SignalWatcher?
    private var ticker: EventLoop.Timer?
    private var wakeup: Wakeup<Message>?
    private var compaction: Compaction?
    private var http: HTTPServer?
    private let registry = MetricsRegistry()
    private let metrics: CollectorMetrics
    private let logMetrics: LogMetrics
    private let health: CollectorHealth
    private var drainDeadlineMillis: UInt64?
    private let connectionsMax: Int
    private(set) var exitCode: Int32 = 0

    /// The loop stops reading while more than this waits for the log's thread.
    private static let queuedBytesMax = 64 << 20
    private static let drainMillis: UInt64 = 10_000
    /// How long a relay waits before it tries a project again that is not here.
    private static let unknownProjectRetryMillis: UInt64 = 60_000

    init(config: CollectorConfig, analytics: AnalyticsConfig, logger: Logger) throws {
        self.config = config
        tracking = analytics.tracking
        checker = BatchChecker(TrackingPlan(analytics), isTracking: analytics.tracking.isEnabled)
        self.logger = logger
        loop = try Loop()
        log = LogThread()
        tokens = TokenStore(path: config.tokenFile, disk: disk)
        metrics = CollectorMetrics(registry)
        logMetrics = LogMetrics(registry)
        health = CollectorHealth(log)
        connectionsMax = min(config.connectionsMax, try DescriptorLimit.connectionsMax(disk: disk))
    }

    var moment: Moment {
        Moment(elapsedMicros: Int64(loop.nowMillis) * 1000, clockMicros: Logger.systemClock())
    }

    // MARK: Life

    /// Runs until a signal or a failure that only a restart mends.
    func run() throws {
        defer { loop.close() }
        let folder = try DataFolder.lock(config.data, disk: disk)
        if connectionsMax < config.connectionsMax {
            logger.warning("fewer connections than configured, for want of descriptors (ulimit -n)", [
                "connections_max": .integer(Int64(connectionsMax)),
                "configured": .integer(Int64(config.connectionsMax)),
            ])
        }
        try prepareProjects()
        try tokens.reload()
        let wakeup = try Wakeup<Message>(loop) { [self] messages in for message in messages { take(message) } }
        self.wakeup = wakeup
        compaction = try Compaction(
            loop: loop, config: config, logger: logger, metrics: metrics, rotate: { [log] in
                log.send(.rotate { sequence in wakeup.send(.rotated(sequence)) })
            }, free: { [log] in log.send(.free(published: $0)) })
        try startLog(wakeup)
        signals = try SignalWatcher(loop, signals: [SIGTERM, SIGINT, SIGHUP]) { [self] in signalled($0) }
        loop.run()
        if let failure = log.stopAndWait() { logger.warning("log not sealed", ["reason": .string(failure)]) }
        http?.stop()
        withExtendedLifetime(folder) {}
        logger.info("stopped")
    }

    private func prepareProjects() throws {
        if try Project.list(dataFolder: config.data, disk: disk).isEmpty {
            try createProject(Project.defaultName)
        }
        try TokenFile.createIfMissing(
            path: config.tokenFile, dataFolder: config.data, project: Project.defaultName, disk: disk)
        projects = Set(try Project.list(dataFolder: config.data, disk: disk).map(\.name))
    }

    private func startLog(_ wakeup: Wakeup<Message>) throws {
        let highest = try Project.list(dataFolder: config.data, disk: disk)
            .map { try $0.newestEvents(disk: disk).lastRecord }.max() ?? 0
        let (logger, config, metrics) = (logger, config, logMetrics)
        log.start(
            make: {
                let (committer, report) = try GroupCommitter.open(
                    folder: config.data + "/wal", segmentBytes: config.segmentBytes, highestPublished: highest,
                    disk: .posix, clock: Logger.systemClock, metrics: metrics)
                if report.wasUnclean {
                    logger.warning("log recovered", [
                        "records_copied": .integer(Int64(report.recordsCopied)),
                        "torn_bytes": .integer(Int64(report.tornBytes)),
                        "torn_kept_in": report.tornPath.map { .string($0) } ?? nil,
                    ])
                }
                return committer
            },
            opened: { failure in wakeup.send(.logOpened(failure: failure.map { "\($0)" })) },
            answer: { wakeup.send(.answers($0)) },
            failed: { wakeup.send(.logFailed("\($0)")) })
    }

    private func startServing() throws {
        listeners = [
            try Listener(loop, host: config.listen.host, port: Int(config.listen.port), backlog: 1024) { [self] in
                accepted($0)
            },
            try Listener(loop, unixPath: config.socket, mode: 0o660, backlog: 1024) { [self] in accepted($0) },
        ]
        http = try HTTPServer(
            host: config.http.host, port: Int(config.http.port), limits: .observability,
            handler: CollectorHealth.handler(health, registry))
        let ticker = EventLoop.Timer(loop)
        ticker.start(everyMillis: 250) { [self] in tick() }
        self.ticker = ticker
        health.isReady.store(true, ordering: .relaxed)
        logger.info("ready", [
            "listen": .string("\(config.listen.host):\(listeners[0].boundPort)"), "socket": .string(config.socket),
            "http": .string("\(config.http.host):\(http?.boundPort ?? 0)"), "data": .string(config.data),
        ])
    }

    private func take(_ message: Message) {
        switch message {
        case .logOpened(nil):
            do { try startServing() } catch { stop(failure: "\(error)") }
        case .logOpened(let failure?), .logFailed(let failure):
            stop(failure: failure)
        case .answers(let answers):
            for answer in answers { connections[answer.connection]?.deliver(answer) }
            resumeReadingIfRoom()
        case .rotated(let sequence):
            compaction?.rotated(through: sequence)
        }
    }

    private func signalled(_ signal: Int32) {
        if signal == SIGHUP {
            do { try reloadTokens() } catch {
                // It is in the log, and nobody else waits for it.
            }
            return
        }
        guard drainDeadlineMillis == nil else { return loop.stop() }
        logger.info("draining", ["connections": .integer(Int64(connections.count))])
        health.isReady.store(false, ordering: .relaxed)
        drainDeadlineMillis = loop.nowMillis + Self.drainMillis
        for listener in listeners { listener.close() }
        compaction?.stop()
        for connection in connections.values { connection.drain() }
        stopIfDrained()
    }

    private func stop(failure: String) {
        logger.error("cannot go on", ["reason": .string(failure)])
        health.isReady.store(false, ordering: .relaxed)
        exitCode = 1
        compaction?.stop()
        loop.stop()
    }

    private func tick() {
        for connection in connections.values { connection.tick() }
        metrics.connections.set(connections.count)
        compaction?.tick(
            LogSize(recordBytes: Int(logMetrics.recordBytes.value), eventCount: Int(logMetrics.logEvents.value)))
        resumeReadingIfRoom()
        stopIfDrained()
    }

    private func stopIfDrained() {
        guard let deadline = drainDeadlineMillis else { return }
        if connections.isEmpty || loop.nowMillis >= deadline { loop.stop() }
    }

    // MARK: Connections

    private func accepted(_ result: Result<EventLoop.Stream, EventLoopError>) {
        switch result {
        case .failure(let error):
            logger.warning("cannot accept", ["reason": .string(error.description)])
        case .success(let stream):
            guard connections.count < connectionsMax else {
                metrics.connectionsRefused.increment()
                return stream.close()
            }
            let connection = ProducerConnection(number: nextConnection, stream, daemon: self)
            nextConnection += 1
            connections[connection.number] = connection
            metrics.accepted.increment()
            connection.start()
            if drainDeadlineMillis != nil { connection.drain() }
        }
    }

    func connectionClosed(_ connection: ProducerConnection) {
        connections[connection.number] = nil
        log.send(.disconnected(connection: connection.number))
        stopIfDrained()
    }

    func senderFailed(_ connection: ProducerConnection, _ error: WireError) {
        metrics.connectionsFailed.increment()
        logger.info("connection ended", [
            "peer": .string(connection.peerText), "reason": .string(error.description),
        ])
    }

    func authenticate(_ hello: Hello) -> Result<Admission, Refusal> {
        guard let token = tokens.token(hello.token) else { return .failure(Refusal(reason: "unknown token")) }
        guard let admission = Admission(token) else {
            return .failure(Refusal(reason: "a \(token.role) token sends no events"))
        }
        if case .ingest(let project) = admission.grant, !projects.contains(project) {
            return .failure(Refusal(reason: "there is no project \"\(project)\""))
        }
        return .success(admission)
    }

    func check(_ frame: BatchFrame, isImport: Bool) -> CheckedBatch {
        metrics.batchBytes.increment(by: frame.batchBytes)
        let batch = checker.check(frame, isImport: isImport, nowMicros: Logger.systemClock())
        if case .rejected = batch.outcome { metrics.batchesRejected.increment() }
        return batch
    }

    /// Hands a command to the log's thread; stops reading from its sender while too much waits.
    func submit(_ command: LogCommand, from connection: ProducerConnection) {
        if case .open(_, let open, _) = command, !projects.contains(open.project) {
            return connection.deliver(.refused(connection: connection.number, NegativeAcknowledgement(
                stream: open.stream, expected: 0, code: .notAllowed, retry: .after,
                afterMilliseconds: Self.unknownProjectRetryMillis,
                detail: "there is no project \"\(open.project)\"")))
        }
        log.send(command)
        if log.queuedBytes > Self.queuedBytesMax { connection.pauseReading() }
    }

    private var hasRoom: Bool { log.queuedBytes <= Self.queuedBytesMax / 2 }

    private func resumeReadingIfRoom() {
        guard hasRoom else { return }
        for connection in connections.values { connection.resumeReading() }
    }

    /// The sender has read what waited for it.
    func answersTaken(_ connection: ProducerConnection) {
        if hasRoom { connection.resumeReading() }
    }

    // MARK: Administration

    func admin(_ request: AdminRequest, from connection: ProducerConnection) {
        let number = connection.number
        AdminVerb.perform(request, daemon: self) { [weak self] reply in self?.connections[number]?.reply(reply) }
    }

    func publish(project: String?, then: @escaping (Result<JSONValue, Refusal>) -> Void) {
        guard let compaction, drainDeadlineMillis == nil else { return then(.failure(Refusal(reason: "stopping"))) }
        if let project, !projects.contains(project) {
            return then(.failure(Refusal(reason: "there is no project \"\(project)\"")))
        }
        compaction.request(project: project, then: then)
    }

    /// On failure the tokens known before stay in force.
    func reloadTokens() throws {
        do { try tokens.reload() } catch {
            logger.error("tokens not reloaded, the old ones stay in force", ["reason": .string("\(error)")])
            throw error
        }
    }

    func createProject(_ name: String) throws {
        _ = try Project.create(name, dataFolder: config.data, key: secureRandom(16), disk: disk)
        projects.insert(name)
    }

    var status: JSONValue {
        [
            "connections": .integer(Int64(connections.count)), "ready": .bool(health.isReady.load(ordering: .relaxed)),
            "projects": .array(projects.sorted().map { .string($0) }),
            "last_record": .integer(Int64(logMetrics.lastRecord.value)),
            "events_durable": .integer(Int64(logMetrics.eventsDurable.value)),
            "segments": .integer(Int64(logMetrics.segments.value)),
            "compacting": .bool(compaction?.isRunning ?? false),
            "plan": [
                "mode": .string(tracking.plan.rawValue), "strict": .bool(tracking.isStrict),
                "tracking": .bool(tracking.isEnabled), "violations": logMetrics.planViolations.json,
            ],
        ]
    }
}

extension LedgerAnswer {
    var connection: UInt64 {
        switch self {
        case .opened(let connection, _), .acknowledged(let connection, _), .refused(let connection, _): connection
        }
    }
}
