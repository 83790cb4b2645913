import Bytes
import Crypto
import HTTPServer
import JSON

/// The API's description of itself.
struct DocumentRoutes: Sendable {
    /// Those that were there before, and these.
    let routes: [Route]

    /// - Throws: `JSONError` if the grammar of questions that was built in is no JSON.
    init(_ others: [Route]) throws {
        let schema = PackageResources.query_schema_json
        let document = OpenAPIDocument(questionSchema: try JSONValue(parsing: schema))
        let own = { (description: [UInt8]) -> [Route] in
            [
                Self.route("/openapi.json", Self.descriptionDocument, description, "application/json"),
                Self.route("/v1/query.schema.json", Self.schemaDocument, schema, "application/schema+json"),
            ]
        }
        routes = others + own(document.json(others + own([])).encoded())
    }

    private static func route(
        _ path: PathPattern, _ document: RouteDocument, _ body: [UInt8], _ contentType: String
    ) -> Route {
        let etag = "\"" + Hex.encode(Array(SHA256.hash(body).prefix(16))) + "\""
        return Route(.get, path, .open, on: .brief, document) { call in
            HTTPResponse.tagged(etag, for: call.request) {
                HTTPResponse(status: 200, contentType: contentType, body: body)
            }
        }
    }

    private static let descriptionDocument = RouteDocument(
        operation: "getDescription", summary: "This description of the API.",
        responses: [
            .json(200, "OpenAPI 3.1.", ["type": "object"]), .empty(304, "As the caller has it."),
        ])

    private static let schemaDocument = RouteDocument(
        operation: "getQuestionSchema", summary: "The grammar of questions.",
        responses: [
            RouteDocument.Response(
                status: 200, summary: "JSON Schema.", schema: ["type": "object"],
                contentType: "application/schema+json"),
            .empty(304, "As the caller has it."),
        ])
}
