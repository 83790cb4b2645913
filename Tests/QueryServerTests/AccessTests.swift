import Access
import Files
import JSON
import Testing

@testable import QueryServer

@Suite struct AccessTests {
    private static let count = #"{"kind":"aggregate","metrics":["count"]}"#

    @Test func withoutATokenNothingIsTold() async throws {
        let served = try ServedFolder()
        let calls = [("POST", "/v1/query"), ("GET", "/v1/projects"), ("GET", "/v1/me"), ("POST", "/v1/login-links")]
        for (method, path) in calls {
            for headers in [
                [:], ["Authorization": "Bearer tdm_write_00"], ["Authorization": "Basic x"], ["Authorization": ""],
                ["Cookie": "tidemark_session_\(served.port)=0"],
            ] {
                let reply = try await served.send(method, path, headers, method == "POST" ? Self.count : nil)
                #expect(reply.status == 401 && reply.code == "unauthorized", "\(path) \(headers)")
                #expect(reply.headers["www-authenticate"] == "Bearer")
            }
        }
        for path in ["/healthz", "/readyz", "/metrics", "/"] {
            #expect(try await served.send("GET", path).status == 200, "\(path)")
        }
    }

    @Test func aTokenThatSendsEventsAsksNothing() async throws {
        let served = try ServedFolder()
        let headers = ["Authorization": "Bearer " + (try served.token("default"))]
        #expect(try await served.send("POST", "/v1/query", headers, Self.count).code == "forbidden")
        #expect(try await served.send("GET", "/v1/me", headers).status == 403)
        let body = #"{"token":"\#(try served.token("default"))"}"#
        #expect(try await served.send("POST", "/v1/sessions", [:], body).status == 403)
    }

    @Test func aTokenSeesItsProjectsOnly() async throws {
        let served = try ServedFolder()
        let text = try served.addToken("shop", .read, ["shop"])
        let headers = ["Authorization": "Bearer \(text)"]
        let other = #"{"kind":"aggregate","metrics":["count"],"project":"default"}"#
        #expect(try await served.send("POST", "/v1/query", headers, other).code == "forbidden")
        #expect(try await served.send("POST", "/v1/query?project=default", headers, Self.count).code == "forbidden")
        // Its own one is not there yet.
        #expect(try await served.send("POST", "/v1/query", headers, Self.count).code == "project_unknown")
        #expect(try await served.send("GET", "/v1/projects", headers).json == ["projects": []])
        let admin = ["Authorization": "Bearer " + (try served.token("admin"))]
        #expect(try await served.send("POST", "/v1/query", admin, other).status == 200)
        #expect(try await served.send("GET", "/v1/me", admin).json?["projects"] == ["default"])
    }

