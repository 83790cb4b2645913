import Config
import Files
import Foundation
import HTTPServer
import JSON
import Metadata
import Testing

@testable import QueryServer

/// Where `analytics.storage` has dashboards kept.
@Suite struct StorageTests {
    private static let server = ProcessInfo.processInfo.environment["TIDEMARK_POSTGRES"]?
        .split(separator: " ").map(String.init)

    private func place(_ files: ConfigFiles, _ environment: [String: String]) throws -> MetadataPlace {
        MetadataPlace(try files.analytics(), dataFolder: "d", environment: environment)
    }

    private func seedsFile() throws -> ConfigFiles {
        let root = String(#filePath.dropLast("Tests/QueryServerTests/Dashboards/StorageTests.swift".utf8.count))
        return try ConfigFiles(paths: [root + "config/analytics_config.yaml"], environment: [:], disk: .posix)
    }

    @Test func theSeedsFileNamesADatabaseOfPostgreSQL() throws {
        let found = try place(seedsFile(), ["DB_USERNAME": "ana", "DB_PASSWORD": "s3cret"])
        guard case .postgresql(let address) = found else {
            Issue.record("\(found)")
            return
        }
        let expected = PostgreSQLAddress(
            host: "localhost", port: 5432, database: "analytics", username: "ana", password: "s3cret")
        #expect(address == expected)
    }

    @Test func aVariableThatIsNotSetIsADatabaseThatCannotBeReached() throws {
        guard case .none(let reason) = try place(seedsFile(), ["DB_USERNAME": "ana"]) else {
            Issue.record("a database without its password")
            return
        }
        #expect(reason.hasSuffix("the environment variable DB_PASSWORD is not set"))
    }

    @Test func withoutTheSectionItIsAFileInTheDataFolder() throws {
        guard case .sqlite("d/query.db") = try place(ConfigFiles(), [:]) else {
            Issue.record("another place")
            return
        }
    }

    @Test(.enabled(if: server?.count == 4)) func dashboardsOutliveTheDaemonInPostgreSQL() throws {
        let server = try #require(Self.server)
        let text = """
            analytics:
              storage:
                type: postgresql
                connection:
                  host: "\(server[0])"
                  port: \(server[1])
                  database: \(server[2])
                  username: "${DB_USERNAME}"
            """
        let files = try ConfigFiles([("pg.yaml", Array(text.utf8))], environment: [:])
        let place = try place(files, ["DB_USERNAME": server[3]])
        let id = try BoardFolder(files, store: place).create([])
        let later = try BoardFolder(files, store: place)
        #expect(try later.api.get(later.call(["id": id])).json()["name"] == "Mine")
        #expect(try later.api.delete(later.call(["id": id])).status == 204)
        #expect(problem { try later.api.get(later.call(["id": id])) }?.status == 404)
    }
}
