import Config
import HTTPServer
import JSON
import Table
import Telemetry

/// Questions, and the projects that they can be about.
struct QuestionRoutes: Sendable {
    let config: QueryConfig
    let projects: ProjectReaders
    let metrics: QueryMetrics

    var routes: [Route] {
        [
            Route(.post, "/v1/query", .project(.read), Self.questionDocument) { try ask($0) },
            Route(.get, "/v1/projects", .caller, on: .brief, Self.projectsDocument) { try list($0) },
        ]
    }

    private func ask(_ call: Call) throws -> HTTPResponse {
        let started = Logger.systemClock()
        defer { metrics.seconds.observe(Double(Logger.systemClock() - started) / 1_000_000) }
        do {
            let question = QuestionCall(
                config: config, projects: projects, arrivedMicros: call.arrivedMicros, isGone: call.isClientGone)
            let body = try question.body(call)
            return .json(try question.answer(body).encoded())
        } catch {
            metrics.failures.increment()
            throw error
        }
    }

    /// Those that the caller may see and that are there.
    private func list(_ call: Call) throws -> HTTPResponse {
        let names = try projects.names().filter(call.principal.maySee)
        let json: JSONValue = ["projects": .array(names.map { .string($0) })]
        return .json(json.encoded())
    }

    private static let questionDocument = RouteDocument(
        operation: "ask", summary: "Answer a question about the events of a project.",
        body: ["$ref": "/v1/query.schema.json"],
        responses: [
            .json(200, "The answer: its rows, and in meta what it was computed from.", ["type": "object"]),
            .refusal(400, "The question is not understood: path says where."),
            .refusal(404, "There is no such project."), .refusal(413, "Over the budget of memory."),
            .refusal(504, "Not answered in time."),
        ])

    private static let projectsDocument = RouteDocument(
        operation: "listProjects", summary: "The projects that the caller may see.",
        responses: [
            .json(200, "Their names.", [
                "type": "object", "required": ["projects"],
                "properties": ["projects": ["type": "array", "items": ["type": "string"]]],
            ])
        ])
}
