import Files
import Foundation
import JSON
import Metadata
import Table
import Testing
import WAL

@testable import QueryServer

@Suite struct ProblemTests {
    /// Whoever asks learns what it means for them; folders, hosts and what broke are for the log.
    @Test(
        arguments: [
            FileError(.open, "/srv/secret/wal", code: 2), WALError.unstable(path: "/srv/secret/wal"),
            TableError.fileMissing(path: "/srv/secret/part.parquet"),
            TableError.corruptCommit(path: "/srv/secret/0.json", line: 1, reason: "no JSON"),
            MetadataError.unreachable(reason: "user secret at 10.0.0.1"),
            MetadataError.foreignFile(path: "/srv/secret/query.db"),
            MetadataError.damaged(path: "/srv/secret/query.db", reason: "malformed"),
            MetadataError.refused(reason: "secret"),
        ] as [any Error])
    func aFaultOfTheServerNamesNoPlaceOfTheMachine(error: any Error) {
        let problem = Problem(error)
        #expect(problem.status >= 500 && !problem.message.contains("secret") && !problem.message.contains("10.0"))
    }

    @Test func readinessNamesNoPlaceOfTheMachine() async throws {
        let served = try ServedFolder()
        #expect(try await served.send("GET", "/readyz").status == 200)
        let headers = ["Authorization": "Bearer " + (try served.token())]
        try FileManager.default.removeItem(atPath: served.folder.path)
        let reply = try await served.send("GET", "/readyz")
        #expect(reply.status == 503 && !String(decoding: reply.body, as: UTF8.self).contains("/"))
        let projects = try await served.send("GET", "/v1/projects", headers)
        #expect(projects.code == "internal" && !String(decoding: projects.body, as: UTF8.self).contains("/"))
    }

    @Test func aBodyThatIsEncodedIsRefused() async throws {
        let served = try ServedFolder()
        let token = try served.token()
        for (encoding, status) in [("gzip", 415), ("identity", 200), ("br, gzip", 415)] {
            let headers = ["Authorization": "Bearer \(token)", "Content-Encoding": encoding]
            let reply = try await served.send("POST", "/v1/query", headers, #"{"kind":"aggregate"}"#)
            #expect(reply.status == status && (status == 200 || reply.code == "unsupported_encoding"), "\(encoding)")
        }
    }

    /// Nothing is kept for a project that cannot be.
    @Test func aProjectOfAnImpossibleNameIsRefused() async throws {
        let served = try ServedFolder()
        for name in ["..%2Fx", "", "A", "wal"] {
            let (status, json) = try await served.request("GET", "/v1/dashboards?project=\(name)", as: "admin")
            #expect(status == 400 && json?["error"]?["path"]?.asString == "project", "\(name)")
        }
    }
}
