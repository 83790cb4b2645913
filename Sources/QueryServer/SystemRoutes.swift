import HTTPServer
import Table
import Telemetry

/// What says how the daemon is.
struct SystemRoutes: Sendable {
    let projects: ProjectReaders
    let registry: MetricsRegistry

    var routes: [Route] {
        [
            Route(.get, "/healthz", .open, on: .immediate, Self.healthDocument) { _ in .text("ok\n") },
            Route(.get, "/readyz", .open, on: .brief, Self.readinessDocument) { _ in readiness() },
            Route(.get, "/metrics", .open, on: .brief, Self.metricsDocument) { [registry] _ in
                HTTPResponse(status: 200, contentType: MetricsRegistry.contentType, body: Array(registry.text().utf8))
            },
        ]
    }

    private func readiness() -> HTTPResponse {
        do {
            _ = try projects.names()
            return .text("ok\n")
        } catch {
            return .text("not ready: the data folder cannot be read\n", status: 503)
        }
    }

    private static let healthDocument = RouteDocument(
        operation: "getHealth", summary: "Whether the daemon lives.",
        responses: [.other(200, "It does.", contentType: "text/plain")])

    private static let readinessDocument = RouteDocument(
        operation: "getReadiness", summary: "Whether the daemon answers questions.",
        responses: [
            .other(200, "It does.", contentType: "text/plain"),
            .other(503, "It does not; the text says why.", contentType: "text/plain"),
        ])

    private static let metricsDocument = RouteDocument(
        operation: "getMetrics", summary: "Figures of the daemon in Prometheus' text format.",
        responses: [.other(200, "The figures.", contentType: "text/plain")])
}
