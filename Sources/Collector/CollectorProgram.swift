import Config
import Files
import Foundation
import Telemetry

/// collectord: arguments → config → run.
package enum CollectorProgram {
    /// - Returns: the exit code: 0 stopped as asked, 1 failed, 64 wrong arguments.
    package static func run(_ arguments: [String]) -> Int32 {
        if arguments.first == CompactionChild.argument { return CompactionChild.run(Array(arguments.dropFirst())) }
        return syntax.run(arguments, complain: Logger.writeToStandardError) { parsed in
            let (config, analytics) = try configuration(parsed)
            guard !parsed.has(flag: "check-config") else {
                print("the configuration is good")
                return 0
            }
            let level: LogLevel = parsed.has(flag: "verbose") ? .debug : .info
            let logger = Logger(minimum: level, clock: Logger.systemClock, write: Logger.writeToStandardError)
            warn(of: analytics, logger)
            let daemon = try CollectorDaemon(config: config, analytics: analytics, logger: logger)
            try daemon.run()
            return daemon.exitCode
        }
    }

    /// Says what the section `analytics:` may make one expect that does not happen.
    private static func warn(of analytics: AnalyticsConfig, _ logger: Logger) {
        if !analytics.keysWithoutEffect.isEmpty {
            logger.warning("settings of `analytics:` that no daemon of this version acts on", [
                "keys": .array(analytics.keysWithoutEffect.map { .string($0) })
            ])
        }
        if !analytics.tracking.isEnabled {
            logger.warning("analytics.tracking.enabled is false: every event is refused", [:])
        }
    }

    private static let syntax = CommandSyntax(
        command: "collectord",
        summary: """
            Takes product events over TCP and a Unix socket, writes them to the log, acknowledges them when they are \
            durable, and compacts the log into tables.
            """,
        options: [
            .values("config", "FILE", help: "read `collector:` and `analytics:` of this YAML file; may be repeated"),
            .value("data", "FOLDER", help: "keep log and tables here (default ./data)"),
            .value("listen", "HOST:PORT", help: "take frames here (default 127.0.0.1:7311)"),
            .value("http", "HOST:PORT", help: "serve /metrics, /healthz, /readyz here (127.0.0.1:7313)"),
            .flag("check-config", help: "say whether the configuration is good, and end"),
            .flag("verbose", help: "log more"),
        ], positionals: [])

    private static func configuration(_ parsed: CommandArguments) throws -> (CollectorConfig, AnalyticsConfig) {
        let environment = ProcessInfo.processInfo.environment
        let file = try ConfigFiles(paths: parsed.values("config"), environment: environment, disk: .posix)
        let analytics = try file.analytics()
        var config = try file.collector()
        if let data = parsed.value("data") {
            let atDefaults = CollectorConfig(data: config.data)
            let moved = CollectorConfig(data: data)
            if config.socket == atDefaults.socket { config.socket = moved.socket }
            if config.tokenFile == atDefaults.tokenFile { config.tokenFile = moved.tokenFile }
            config.data = data
        }
        if let listen = try parsed.value("listen", expected: "HOST:PORT", ListenAddress.init) { config.listen = listen }
        if let http = try parsed.value("http", expected: "HOST:PORT", ListenAddress.init) { config.http = http }
        return (config, analytics)
    }
}
