import Config
import Files
import Foundation
import HTTPServer
import JSON
import Metadata
import Testing

@testable import QueryServer

/// The two files of `config/`, as they stand, and a database that is there.
@Suite struct DashboardSettingsTests {
    /// As in MetadataTests.
    private static let server = ProcessInfo.processInfo.environment["TIDEMARK_POSTGRES"]?
        .split(separator: " ").map(String.init)

    private func settings(_ environment: [String: String]) throws -> DashboardSettings {
        let folder = #filePath.split(separator: "Tests/QueryServerTests", maxSplits: 1)[0] + "config/"
        let files = try ConfigFiles(
            paths: [folder + "analytics_config.yaml", folder + "dashboard_config.yaml"], environment: environment,
            disk: .posix)
        return try DashboardSettings(files, dataFolder: "d", environment: environment)
    }

    @Test func theConnectionIsAsTheFileSays() throws {
        let place = try settings(["DB_USERNAME": "ana", "DB_PASSWORD": "p w"]).place
        guard case .postgresql(let address) = place else {
            Issue.record("\(place)")
            return
        }
        #expect(
            address
                == PostgreSQLAddress(
                    host: "localhost", port: 5432, database: "analytics", username: "ana", password: "p w"))
    }

    @Test func aVariableThatIsNotSetLeavesTheDatabaseAway() throws {
        let place = try settings([:]).place
        guard case .none(let reason) = place else {
            Issue.record("\(place)")
            return
        }
        #expect(reason.contains("DB_USERNAME"))
        #expect(try settings([:]).provisioned.map(\.id) == ["overview"])
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
        let place = try DashboardSettings(files, dataFolder: "d", environment: ["DB_USERNAME": server[3]]).place
        let id = try BoardFolder(files, store: place).create([])
        let later = try BoardFolder(files, store: place)
        #expect(try later.api.get(later.call(["id": id])).json()["name"] == "Mine")
        #expect(try later.api.delete(later.call(["id": id])).status == 204)
        #expect(problem { try later.api.get(later.call(["id": id])) }?.status == 404)
    }
}
