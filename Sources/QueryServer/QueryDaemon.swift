import Config
import Files
import Foundation
import HTTPServer
import JSON
import Synchronization
import Table
import Telemetry

/// queryd: reads tables and the log's tail, never writes them, and answers over HTTP.
package final class QueryDaemon: Sendable {
    private let config: QueryConfig
    private let logger: Logger
    private let projects: ProjectReaders
    private let pool: QuestionPool
    private let metrics: QueryMetrics
    private let registry: MetricsRegistry

    private let follower: Follower
    private let server = Mutex<HTTPServer?>(nil)

    package init(config: QueryConfig, logger: Logger) {
        self.config = config
        self.logger = logger
        registry = MetricsRegistry()
        metrics = QueryMetrics(registry)
        projects = ProjectReaders(dataFolder: config.data, tailMemoryBytes: config.tailMemoryBytes)
        pool = QuestionPool(threadCount: config.threads)
        follower = Follower(projects, logger)
    }

    /// Serves until `stop`.
    /// - Returns: the port, which the system chose if the configured one is 0.
    @discardableResult
    package func start() throws -> Int {
        guard Disk.posix.exists(config.data) else { throw Failure.noDataFolder(config.data) }
        let server = try HTTPServer(
            host: config.listen.host, port: Int(config.listen.port), limits: .questions,
            handler: { [self] request, responder in handle(request, responder) })
        self.server.withLock { $0 = server }
        follower.start()
        logger.info("ready", [
            "listen": .string("\(config.listen.host):\(server.boundPort)"), "data": .string(config.data),
            "threads": .integer(Int64(config.threads)),
        ])
        return server.boundPort
    }

    /// Ends what runs; questions that wait get 503.
    package func stop() {
        logger.info("stopping")
        follower.stop()
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

    // MARK: Routes

    private func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        metrics.requests.increment()
        switch (request.method, request.path) {
        case ("POST", "/v1/query"):
            ask(request, responder)
        case (_, "/v1/query"):
            responder.respond(.problem(.methodNotAllowed(allowed: ["POST"])))
        case ("GET", "/v1/projects"), ("HEAD", "/v1/projects"):
            do { responder.respond(.json(try projects.list().encoded())) } catch {
                responder.respond(.problem(.unavailable("\(error)")))
            }
        case ("GET", "/healthz"), ("HEAD", "/healthz"): responder.respond(.text("ok\n"))
        case ("GET", "/readyz"), ("HEAD", "/readyz"): ready(responder)
        case ("GET", "/metrics"), ("HEAD", "/metrics"):
            responder.respond(
                HTTPResponse(status: 200, contentType: MetricsRegistry.contentType, body: Array(registry.text().utf8)))
        default:
            responder.respond(.problem(.notFound(request.path)))
        }
    }

    private func ready(_ responder: HTTPResponder) {
        do {
            _ = try projects.list()
            responder.respond(.text("ok\n"))
        } catch {
            responder.respond(.text("not ready: \(error)\n", status: 503))
        }
    }

    private func ask(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let call = QuestionCall(
            config: config, projects: projects, arrivedMicros: Logger.systemClock(),
            isGone: { responder.isClientGone })
        let taken = pool.submit { [metrics, logger] in
            let started = Logger.systemClock()
            let response: HTTPResponse
            switch call.answer(request.body) {
            case .success(let json):
                response = .json(json.encoded())
            case .failure(let problem):
                if problem.status >= 500 {
                    logger.error("question failed", ["reason": .string(problem.message)])
                }
                metrics.failures.increment()
                response = .problem(problem)
            }
            metrics.seconds.observe(Double(Logger.systemClock() - started) / 1_000_000)
            responder.respond(response)
        }
        if !taken { responder.respond(.problem(.overloaded(QuestionPool.waitingMax))) }
    }
}

struct QueryMetrics: Sendable {
    let requests: Counter
    let failures: Counter
    let seconds: Histogram

    init(_ registry: MetricsRegistry) {
        requests = registry.counter("tidemark_http_requests_total", help: "HTTP requests received.")
        failures = registry.counter("tidemark_questions_failed_total", help: "Questions answered with an error.")
        seconds = registry.histogram(
            "tidemark_question_seconds", help: "Time to answer a question, without waiting for a thread.",
            bounds: Histogram.secondsBounds)
    }
}

extension HTTPLimits {
    static let questions = HTTPLimits(
        threadCount: 2, bodyBytesMax: 1 << 20, headerBytesMax: 1 << 15, connectionsMax: 1024,
        connectionsPerAddressMax: nil, timeoutSeconds: 120)
}
