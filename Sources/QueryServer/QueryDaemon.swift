import Access
import Config
import Files
import Foundation
import HTTPServer
import Metadata
import Query
import Synchronization
import Table
import Telemetry

/// queryd: reads tables and the log's tail, never writes them, and answers over HTTP.
package final class QueryDaemon: Sendable {
    private let config: QueryConfig
    private let logger: Logger
    private let projects: ProjectReaders
    private let answering: Answering
    private let metrics: QueryMetrics
    private let registry: MetricsRegistry
    let credentials: Credentials
    private let pool: QuestionPool
    private let briefPool = QuestionPool(threadCount: 4)
    private let assets: PageAssets
    private let dashboards: DashboardSettings
    /// What people make; others may keep documents in it too.
    let metadata: MetadataStore

    private let live: LiveFeed
    private let tokenWatch: TokenWatch
    private let periodics: [Periodic]
    private let server = Mutex<HTTPServer?>(nil)

    /// - Throws: what reading the page's files throws.
    package init(config: QueryConfig, dashboards: DashboardSettings, logger: Logger) throws {
        self.config = config
        self.dashboards = dashboards
        metadata = MetadataStore(dashboards.place, logger: logger)
        self.logger = logger
        registry = MetricsRegistry()
        metrics = QueryMetrics(registry)
        projects = ProjectReaders(dataFolder: config.data, tailMemoryBytes: config.tailMemoryBytes)
        answering = Answering(
            config: config, projects: projects,
            // The catalog's answers have the last quarter.
            cache: AnswerCache(capacityBytes: config.cacheMemoryBytes / 4 * 3) { $0.memoryBytes })
        pool = QuestionPool(threadCount: config.threads)
        let sessions = SessionStore(store: metadata)
        credentials = Credentials(tokens: TokenStore(path: config.tokenFile, disk: .posix), sessions: sessions)
        assets = try PageAssets(folder: ResourceFolder.page, chartFile: PageAssets.chartFile, disk: .posix)
        let tokenWatch = TokenWatch(credentials.tokens, logger)
        let follower = Follower(projects: projects, logger: logger)
        let live = LiveFeed(projects: projects, tokens: credentials.tokens, logger: logger)
        self.live = live
        self.tokenWatch = tokenWatch
        periodics = [
            Periodic("follower", everySeconds: Follower.periodSeconds) { follower.follow() },
            Periodic("live", everySeconds: LiveFeed.periodSeconds) { live.tick(nowMicros: Logger.systemClock()) },
            Periodic("tokens", everySeconds: TokenWatch.periodSeconds) { tokenWatch.look() },
            // A thread of its own: a database that stands still holds up whoever waits for it, and a revoked token must
            // not wait. It also has the log say at the start that the database is away.
            Periodic("sessions", everySeconds: SessionStore.loadSeconds) {
                sessions.load(nowMicros: Logger.systemClock())
            },
        ]
    }

    /// Serves until `stop`.
    /// - Returns: the port, which the system chose if the configured one is 0.
    @discardableResult
    package func start() throws -> Int {
        guard Disk.posix.exists(config.data) else { throw Failure.noDataFolder(config.data) }
        for warning in assets.warnings { logger.warning("not served", ["reason": .string(warning)]) }
        tokenWatch.look()
        let socket = try HTTPListener(host: config.listen.host, port: Int(config.listen.port))
        let rules = HostRules(
            scheme: config.tls == nil ? .http : .https, listenHost: config.listen.host, port: UInt16(socket.boundPort),
            hosts: config.hosts)
        let door = FrontDoor(
            router: Router(try DocumentRoutes(routes).routes), rules: rules, credentials: credentials, pool: pool,
            briefPool: briefPool, metrics: metrics, logger: logger)
        let identity = try identity
        // Before the first request, which may bring a session of an earlier run.
        for periodic in periodics { periodic.start() }
        let server: HTTPServer
        do {
            server = try HTTPServer(
                socket, identity: identity, limits: .questions,
                handler: { request, responder in door.handle(request, responder) })
        } catch {
            for periodic in periodics { periodic.stop() }
            throw error
        }
        self.server.withLock { $0 = server }
        logger.info(
            "ready",
            [
                "listen": .string("\(config.listen.host):\(server.boundPort)"), "data": .string(config.data),
                "threads": .integer(Int64(config.threads)), "tls": .bool(config.tls != nil),
            ])
        return server.boundPort
    }

    /// Ends what runs; questions that wait get 503.
    package func stop() {
        logger.info("stopping")
        for periodic in periodics { periodic.stop() }
        server.withLock { server in
            server?.stop()
            server = nil
        }
        logger.info("stopped")
    }

    enum Failure: Error, CustomStringConvertible {
        case noDataFolder(String)
        var description: String {
            switch self {
            case .noDataFolder(let path): "\(path): there is no such data folder; start collectord first"
            }
        }
    }

    private var identity: TLSIdentity? {
        get throws {
            try config.tls.map { files in
                TLSIdentity(
                    certificatePEM: try Disk.posix.contents(files.certificate, limit: 1 << 20),
                    keyPEM: try Disk.posix.contents(files.key, limit: 1 << 20))
            }
        }
    }

    private var dashboardRoutes: DashboardRoutes {
        let clock = Logger.systemClock
        let api = DashboardsAPI(
            provisioned: dashboards.provisioned, store: metadata, clock: clock,
            snapshot: { [answering] in try answering.snapshot($0) },
            ask: { [answering, logger] question, snapshot, call in
                do { return try answering.answer(question, snapshot, call).answer } catch {
                    // The widget tells it in place of its data, but not what broke: that is told here.
                    if Problem(error).code == "internal" {
                        logger.error("widget failed", ["reason": .string("\(error)")])
                    }
                    throw error
                }
            })
        return DashboardRoutes(
            dashboards: api,
            questions: SavedQuestions(store: metadata, context: { QuestionContext(atMicros: clock()) }),
            descriptions: Descriptions(store: metadata))
    }

    /// Every way into this daemon.
    private var routes: [Route] {
        SystemRoutes(projects: projects, registry: registry).routes
            + QuestionRoutes(answering: answering, metrics: metrics).routes
            + CatalogRoutes(
                answering: answering, descriptions: Descriptions(store: metadata),
                cache: AnswerCache(capacityBytes: config.cacheMemoryBytes / 4) { $0.memoryBytes }
            ).routes
            + StatusRoutes(projects: projects, dataFolder: config.data).routes
            + LiveRoutes(feed: live).routes
            + LoginRoutes(credentials: credentials, links: LoginLinks(), dataFolder: config.data).routes
            + dashboardRoutes.routes
            + assets.routes
    }
}

struct QueryMetrics: Sendable {
    let requests: Counter
    let failures: Counter
    let cached: Counter
    let seconds: Histogram

    init(_ registry: MetricsRegistry) {
        requests = registry.counter("tidemark_http_requests_total", help: "HTTP requests received.")
        failures = registry.counter("tidemark_questions_failed_total", help: "Questions answered with an error.")
        cached = registry.counter("tidemark_questions_cached_total", help: "Questions answered from memory.")
        seconds = registry.histogram(
            "tidemark_question_seconds", help: "Time to answer a question, without waiting for a thread.",
            bounds: Histogram.secondsBounds)
    }
}

extension HTTPLimits {
    /// Silence ends a connection soon, also because libmicrohttpd 0.9.75 may miss the end of one whose last bytes came
    /// with it: until then it keeps its place.
    static let questions = HTTPLimits(
        threadCount: 2, bodyBytesMax: 1 << 20, headerBytesMax: 1 << 15, connectionsMax: 1024,
        connectionsPerAddressMax: nil, timeoutSeconds: 30)
}
