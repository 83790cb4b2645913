import CAllocator
import Config
import Files
import Foundation
import Telemetry

/// queryd: arguments → config → run.
package enum QueryProgram {
    /// - Returns: the exit code: 0 stopped as asked, 1 failed, 64 wrong arguments.
    package static func run(_ arguments: [String]) -> Int32 {
        syntax.run(arguments, complain: Logger.writeToStandardError) { parsed in
            let (config, dashboards) = try configuration(parsed)
            guard !parsed.has(flag: "check-config") else {
                print("the configuration is good")
                return 0
            }
            let level: LogLevel = parsed.has(flag: "verbose") ? .debug : .info
            let logger = Logger(minimum: level, clock: Logger.systemClock, write: Logger.writeToStandardError)
            keepFreedMemory()
            let daemon = try QueryDaemon(config: config, dashboards: dashboards, logger: logger)
            try daemon.start()
            waitForSignal()
            daemon.stop()
            return 0
        }
    }

    /// Decoded columns are megabytes that are freed and wanted again: giving them back to the kernel each time cost
    /// half of a count in page faults.
    private static func keepFreedMemory() {
        mallopt(M_MMAP_THRESHOLD, 64 << 20)
        mallopt(M_TRIM_THRESHOLD, 256 << 20)
    }

    /// Returns when somebody asks the process to end.
    private static func waitForSignal() {
        let arrived = DispatchSemaphore(value: 0)
        let sources = [SIGTERM, SIGINT].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { arrived.signal() }
            source.resume()
            return source
        }
        arrived.wait()
        withExtendedLifetime(sources) {}
    }

    private static let syntax = CommandSyntax(
        command: "queryd",
        summary: "Answers questions about the events of a data folder over HTTP: POST /v1/query.",
        options: [
            .values("config", "FILE", help: "read this YAML file; may be repeated"),
            .value("data", "FOLDER", help: "the collector's data folder (default ./data)"),
            .value("listen", "HOST:PORT", help: "serve here (default 127.0.0.1:7312)"),
            .flag("check-config", help: "say whether the configuration is good, and end"),
            .flag("verbose", help: "log more"),
        ], positionals: [])

    private static func configuration(
        _ parsed: CommandArguments
    ) throws -> (QueryConfig, DashboardSettings) {
        let environment = ProcessInfo.processInfo.environment
        let file = try ConfigFiles(paths: parsed.values("config"), environment: environment, disk: .posix)
        var config = try file.query()
        if let data = parsed.value("data") {
            config.data = data
            config.tokenFile = data + "/tokens"
        }
        if let listen = try parsed.value("listen", expected: "HOST:PORT", ListenAddress.init) { config.listen = listen }
        try Exposure.check(config)
        let dashboards = try DashboardSettings(file, dataFolder: config.data, environment: environment)
        return (config, dashboards)
    }
}
