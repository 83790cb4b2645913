import HTTPServer

/// The one table of routes: what is not in it is not there.
struct Router: Sendable {
    let routes: [Route]

    /// - Parameter routes: no method and path twice; a precondition.
    init(_ routes: [Route]) {
        let names = routes.map { "\($0.method) \($0.path.text)" }
        precondition(Set(names).count == names.count, "each method and path has one route")
        self.routes = routes
    }

    /// HEAD finds what GET finds.
    /// - Throws: 404 `not_found`, 405 `method_not_allowed` with the methods that the path has. O(routes).
    func find(_ request: HTTPRequest) throws(Problem) -> (route: Route, parameters: [String: String]) {
        let method = request.method == "HEAD" ? "GET" : request.method
        var methods: [String] = []
        for route in routes {
            guard let parameters = route.path.match(request.segments) else { continue }
            if route.method.rawValue == method { return (route, parameters) }
            methods.append(route.method.rawValue)
            if route.method == .get { methods.append("HEAD") }
        }
        throw methods.isEmpty ? .notFound(request.path) : .methodNotAllowed(allowed: methods)
    }
}
