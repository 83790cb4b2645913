/// One request, whole.
package struct HTTPRequest: Sendable {
    /// As sent: methods are case-sensitive (RFC 9110 §9.1).
    package let method: String
    /// Percent-decoded once, without the query; starts with `/` unless the client sent another form of target.
    package let path: String
    /// What stands between the path's slashes, decoded: here an encoded slash is part of a name.
    package let segments: [String]
    /// Decoded names and values, in the order of the query string.
    package let query: [(name: String, value: String)]
    package let headers: HTTPHeaders
    package let body: [UInt8]
    /// The client's numeric address; empty when it is not known.
    package let peerAddress: String

    /// - Parameter segments: those of `path` by default.
    package init(
        method: String, path: String, segments: [String]? = nil, query: [(name: String, value: String)],
        headers: HTTPHeaders, body: [UInt8], peerAddress: String
    ) {
        self.method = method
        self.path = path
        self.segments =
            segments ?? path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
        self.query = query
        self.headers = headers
        self.body = body
        self.peerAddress = peerAddress
    }

    /// The first value with this name. Complexity: O(number of parameters).
    package func queryValue(_ name: String) -> String? { query.first { $0.name == name }?.value }
}

/// Header fields in the order of arrival; names do not depend on case (RFC 9110 §5.1).
package struct HTTPHeaders: Sendable {
    /// Names are in lower case.
    package private(set) var fields: [(name: String, value: String)] = []

    package init() {}

    package init(_ fields: [(name: String, value: String)]) {
        for field in fields { append(field.name, field.value) }
    }

    package mutating func append(_ name: String, _ value: String) {
        fields.append((name.lowercased(), value))
    }

    /// The first value of a field. Complexity: O(number of fields).
    package subscript(name: String) -> String? {
        let name = name.lowercased()
        return fields.first { $0.name == name }?.value
    }
}

/// One answer, whole or with a body that is still being written. Length, date and connection fields are the server's
/// affair.
package struct HTTPResponse: Sendable {
    /// 200 to 599.
    package let status: Int
    package var headers: HTTPHeaders
    /// Not sent for HEAD, 204 and 304.
    package let body: [UInt8]
    /// In place of `body`.
    package let stream: HTTPBodyStream?

    package init(status: Int, headers: HTTPHeaders, body: [UInt8], stream: HTTPBodyStream? = nil) {
        precondition(200...599 ~= status, "an answer is final: its status is 200 to 599")
        self.status = status
        self.headers = headers
        self.body = body
        self.stream = stream
    }

    package init(status: Int, contentType: String, body: [UInt8]) {
        self.init(status: status, headers: HTTPHeaders([("Content-Type", contentType)]), body: body)
    }

    /// - Parameter bytes: JSON, in UTF-8.
    package static func json(_ bytes: [UInt8], status: Int = 200) -> HTTPResponse {
        HTTPResponse(status: status, contentType: "application/json", body: bytes)
    }

    package static func text(_ text: String, status: Int = 200) -> HTTPResponse {
        HTTPResponse(status: status, contentType: "text/plain; charset=utf-8", body: Array(text.utf8))
    }
}
