import HTTPServer
import JSON
import Metadata
import Query
import Table
import WAL

/// An answer that is no answer: the one map from errors to HTTP.
struct Problem: Error {
    let status: Int
    let code: String
    let message: String
    var path: String?
    var allowed: [String] = []
    var headers: [(String, String)] = []

    static func notFound(_ path: String) -> Problem {
        Problem(status: 404, code: "not_found", message: "there is nothing at \(path)")
    }

    static func methodNotAllowed(allowed methods: [String]) -> Problem {
        let list = methods.joined(separator: ", ")
        return Problem(
            status: 405, code: "method_not_allowed", message: "only \(list) is allowed here", allowed: methods,
            headers: [("Allow", list)])
    }

    /// Nobody knows who calls.
    static func unauthorized(_ reason: String) -> Problem {
        Problem(
            status: 401, code: "unauthorized", message: reason, headers: [("WWW-Authenticate", "Bearer")])
    }

    /// We know who calls, and they may not.
    static func forbidden(_ reason: String) -> Problem {
        Problem(status: 403, code: "forbidden", message: reason)
    }

    /// A parameter or member of the call is wrong.
    static func invalid(_ path: String, _ reason: String, allowed: [String] = []) -> Problem {
        Problem(status: 400, code: "invalid_request", message: reason, path: path, allowed: allowed)
    }

    /// Others were faster.
    static func overloaded(_ reason: String) -> Problem {
        Problem(status: 503, code: "overloaded", message: reason, headers: [("Retry-After", "1")])
    }

    static let cancelled = Problem(status: 409, code: "cancelled", message: "the question was cancelled")

    /// Nobody reads it: for the metrics, and no error of ours.
    static let clientGone = Problem(status: 499, code: "client_gone", message: "the client hung up")

    static func timeout(_ limit: Duration) -> Problem {
        Problem(status: 504, code: "timeout", message: "gave up after \(limit)")
    }

    static func unavailable(_ reason: String) -> Problem {
        Problem(status: 503, code: "unavailable", message: reason)
    }

    init(
        status: Int, code: String, message: String, path: String? = nil, allowed: [String] = [],
        headers: [(String, String)] = []
    ) {
        self.status = status
        self.code = code
        self.message = message
        self.path = path
        self.allowed = allowed
        self.headers = headers
    }

    init(_ error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let error as QueryError: self.init(error)
        case let error as MetadataError: self.init(error)
        case let error as JSONError:
            self.init(status: 400, code: "invalid_json", message: "the body is not JSON: \(error)")
        case WALError.unstable:
            self.init(
                status: 503, code: "unavailable",
                message: "the log cannot be read now; the collector may be recovering",
                headers: [("Retry-After", "1")])
        case TableError.projectUnknown(let name):
            self.init(status: 404, code: "project_unknown", message: "there is no project \"\(name)\"", path: "project")
        case TableError.projectNameInvalid(let name):
            self.init(
                status: 400, code: "invalid_query", message: "\(TableError.projectNameInvalid(name))", path: "project")
        default:
            // What broke, and where on this machine, is for the log.
            self.init(status: 500, code: "internal", message: "a fault of the server: its log says which")
        }
    }

    var json: JSONValue {
        var members: [JSONObject.Member] = [.init("code", .string(code)), .init("message", .string(message))]
        if let path { members.append(.init("path", .string(path))) }
        if !allowed.isEmpty { members.append(.init("allowed", .array(allowed.map { .string($0) }))) }
        return ["error": .object(JSONObject(members))]
    }
}

extension HTTPResponse {
    static func problem(_ problem: Problem) -> HTTPResponse {
        var response = HTTPResponse.json(problem.json.encoded(), status: problem.status)
        for (name, value) in problem.headers { response.headers.append(name, value) }
        return response
    }
}
