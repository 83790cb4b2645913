import JSON

/// What the OpenAPI document says of a route. Path parameters, `project`, and the refusals that the router gives
/// (400, 401, 403, 404 of a path parameter, 405, 413, 503) need not be named.
struct RouteDocument: Sendable {
    /// A query parameter.
    struct Parameter: Sendable {
        let name: String
        let summary: String
        /// JSON Schema.
        let schema: JSONValue
        var isRequired = false
    }

    struct Response: Sendable {
        let status: Int
        let summary: String
        /// JSON Schema of a JSON body; nil: `contentType` has no schema, or there is no body.
        var schema: JSONValue?
        var contentType: String?

        /// A JSON body.
        static func json(_ status: Int, _ summary: String, _ schema: JSONValue) -> Response {
            Response(status: status, summary: summary, schema: schema, contentType: "application/json")
        }

        static func empty(_ status: Int, _ summary: String) -> Response { Response(status: status, summary: summary) }

        static func other(_ status: Int, _ summary: String, contentType: String) -> Response {
            Response(status: status, summary: summary, contentType: contentType)
        }

        /// An answer of the form `{"error": …}`.
        static func refusal(_ status: Int, _ summary: String) -> Response {
            .json(status, summary, ["$ref": "#/components/schemas/Error"])
        }
    }

    /// Unique: `listDashboards`.
    let operation: String
    let summary: String
    var parameters: [Parameter] = []
    /// JSON Schema of the JSON body; nil: there is none.
    var body: JSONValue?
    let responses: [Response]
}
