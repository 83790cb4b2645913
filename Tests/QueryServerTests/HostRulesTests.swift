import Testing

@testable import QueryServer

@Suite struct HostRulesTests {
    private func isAllowed(
        _ host: String?, _ origin: String? = nil, _ scheme: HostRules.Scheme = .http, listen: String = "127.0.0.1",
        port: UInt16 = 7312, hosts: [String] = []
    ) -> Bool {
        let rules = HostRules(scheme: scheme, listenHost: listen, port: port, hosts: hosts)
        do throws(Problem) {
            _ = try rules.check(host: host, origin: origin)
            return true
        } catch {
            #expect(error.status == 403 && error.code == "forbidden")
            return false
        }
    }

    @Test(arguments: ["localhost:7312", "LOCALHOST:7312", "127.0.0.1:7312", "[::1]:7312"])
    func theLoopbackIsAllowedWithThePort(host: String) { #expect(isAllowed(host)) }

    @Test(arguments: [
        nil, "", "localhost", "127.0.0.1:7313", "evil.example:7312", "localhost.evil.example:7312", "127.0.0.1.:7312",
        "localhost:7312:7312", "::1:7312", "[::1]", "localhost:", "localhost:99999", "localhost:7312/x",
    ]) func otherHostsAreRefused(host: String?) { #expect(!isAllowed(host)) }

    @Test func thePortOfTheSchemeNeedNotBeNamed() {
        #expect(isAllowed("localhost", port: 80) && isAllowed("localhost:80", port: 80))
        #expect(isAllowed("localhost", nil, .https, port: 443) && !isAllowed("localhost", nil, .https, port: 80))
    }

    @Test func theListeningHostAndThoseConfiguredAreAllowed() {
        #expect(isAllowed("stats:7312", listen: "stats") && !isAllowed("other:7312", listen: "stats"))
        let hosts = ["a.example", "b.example:99", "https://c.example"]
        for host in ["a.example", "a.example:7312", "b.example:99", "c.example"] {
            #expect(isAllowed(host, hosts: hosts), "\(host)")
        }
        for host in ["b.example", "b.example:7312", "c.example:7312", "d.example", "x.a.example"] {
            #expect(!isAllowed(host, hosts: hosts), "\(host)")
        }
    }

    @Test func aPageMustComeFromWhereItAsks() {
        #expect(isAllowed("localhost:7312", "http://localhost:7312"))
        for origin in [
            "null", "http://localhost", "https://localhost:7312", "http://127.0.0.1:7312", "http://localhost:3000",
            "http://evil.example", "http://localhost:7312.evil.example", "", "file://",
        ] {
            #expect(!isAllowed("localhost:7312", origin), "\(origin)")
        }
    }

    @Test func aProxyInFrontMayDoTLS() {
        let hosts = ["https://c.example"]
        #expect(isAllowed("c.example", "https://c.example", hosts: hosts))
        #expect(!isAllowed("c.example", "http://c.example", hosts: hosts))
    }

    @Test(arguments: [
        ("a.example", true), ("a.example:1", true), ("https://a.example", true), ("[::2]:80", true), ("", false),
        ("a.example/", false), ("https://a.example/x", false), ("::2", false), ("ftp://a", false),
    ]) func whatTheConfigurationMayName(host: String, isValid: Bool) { #expect(HostRules.isValid(host) == isValid) }
}
