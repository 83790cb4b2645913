import Access
import Files
import HTTPServer
import JSON
import Table
import Zones

/// Logging in and out, and who one is.
struct LoginRoutes: Sendable {
    let credentials: Credentials
    let links: LoginLinks
    let dataFolder: String

    var routes: [Route] {
        [
            Route(.post, "/v1/login-links", .caller, on: .immediate, Self.linkDocument) { try link($0) },
            Route(.post, "/v1/sessions", .open, on: .brief, Self.beginDocument) { try begin($0) },
            Route(.delete, "/v1/sessions", .caller, on: .brief, Self.endDocument) { end($0) },
            Route(.get, "/v1/me", .caller, on: .brief, Self.callerDocument) { try caller($0) },
        ]
    }

    private func link(_ call: Call) throws -> HTTPResponse {
        let (code, expiresMicros) = links.make(tokenHash: call.principal.tokenHash, nowMicros: call.arrivedMicros)
        let json: JSONValue = [
            "url": .string("\(call.origin)/#/login/\(code)"),
            "expires_at": .string(ISO8601.format(micros: expiresMicros)),
        ]
        return .json(json.encoded(), status: 201)
    }

    private func begin(_ call: Call) throws -> HTTPResponse {
        let body = try call.bodyAsJSON()
        let token: TokenFile.Token?
        guard body.asObject?.members.count == 1 else { throw Self.neitherNor }
        switch (body["code"]?.asString, body["token"]?.asString) {
        case (let code?, nil):
            token = links.redeem(code, nowMicros: call.arrivedMicros).flatMap(credentials.tokens.token(sha256:))
            guard token != nil else {
                throw Problem.unauthorized("the link was used, is older than ten minutes, or is another server's")
            }
        case (nil, let text?):
            token = credentials.tokens.token(text)
        default:
            throw Self.neitherNor
        }
        guard let token else { throw Problem.unauthorized("the token is not known") }
        guard token.role.includes(.read) else { throw Problem.forbidden("this token sends events and asks nothing") }
        let value = credentials.sessions.begin(tokenHash: token.sha256, nowMicros: call.arrivedMicros)
        return Self.answer(call, cookie: value, maxAgeSeconds: SessionStore.lifeSeconds)
    }

    private static let neitherNor = Problem.invalid(
        "", "an object with either code or token is expected", allowed: ["code", "token"])

    private func end(_ call: Call) -> HTTPResponse {
        if let cookie = SessionCookie(call.origin).value(in: call.request) { credentials.sessions.end(cookie) }
        return Self.answer(call, cookie: "", maxAgeSeconds: 0)
    }

    private static func answer(_ call: Call, cookie: String, maxAgeSeconds: Int) -> HTTPResponse {
        let header = SessionCookie(call.origin).header(cookie, maxAgeSeconds: maxAgeSeconds)
        return HTTPResponse(status: 204, headers: HTTPHeaders([("Set-Cookie", header)]), body: [])
    }

    private func caller(_ call: Call) throws -> HTTPResponse {
        let projects: [String] =
            switch call.principal.scope {
            case .all: try Project.list(dataFolder: dataFolder, disk: .posix).map(\.name)
            case .only(let names): names
            }
        let json: JSONValue = [
            "name": .string(call.principal.name), "role": .string(call.principal.role?.rawValue ?? ""),
            "projects": .array(projects.map { .string($0) }), "server": ["version": .string(ServerVersion.text)],
        ]
        return .json(json.encoded())
    }
}

// What the OpenAPI document says.
extension LoginRoutes {
    private static let linkDocument = RouteDocument(
        operation: "createLoginLink", summary: "Make a link that logs a browser in: once, within ten minutes.",
        responses: [
            .json(
                201, "The link.",
                [
                    "type": "object", "required": ["url", "expires_at"],
                    "properties": [
                        "url": ["type": "string"], "expires_at": ["type": "string", "format": "date-time"],
                    ],
                ])
        ])

    private static let beginDocument = RouteDocument(
        operation: "createSession", summary: "Log in by the code of a link or by a token: a cookie for 30 days.",
        body: [
            "type": "object",
            "oneOf": [
                ["required": ["code"], "properties": ["code": ["type": "string"]]],
                ["required": ["token"], "properties": ["token": ["type": "string"]]],
            ],
        ],
        responses: [
            .empty(204, "Logged in: the header Set-Cookie carries the session."),
            .refusal(401, "Code or token are not known."), .refusal(403, "The token may not ask."),
        ])

    private static let endDocument = RouteDocument(
        operation: "deleteSession", summary: "Log out.", responses: [.empty(204, "Logged out.")])

    private static let callerDocument = RouteDocument(
        operation: "getCaller", summary: "Who calls, and what they may do.",
        responses: [
            .json(
                200, "The caller.",
                [
                    "type": "object", "required": ["name", "role", "projects", "server"],
                    "properties": [
                        "name": ["type": "string"], "role": ["enum": ["read", "write", "admin"]],
                        "projects": ["type": "array", "items": ["type": "string"]],
                        "server": [
                            "type": "object", "required": ["version"], "properties": ["version": ["type": "string"]],
                        ],
                    ],
                ])
        ])
}

/// What this server calls itself.
enum ServerVersion {
    static let text = "0.1.0"
}
