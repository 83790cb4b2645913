import JSON

/// The description of the API that programs read: OpenAPI 3.1, made from the table of routes.
struct OpenAPIDocument {
    /// What routes write for the grammar of questions.
    static let questionReference = "/v1/query.schema.json"
    private static let questionName = "Question"

    private let questionSchema: JSONValue

    /// - Parameter questionSchema: the grammar of questions, a JSON Schema with `$defs`.
    init(questionSchema: JSONValue) { self.questionSchema = questionSchema }

    /// - Parameter routes: those with a document are described.
    func json(_ routes: [Route]) -> JSONValue {
        var paths = JSONObject()
        for route in routes {
            guard let document = route.document else { continue }
            var path = paths[route.path.text]?.asObject ?? JSONObject()
            path[route.method.rawValue.lowercased()] = operation(route, document)
            paths[route.path.text] = .object(path)
        }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "Tidemark", "version": .string(ServerVersion.text),
                "description": "Questions about product events, dashboards, and what they are made from.",
            ],
            "servers": [["url": "/"]], "paths": .object(paths),
            "components": [
                "schemas": .object(JSONObject([.init("Error", Self.errorSchema)] + questionSchemas)),
                "securitySchemes": [
                    "token": ["type": "http", "scheme": "bearer"],
                    "session": ["type": "apiKey", "in": "cookie", "name": "tidemark_session_7312"],
                ],
            ],
        ]
    }

    private func operation(_ route: Route, _ document: RouteDocument) -> JSONValue {
        var operation = JSONObject([
            .init("operationId", .string(document.operation)), .init("summary", .string(document.summary)),
        ])
        let parameters = parameters(route, document)
        if !parameters.isEmpty { operation["parameters"] = .array(parameters) }
        if let body = document.body {
            operation["requestBody"] = [
                "required": true, "content": ["application/json": ["schema": Self.closed(pointed(body))]],
            ]
        }
        operation["responses"] = responses(route, document)
        operation["security"] = route.admission == .open ? [] : [["token": []], ["session": []]]
        return .object(operation)
    }

    private func parameters(_ route: Route, _ document: RouteDocument) -> [JSONValue] {
        var parameters = route.path.parameterNames.map { name -> JSONValue in
            [
                "name": .string(name), "in": "path", "required": true,
                "schema": ["type": "string", "minLength": 1],
            ]
        }
        if case .project = route.admission {
            parameters.append([
                "name": "project", "in": "query", "schema": ["type": "string"],
                "description": "Which project; by default \"default\" or the caller's first.",
            ])
        }
        return parameters
            + document.parameters.map { parameter in
                [
                    "name": .string(parameter.name), "in": "query", "required": .bool(parameter.isRequired),
                    "description": .string(parameter.summary), "schema": pointed(parameter.schema),
                ]
            }
    }

    private func responses(_ route: Route, _ document: RouteDocument) -> JSONValue {
        let own = Set(document.responses.map(\.status))
        let all = document.responses + Self.refusals(route, document).filter { !own.contains($0.status) }
        return .object(
            JSONObject(
                all.sorted { $0.status < $1.status }.map { response in
                    var json = JSONObject([.init("description", .string(response.summary))])
                    if let type = response.contentType {
                        let content = response.schema.map {
                            JSONValue.object(JSONObject([.init("schema", pointed($0))]))
                        }
                        json["content"] = .object(JSONObject([.init(type, content ?? [:])]))
                    }
                    return .init("\(response.status)", .object(json))
                }))
    }

    /// What the server answers before, or instead of, a route's handler.
    private static func refusals(_ route: Route, _ document: RouteDocument) -> [RouteDocument.Response] {
        var refusals: [RouteDocument.Response] = [
            .refusal(400, "The request is not understood."),
            .refusal(403, "Host, origin, role or project are not allowed."), .refusal(500, "A fault of the server."),
            .refusal(503, "Too much is asked at once, or the data cannot be read now."),
        ]
        if route.admission != .open { refusals.append(.refusal(401, "No token, or one that is not known.")) }
        if case .project = route.admission { refusals.append(.refusal(404, "There is no such project.")) }
        if !route.path.parameterNames.isEmpty { refusals.append(.refusal(404, "There is no such thing.")) }
        if document.body != nil {
            refusals += [.refusal(413, "The body is too large."), .refusal(415, "The body is compressed.")]
        }
        var seen = Set<Int>()
        return refusals.filter { seen.insert($0.status).inserted }
    }

    // MARK: Schemas

    private static let errorSchema: JSONValue = [
        "type": "object", "required": ["error"],
        "properties": [
            "error": [
                "type": "object", "required": ["code", "message"],
                "properties": [
                    "code": ["type": "string"], "message": ["type": "string"],
                    "path": ["type": "string", "description": "Where in the request."],
                    "allowed": [
                        "type": "array", "items": ["type": "string"], "description": "What is allowed there.",
                    ],
                ],
            ]
        ],
    ]

    /// The grammar of questions and its parts, each under a name of its own, since tools resolve `#/components` best.
    private var questionSchemas: [JSONObject.Member] {
        let whole = questionSchema.asObject?.members.filter { !["$schema", "$id", "$defs"].contains($0.name) } ?? []
        let parts = questionSchema["$defs"]?.asObject?.members ?? []
        return [.init(Self.questionName, pointed(.object(JSONObject(whole))))]
            + parts.map { .init(Self.questionName + "." + $0.name, pointed($0.value)) }
    }

    /// The same schema, with its references pointing into the document.
    private func pointed(_ schema: JSONValue) -> JSONValue {
        switch schema {
        case .object(let object):
            .object(
                JSONObject(
                    object.members.map { member in
                        guard member.name == "$ref", let target = member.value.asString else {
                            return .init(member.name, pointed(member.value))
                        }
                        return .init("$ref", .string(Self.pointed(target)))
                    }))
        case .array(let elements): .array(elements.map(pointed))
        case .null, .bool, .integer, .number, .string: schema
        }
    }

    /// The same schema of what is sent to us: members that are not named are refused.
    private static func closed(_ schema: JSONValue) -> JSONValue {
        switch schema {
        case .object(let object):
            var closed = JSONObject(object.members.map { .init($0.name, Self.closed($0.value)) })
            let describesObjects = object["type"]?.asString == "object" || object["required"]?.asArray != nil
            if describesObjects, object["properties"]?.asObject != nil, object["additionalProperties"] == nil {
                closed["additionalProperties"] = false
            }
            return .object(closed)
        case .array(let elements): return .array(elements.map(closed))
        case .null, .bool, .integer, .number, .string: return schema
        }
    }

    private static func pointed(_ target: String) -> String {
        let part = "#/$defs/"
        if target == questionReference { return "#/components/schemas/" + questionName }
        if target.hasPrefix(part) {
            return "#/components/schemas/\(questionName)." + target.dropFirst(part.count)
        }
        return target
    }
}
