import HTTPServer
import Synchronization
import Telemetry

/// What the loop counts.
struct CollectorMetrics: Sendable {
    let accepted: Counter
    let connectionsRefused: Counter
    let connectionsFailed: Counter
    let connections: Gauge
    let batchBytes: Counter
    let batchesRejected: Counter
    let compactions: Counter
    let compactionsFailed: Counter
    let rowsPublished: Counter

    init(_ registry: MetricsRegistry) {
        accepted = registry.counter("tidemark_connections_accepted_total", help: "Connections accepted.")
        connectionsRefused = registry.counter(
            "tidemark_connections_refused_total", help: "Connections closed at once because there were too many.")
        connectionsFailed = registry.counter(
            "tidemark_connections_failed_total", help: "Connections ended for a fault of the sender.")
        connections = registry.gauge("tidemark_connections", help: "Open connections.")
        batchBytes = registry.counter("tidemark_batch_bytes_total", help: "Bytes of batches received.")
        batchesRejected = registry.counter(
            "tidemark_batches_rejected_total",
            help: "Batches that were refused whole: malformed, too big, or come while tracking is off.")
        compactions = registry.counter("tidemark_compactions_total", help: "Compactions that ended well.")
        compactionsFailed = registry.counter("tidemark_compactions_failed_total", help: "Compactions that did not.")
        rowsPublished = registry.counter("tidemark_rows_published_total", help: "Rows written to the tables.")
    }
}

/// Whether the daemon lives and takes events, for whoever asks over HTTP.
final class CollectorHealth: Sendable {
    let isReady = Atomic<Bool>(false)
    private let log: LogThread

    /// A commit that takes longer means that the disk hangs.
    private static let stuckMicrosMax: Int64 = 30_000_000

    init(_ log: LogThread) { self.log = log }

    static func handler(_ health: CollectorHealth, _ registry: MetricsRegistry) -> HTTPServer.Handler {
        { request, responder in
            switch request.path {
            case "/healthz": responder.respond(health.answer(log: health.log.stuckMicros < stuckMicrosMax))
            case "/readyz": responder.respond(health.answer(log: health.isReady.load(ordering: .relaxed)))
            case "/metrics":
                responder.respond(
                    HTTPResponse(
                        status: 200, contentType: MetricsRegistry.contentType, body: Array(registry.text().utf8)))
            default:
                responder.respond(
                    .text("not found: there are /healthz, /readyz and /metrics\n", status: 404))
            }
        }
    }

    private func answer(log isFine: Bool) -> HTTPResponse {
        isFine ? .text("ok\n") : .text("not ready\n", status: 503)
    }
}

extension HTTPLimits {
    /// For endpoints that only machines ask, now and then.
    static let observability = HTTPLimits(
        threadCount: 1, bodyBytesMax: 1 << 16, headerBytesMax: 1 << 14, connectionsMax: 64,
        connectionsPerAddressMax: nil, timeoutSeconds: 10)
}
