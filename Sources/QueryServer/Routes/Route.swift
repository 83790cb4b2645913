import Access
import HTTPServer
import JSON

/// One way into queryd: a method and a path, who may go it, what it does, and what the OpenAPI document says of it.
/// HEAD goes every way that GET goes.
///
///     Route(.get, "/v1/dashboards/{id}", .project(.read), document) { call in
///         try api.dashboard(call.parameters["id"], call.project)
///     }
struct Route: Sendable {
    /// Answers, or throws a `Problem` or any error that `Problem(_:)` knows.
    typealias Handler = @Sendable (Call) throws -> HTTPResponse

    enum Method: String, Sendable, CaseIterable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case delete = "DELETE"
    }

    /// Who may call. The router has checked it before the handler runs.
    enum Admission: Sendable, Equatable {
        /// Anybody.
        case open
        /// Whoever has a token that may ask, in any project.
        case caller
        /// Whoever has this role in the project that the call names by `?project=`, or in their first one.
        case project(Role)
    }

    /// Where the handler runs.
    enum Place: Sendable {
        /// On a thread of the pool of questions: it may compute for long.
        case pool
        /// On one of a few other threads: it reads small files at most, and waits for no question.
        case brief
        /// At once, on the HTTP server's thread: it must not block.
        case immediate
    }

    let method: Method
    let path: PathPattern
    let admission: Admission
    let place: Place
    /// nil: the OpenAPI document does not name it.
    let document: RouteDocument?
    let handler: Handler

    /// - Parameter path: segments, of which `{name}` takes any one; see `PathPattern`.
    init(
        _ method: Method, _ path: PathPattern, _ admission: Admission, on place: Place = .pool,
        _ document: RouteDocument?, _ handler: @escaping Handler
    ) {
        self.method = method
        self.path = path
        self.admission = admission
        self.place = place
        self.document = document
        self.handler = handler
    }
}

/// What a handler gets: a request whose caller may make it.
struct Call: Sendable {
    let request: HTTPRequest
    /// What the path's `{name}`s stand for, percent-decoded. Every name of the pattern is there.
    let parameters: [String: String]
    /// `.anonymous` for a route that is open.
    let principal: Principal
    /// The project that the caller may see and asked for; empty for routes that are not of a project.
    let project: String
    /// When the request was there, in microseconds since 1970.
    let arrivedMicros: Int64
    /// `http://host:port` as the caller knows it, for links: `"\(call.origin)/#/…"`.
    let origin: HostRules.Origin
    /// Whether the client hung up; to be asked again and again.
    let isClientGone: @Sendable () -> Bool

    /// The body as JSON.
    /// - Throws: `Problem` 400 `invalid_json`, 415 `unsupported_encoding` for one that is compressed.
    func bodyAsJSON() throws -> JSONValue {
        if let encoding = request.headers["Content-Encoding"], encoding.lowercased() != "identity" {
            throw Problem(
                status: 415, code: "unsupported_encoding", message: "a body is taken as it is, not as \(encoding)",
                allowed: ["identity"], headers: [("Accept-Encoding", "identity")])
        }
        return try JSONValue(parsing: request.body)
    }
}
