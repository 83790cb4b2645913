import Access
import Files
import HTTPServer
import Metadata
import Table
import Telemetry

/// What every request passes: host and origin, the route, the caller, the project; then the route's handler, on the
/// threads that it wants.
struct FrontDoor: Sendable {
    let router: Router
    let rules: HostRules
    let credentials: Credentials
    /// For handlers that compute.
    let pool: QuestionPool
    /// For handlers that only look something up.
    let briefPool: QuestionPool
    let metrics: QueryMetrics
    let logger: Logger

    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        metrics.requests.increment()
        let arrivedMicros = Logger.systemClock()
        do throws(Problem) {
            let (route, call) = try admit(request, arrivedMicros) { responder.isClientGone }
            let run: @Sendable () -> Void = { responder.respond(answer(route, call)) }
            switch route.place {
            case .immediate: run()
            case .pool: try submit(run, to: pool)
            case .brief: try submit(run, to: briefPool)
            }
        } catch {
            responder.respond(finished(.problem(error), request))
        }
    }

    private func submit(_ run: @escaping @Sendable () -> Void, to pool: QuestionPool) throws(Problem) {
        guard pool.submit(run) else { throw .overloaded("\(QuestionPool.waitingMax) questions wait already") }
    }

    /// - Throws: why the request may not be made.
    func admit(
        _ request: HTTPRequest, _ arrivedMicros: Int64, isClientGone: @escaping @Sendable () -> Bool
    ) throws(Problem) -> (Route, Call) {
        let origin = try rules.check(host: request.headers["Host"], origin: request.headers["Origin"])
        let (route, parameters) = try router.find(request)
        var principal = Principal.anonymous
        var project = ""
        if route.admission != .open {
            principal = try credentials.principal(of: request, at: origin, nowMicros: arrivedMicros)
            guard principal.mayDo(.read) else { throw .forbidden("this token sends events and asks nothing") }
        }
        if case .project(let role) = route.admission {
            guard principal.mayDo(role) else { throw .forbidden("this needs a token of the role \(role.rawValue)") }
            project = try principal.project(named: request.queryValue("project"))
        }
        let call = Call(
            request: request, parameters: parameters, principal: principal, project: project,
            arrivedMicros: arrivedMicros, origin: origin, isClientGone: isClientGone)
        return (route, call)
    }

    private func answer(_ route: Route, _ call: Call) -> HTTPResponse {
        do { return finished(try route.handler(call), call.request) } catch {
            let problem = Problem(error)
            // A store that is away says so itself, once. What is a problem from the start, such as too little time or
            // room, is no fault: a caller could fill the log with it.
            let isToldAlready = (error as? MetadataError)?.isOfTheStore ?? false
            if problem.status >= 500, !(error is Problem), !isToldAlready {
                let path = route.path.text
                logger.error("request failed", ["path": .string(path), "reason": .string("\(error)")])
            }
            return finished(.problem(problem), call.request)
        }
    }

    /// Adds what every answer has, and compresses it if the client takes that.
    private func finished(_ response: HTTPResponse, _ request: HTTPRequest) -> HTTPResponse {
        var response = response.compressed(for: request)
        for (name, value) in Self.headers where response.headers[name] == nil { response.headers.append(name, value) }
        return response
    }

    /// No page of strangers shows ours in a frame, reads our answers or learns where our links are; ours runs only what
    /// we serve.
    private static let headers = [
        ("Cache-Control", "no-store"),
        (
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
                + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
        ("Cross-Origin-Opener-Policy", "same-origin"), ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Referrer-Policy", "no-referrer"), ("X-Frame-Options", "DENY"),
    ]
}

extension Principal {
    /// The project that a call is about.
    /// - Parameter name: as the call names it; nil: the default one if the caller may see it, else their first.
    /// - Throws: 403 `forbidden`; 400 for a name that no project can have.
    func project(named name: String?) throws(Problem) -> String {
        guard let name else {
            switch scope {
            case .all: return Project.defaultName
            case .only(let names): return maySee(Project.defaultName) ? Project.defaultName : names.first ?? ""
            }
        }
        guard maySee(name) else { throw .forbidden("this token is not for the project \"\(name)\"") }
        guard Project.isValid(name) else { throw Problem(TableError.projectNameInvalid(name)) }
        return name
    }
}