    @Test func aRevokedTokenIsRefused() async throws {
        let served = try ServedFolder()
        let text = try served.addToken("ana", .read, ["default"])
        let headers = ["Authorization": "bearer \(text)"]
        let session = try await served.send("POST", "/v1/sessions", [:], #"{"token":"\#(text)"}"#)
        let cookie = ["Cookie": String(try #require(session.headers["set-cookie"]).split(separator: ";")[0])]
        #expect(try await served.send("GET", "/v1/me", headers).json?["name"]?.asString == "ana")
        #expect(try await served.send("GET", "/v1/me", cookie).json?["role"]?.asString == "read")
        try TokenFile.change(served.folder("tokens"), disk: .posix) { try $0.remove(name: "ana", path: "") }
        // Nobody tells queryd: it looks by itself.
        var status = 200
        for _ in 0..<100 where status == 200 {
            try await Task.sleep(for: .milliseconds(50))
            status = try await served.send("GET", "/v1/me", headers).status
        }
        #expect(status == 401)
        #expect(try await served.send("GET", "/v1/me", cookie).code == "unauthorized")
    }

    @Test func theCookieOfAnotherPortIsNotTaken() async throws {
        let (served, other) = (try ServedFolder(), try ServedFolder())
        func session(_ served: ServedFolder) async throws -> String {
            let reply = try await served.send("POST", "/v1/sessions", [:], #"{"token":"\#(try served.token())"}"#)
            return String(try #require(reply.headers["set-cookie"]).split(separator: ";")[0])
        }
        let cookies = ["Cookie": try await session(other) + "; " + (try await session(served))]
        #expect(try await served.send("GET", "/v1/me", cookies).status == 200)
        #expect(try await other.send("GET", "/v1/me", cookies).status == 200)
        #expect(try await served.send("GET", "/v1/me", ["Cookie": try await session(other)]).status == 401)
    }

    @Test func aLinkLogsInOnce() async throws {
        let served = try ServedFolder()
        let (status, link) = try await served.request("POST", "/v1/login-links")
        #expect(status == 201)
        let prefix = "http://127.0.0.1:\(served.port)/#/login/"
        let url = try #require(link?["url"]?.asString)
        #expect(url.hasPrefix(prefix) && link?["expires_at"]?.asString?.hasSuffix("Z") == true)
        let body = #"{"code":"\#(url.dropFirst(prefix.count))"}"#
        let session = try await served.send("POST", "/v1/sessions", [:], body)
        #expect(session.status == 204 && session.body.isEmpty)
        let cookie = try #require(session.headers["set-cookie"])
        #expect(cookie.hasSuffix("; Max-Age=2592000; Path=/; HttpOnly; SameSite=Strict"))
        let headers = ["Cookie": "a=b; \(cookie.split(separator: ";")[0])"]
        #expect(try await served.send("GET", "/v1/me", headers).json?["name"]?.asString == "query")
        #expect(try await served.send("POST", "/v1/sessions", [:], body).status == 401)
        let own = headers.merging(["Origin": "http://127.0.0.1:\(served.port)"]) { $1 }
        #expect(try await served.send("DELETE", "/v1/sessions", own).status == 204)
        #expect(try await served.send("GET", "/v1/me", headers).status == 401)
    }

    @Test(arguments: ["{}", #"{"code":1}"#, #"{"code":"a","token":"b"}"#, "[]", #"{"code":"\u0000"}"#, "x"])
    func aLoginThatMakesNoSenseIsRefused(body: String) async throws {
        let served = try ServedFolder()
        let status = try await served.send("POST", "/v1/sessions", [:], body).status
        #expect(status == 400 || status == 401)
    }

    @Test func aPageElsewhereReachesNothing() async throws {
        let served = try ServedFolder()
        let session = try await served.send("POST", "/v1/sessions", [:], #"{"token":"\#(try served.token())"}"#)
        let cookie = String(try #require(session.headers["set-cookie"]).split(separator: ";")[0])
        let own = "http://127.0.0.1:\(served.port)"
        let token = "Bearer " + (try served.token())
        let refused: [[String: String]] = [
            ["Cookie": cookie, "Origin": "http://evil.example"], ["Cookie": cookie, "Origin": "null"],
            ["Cookie": cookie], ["Cookie": cookie, "Sec-Fetch-Site": "cross-site"],
            ["Cookie": cookie, "Sec-Fetch-Site": "same-site", "Origin": own],
            ["Cookie": cookie, "Origin": "http://localhost:\(served.port)"],
            ["Authorization": token, "Origin": "http://evil.example"],
            ["Cookie": cookie, "Origin": own, "Host": "evil.example:\(served.port)"],
            ["Authorization": token, "Host": "evil.example"],
        ]
        for headers in refused {
            let reply = try await served.send("POST", "/v1/query", headers, Self.count)
            #expect(reply.status == 403 && reply.code == "forbidden", "\(headers)")
            #expect(!reply.headers.keys.contains { $0.hasPrefix("access-control") })
        }
        for headers in [
            ["Cookie": cookie, "Origin": own], ["Cookie": cookie, "Sec-Fetch-Site": "same-origin"],
            ["Authorization": token],
        ] {
            #expect(try await served.send("POST", "/v1/query", headers, Self.count).status == 200, "\(headers)")
        }
        #expect(try await served.send("GET", "/v1/me", ["Cookie": cookie]).status == 200)
        #expect(
            try await served.send("GET", "/v1/me", ["Cookie": cookie, "Sec-Fetch-Site": "same-site"]).status == 403)
        // Even what needs no token is not for a name that was made to resolve to us.
        #expect(try await served.send("GET", "/metrics", ["Host": "evil.example"]).status == 403)
    }

    @Test func everyAnswerForbidsWhatAPageOfOthersCouldDoWithIt() async throws {
        let served = try ServedFolder()
        for path in ["/", "/v1/me", "/nowhere", "/healthz"] {
            let headers = try await served.send("GET", path).headers
            #expect(headers["content-security-policy"]?.hasPrefix("default-src 'none'; script-src 'self'") == true)
            #expect(headers["x-frame-options"] == "DENY" && headers["referrer-policy"] == "no-referrer")
            #expect(headers["x-content-type-options"] == "nosniff")
            #expect(headers["cross-origin-resource-policy"] == "same-origin")
            #expect(headers["cache-control"] == (path == "/" ? "no-cache" : "no-store"), "\(path)")
        }
    }
}
