import HTTPServer
import JSON

/// Events as they come.
struct LiveRoutes: Sendable {
    let feed: LiveFeed

    var routes: [Route] {
        [Route(.get, "/v1/live", .project(.read), Self.document) { try listen($0) }]
    }

    private func listen(_ call: Call) throws -> HTTPResponse {
        var filters: [JSONValue] = []
        for name in ["event_type", "user_id"] {
            let values = call.request.query.filter { $0.name == name }.map { JSONValue.string($0.value) }
            if !values.isEmpty { filters.append([name: .array(values)]) }
        }
        var after: Int64?
        if let text = call.request.headers["Last-Event-ID"], !text.isEmpty {
            guard let position = Int64(text) else { throw Problem.invalid("Last-Event-ID", "a position is expected") }
            after = position
        }
        let headers = HTTPHeaders([("Content-Type", "text/event-stream"), ("X-Accel-Buffering", "no")])
        // What only asks for the headers gets no body that somebody would have to write.
        guard call.request.method == "GET" else { return HTTPResponse(status: 200, headers: headers, body: []) }
        let stream = try feed.listen(call, filters: filters, after: after)
        return HTTPResponse(status: 200, headers: headers, body: [], stream: stream)
    }

    private static let document = RouteDocument(
        operation: "listen",
        summary: "Events as they come, as server-sent events: event, skipped (a count of those left out), pings.",
        parameters: [
            .init(
                name: "event_type", summary: "Only events of these types.",
                schema: ["type": "array", "items": ["type": "string"]]),
            .init(
                name: "user_id", summary: "Only events of these people.",
                schema: ["type": "array", "items": ["type": "string"]]),
        ],
        responses: [.other(200, "A stream without end.", contentType: "text/event-stream")])
}
