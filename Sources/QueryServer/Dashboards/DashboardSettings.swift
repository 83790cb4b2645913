import Config
import Files
import Metadata
import Query
import Telemetry

/// What the daemon's dashboards start from.
package struct DashboardSettings: Sendable {
    /// Those of the configuration.
    let provisioned: [Dashboard]
    /// Where the others are.
    let place: MetadataPlace

    /// - Throws: `ConfigError` with file and line of what is wrong.
    package init(_ files: ConfigFiles, dataFolder: String, environment: [String: String]) throws(ConfigError) {
        let context = QuestionContext(atMicros: Logger.systemClock())
        var provisioned: [Dashboard] = []
        for dashboard in try files.dashboards() {
            provisioned.append(try Dashboard(provisioned: dashboard, context))
        }
        self.provisioned = provisioned
        place = MetadataPlace(try files.analytics(), dataFolder: dataFolder, environment: environment)
    }
}

extension MetadataPlace {
    /// Where `analytics.storage` says; without it a file in the data folder. A variable of the connection that is not
    /// set makes the database one that cannot be reached: questions need none.
    /// - Parameter environment: expands the connection's texts.
    init(_ analytics: AnalyticsConfig, dataFolder: String, environment: [String: String]) {
        guard analytics.storageType == .postgresql else {
            self = .sqlite(path: dataFolder + "/query.db")
            return
        }
        let connection = analytics.connection
        do throws(ConfigError) {
            self = .postgresql(
                PostgreSQLAddress(
                    host: connection.host, port: connection.port, database: connection.database,
                    username: try connection.username?.expanded(environment),
                    password: try connection.password?.expanded(environment)))
        } catch {
            self = .none(reason: error.description)
        }
    }
}

extension MetadataStore {
    /// A store that says in the log when its database is away and when it is back.
    convenience init(_ place: MetadataPlace, logger: Logger) {
        self.init(place, clock: Logger.systemClock) { error in
            if let error {
                logger.warning("dashboards are unavailable", ["reason": .string("\(error)")])
            } else {
                logger.info("dashboards are available again")
            }
        }
    }
}
