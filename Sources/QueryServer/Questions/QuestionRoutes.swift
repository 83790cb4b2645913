import HTTPServer
import JSON
import Query
import Telemetry

/// Questions, and the projects that they can be about.
struct QuestionRoutes: Sendable {
    let answering: Answering
    let metrics: QueryMetrics

    var routes: [Route] {
        [
            Route(.post, "/v1/query", .project(.read), Self.questionDocument) { try ask($0) },
            Route(.delete, "/v1/queries/{query_id}", .caller, on: .immediate, Self.cancelDocument) { try cancel($0) },
            Route(.get, "/v1/projects", .caller, on: .brief, Self.projectsDocument) { try list($0) },
        ]
    }

    private func ask(_ call: Call) throws -> HTTPResponse {
        let startedMicros = Logger.systemClock()
        defer { metrics.seconds.observe(Double(Logger.systemClock() - startedMicros) / 1_000_000) }
        do {
            let context = QuestionContext(atMicros: call.arrivedMicros)
            let question = try Question(parsing: try call.bodyAsJSON(), context: context)
            let project =
                try question.project.map { name throws(Problem) in
                    try call.principal.project(named: name)
                } ?? call.project
            let (answer, isCached) = try answering.answer(question, try answering.snapshot(project), call)
            if isCached { metrics.cached.increment() }
            var json = answer.json.asObject ?? JSONObject()
            var meta = json["meta"]?.asObject ?? JSONObject()
            meta["cached"] = .bool(isCached)
            meta["elapsed_ms"] = .number(Double(Logger.systemClock() - startedMicros) / 1000)
            json["meta"] = .object(meta)
            return .json(JSONValue.object(json).encoded())
        } catch {
            metrics.failures.increment()
            throw error
        }
    }

    private func cancel(_ call: Call) throws -> HTTPResponse {
        let id = call.parameters["query_id"] ?? ""
        let name = RunningQuestions.Name(tokenHash: call.principal.tokenHash, queryID: id)
        guard answering.running.cancel(name) else {
            throw Problem(status: 404, code: "not_found", message: "no question \"\(id)\" of yours is running")
        }
        return HTTPResponse(status: 204, headers: HTTPHeaders(), body: [])
    }

    /// Those that the caller may see and that are there.
    private func list(_ call: Call) throws -> HTTPResponse {
        let names = try answering.projects.names().filter(call.principal.maySee)
        let json: JSONValue = ["projects": .array(names.map { .string($0) })]
        return .json(json.encoded())
    }
}

// What the OpenAPI document says.
extension QuestionRoutes {
    private static let questionDocument = RouteDocument(
        operation: "ask", summary: "Answer a question about the events of a project.",
        body: ["$ref": .string(OpenAPIDocument.questionReference)],
        responses: [
            .json(
                200, "The answer: its rows, and in meta what it was computed from.",
                [
                    "type": "object", "required": ["kind", "meta"],
                    "properties": ["kind": ["type": "string"], "meta": ["type": "object"]],
                ]),
            .refusal(404, "There is no such project."), .refusal(409, "Cancelled by its query_id."),
            .refusal(413, "Over the budget of memory, or the body is too large."),
            .refusal(504, "Not answered in time."),
        ])

    private static let cancelDocument = RouteDocument(
        operation: "cancelQuestion", summary: "Cancel a question of the caller's that is running.",
        responses: [.empty(204, "It was told to end."), .refusal(404, "No such question runs.")])

    private static let projectsDocument = RouteDocument(
        operation: "listProjects", summary: "The projects that the caller may see.",
        responses: [
            .json(
                200, "Their names.",
                [
                    "type": "object", "required": ["projects"],
                    "properties": ["projects": ["type": "array", "items": ["type": "string"]]],
                ])
        ])
}
