import Access
import HTTPServer

/// Finds out who calls.
struct Credentials: Sendable {
    let tokens: TokenStore
    let sessions: SessionStore

    /// - Parameter origin: what the caller calls us.
    /// - Throws: 401 `unauthorized`; 403 `forbidden` for a cookie that a stranger's page may have had sent.
    func principal(
        of request: HTTPRequest, at origin: HostRules.Origin, nowMicros: Int64
    ) throws(Problem) -> Principal {
        if let header = request.headers["Authorization"] {
            guard let text = Self.bearerToken(header), let token = tokens.token(text) else {
                throw .unauthorized("the token is not known: it was revoked, or it is another server's")
            }
            return Principal(token)
        }
        guard let cookie = SessionCookie(origin).value(in: request) else {
            throw .unauthorized("send a token: Authorization: Bearer tdm_…, or log in")
        }
        guard let hash = sessions.tokenHash(of: cookie, nowMicros: nowMicros) else {
            throw .unauthorized("the session is over: log in again")
        }
        guard let token = tokens.token(sha256: hash) else {
            sessions.drop(cookie)
            throw .unauthorized("the session's token was revoked")
        }
        try Self.checkSite(request)
        return Principal(token)
    }

    /// Browsers send a cookie along whoever asks for it, within the rules of SameSite; another port of the same machine
    /// is the same site. The origin, where there is one, is checked already.
    private static func checkSite(_ request: HTTPRequest) throws(Problem) {
        let site = request.headers["Sec-Fetch-Site"]
        guard site == nil || site == "same-origin" || site == "none" else {
            throw .forbidden("another page asked for this")
        }
        let isSafe = request.method == "GET" || request.method == "HEAD"
        guard isSafe || site == "same-origin" || request.headers["Origin"] != nil else {
            throw .forbidden("a session changes something only with the header Origin or Sec-Fetch-Site: same-origin")
        }
    }

    /// What stands behind `Bearer` (RFC 6750 §2.1).
    private static func bearerToken(_ header: String) -> String? {
        let words = header.split(separator: " ")
        return words.count == 2 && words[0].lowercased() == "bearer" ? String(words[1]) : nil
    }
}

/// The cookie that carries a session. Browsers keep one jar for all ports of a host, so the port is in its name: two
/// servers on one host do not log each other's callers out.
struct SessionCookie {
    let name: String
    private let isSecure: Bool

    /// - Parameter origin: what the browser calls us.
    init(_ origin: HostRules.Origin) {
        name = "tidemark_session_\(origin.port)"
        isSecure = origin.scheme == .https
    }

    func value(in request: HTTPRequest) -> String? {
        for (field, text) in request.headers.fields where field == "cookie" {
            for pair in text.split(separator: ";") {
                let parts = pair.split(separator: "=", maxSplits: 1).map { $0.drop { $0 == " " } }
                if parts.count == 2, parts[0] == name { return String(parts[1]) }
            }
        }
        return nil
    }

    /// The header `Set-Cookie`; over TLS for TLS only.
    func header(_ value: String, maxAgeSeconds: Int) -> String {
        "\(name)=\(value); Max-Age=\(maxAgeSeconds); Path=/; HttpOnly; SameSite=Strict" + (isSecure ? "; Secure" : "")
    }
}
