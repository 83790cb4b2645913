import Config
import Testing

@testable import QueryServer

@Suite struct ExposureTests {
    private func failure(_ host: String, _ change: (inout QueryConfig) -> Void = { _ in }) -> Exposure.Failure? {
        var config = QueryConfig()
        config.listen = ListenAddress(host: host, port: 7312)
        change(&config)
        do throws(Exposure.Failure) {
            try Exposure.check(config)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: ["localhost", "127.0.0.1", "127.9.9.9", "::1"])
    func theMachineItselfNeedsNoTLS(host: String) { #expect(failure(host) == nil) }

    @Test(arguments: ["0.0.0.0", "::", "10.0.0.1", "127.a.org", "127.0.0.1.example.org", "stats", "127.0.0.256"])
    func othersReachItByTLSOnly(host: String) {
        #expect(failure(host) == .isOpen(ListenAddress(host: host, port: 7312)))
        #expect(failure(host) { $0.isInsecureAllowed = true } == nil)
        #expect(failure(host) { $0.tls = .init(certificate: "c", key: "k") } == nil)
    }

    @Test func aHostThatIsNoneIsNamed() {
        #expect(failure("localhost") { $0.hosts = ["a.example", "a/b"] } == .hostInvalid("a/b"))
    }
}
