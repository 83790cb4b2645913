import HTTPServer
import JSON
import Metadata

/// Versions of documents as HTTP has them: `ETag: "3"`, `If-Match: "3"` (RFC 9110 §13.1).
extension HTTPRequest {
    /// What must be so for a PUT to happen; without `If-Match` the last write wins.
    func writeCondition() throws(Problem) -> WriteCondition {
        switch headers["If-Match"] {
        case nil, "*": return .exists
        case let given?:
            // A tag becomes weak where its answer was compressed; it is the version all the same.
            let value = given.hasPrefix("W/") ? given.dropFirst(2) : given[...]
            let text = value.hasPrefix("\"") && value.hasSuffix("\"") ? value.dropFirst().dropLast() : ""
            guard let version = Int64(text) else {
                throw .invalid("If-Match", "a version in quotes is expected", allowed: ["\"<version>\"", "*"])
            }
            return .hasVersion(version)
        }
    }

    /// The version that a DELETE wants to delete; nil: any.
    func expectedVersion() throws(Problem) -> Int64? {
        if case .hasVersion(let version) = try writeCondition() { version } else { nil }
    }
}

extension HTTPResponse {
    /// `{"<plural>": […]}`.
    static func list(_ plural: String, _ items: [JSONValue]) -> HTTPResponse {
        .json(JSONValue.object(JSONObject([.init(plural, .array(items))])).encoded())
    }

    func adding(_ name: String, _ value: String) -> HTTPResponse {
        var response = self
        response.headers.append(name, value)
        return response
    }

    static let noContent = HTTPResponse(status: 204, headers: HTTPHeaders(), body: [])
}
