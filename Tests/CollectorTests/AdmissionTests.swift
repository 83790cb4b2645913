import Access
import Testing
import Wire

@testable import Collector

@Suite struct AdmissionTests {
    @Test(
        arguments: [
            (Access.Role.ingest, ["shop"], Grant.ingest(project: "shop")),
            (.relay, ["a", "b"], .relay(projects: ["a", "b"])), (.admin, [], .admin), (.read, ["shop"], nil),
            (.write, ["shop"], nil),
        ] as [(Access.Role, [String], Grant?)])
    func onlyTokensThatSendEventsAreTakenOnTheWire(role: Access.Role, projects: [String], grant: Grant?) throws {
        var file = TokenFile()
        _ = try file.add(name: "a", role: role, projects: projects, path: "tokens")
        let token = try #require(file.tokens.first)
        #expect(Admission(token)?.grant == grant)
    }
}
