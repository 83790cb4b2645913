import Gzip
import HTTPServer

// What RFC 9110 lets a client say about the form of an answer: whether it has it already (§13), and whether it may be
// compressed (§12.5.3).

extension HTTPRequest {
    /// Whether the client has the answer with this entity tag already, compressed or not.
    /// - Parameter etag: strong, with its quotes.
    func has(_ etag: String) -> Bool {
        guard let header = headers["If-None-Match"] else { return false }
        return header.split(separator: ",").contains { item in
            let tag = item.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
            return String(tag) == "*" || String(tag) == etag || String(tag) == "W/" + etag
        }
    }

    /// Whether the client takes gzip.
    var takesGzip: Bool {
        guard let header = headers["Accept-Encoding"] else { return false }
        return header.lowercased().split(separator: ",").contains { item in
            let parts = item.split(separator: ";").map { $0.filter { $0 != " " } }
            guard let name = parts.first, name == "gzip" || name == "*" else { return false }
            return !parts.dropFirst().contains { ["q=0", "q=0.0", "q=0.00", "q=0.000"].contains($0) }
        }
    }
}

extension HTTPResponse {
    /// Smaller bodies are not worth it.
    private static let compressedBytesMin = 1024

    /// 304 if the client has this answer, else the answer of `make`, tagged unless it says that nobody may keep it.
    /// - Parameter etag: changes whenever the answer does; with its quotes.
    static func tagged(
        _ etag: String, for request: HTTPRequest, _ make: () throws -> HTTPResponse
    ) rethrows -> HTTPResponse {
        var response =
            request.has(etag) ? HTTPResponse(status: 304, headers: HTTPHeaders(), body: []) : try make()
        if response.headers["Cache-Control"] == "no-store" { return response }
        response.headers.append("ETag", etag)
        response.headers.append("Cache-Control", "private, no-cache")
        if response.headers["Vary"] == nil { response.headers.append("Vary", "Accept-Encoding") }
        return response
    }

    /// The answer as the client takes it. A tag becomes weak: the same content in other bytes.
    func compressed(for request: HTTPRequest) -> HTTPResponse {
        guard body.count > Self.compressedBytesMin, headers["Content-Encoding"] == nil else { return self }
        var headers = self.headers
        if headers["Vary"] == nil { headers.append("Vary", "Accept-Encoding") }
        let compressed = request.takesGzip ? Gzip.compress(body, .fast) : body
        guard compressed.count < body.count else {
            return HTTPResponse(status: status, headers: headers, body: body)
        }
        headers = HTTPHeaders(headers.fields.map { ($0.name, $0.name == "etag" ? "W/" + $0.value : $0.value) })
        headers.append("Content-Encoding", "gzip")
        return HTTPResponse(status: status, headers: headers, body: compressed)
    }
}
