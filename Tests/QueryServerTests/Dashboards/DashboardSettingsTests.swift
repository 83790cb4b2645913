import Config
import Files
import Metadata
import Testing

@testable import QueryServer

/// The two files of `config/`, as they stand.
@Suite struct DashboardSettingsTests {
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
}
