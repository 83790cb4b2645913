import Files

/// The one YAML file that configures every program. Each reads its own sections; a variable that is unset in another
/// program's section is no error.
package struct ConfigFile: Sendable {
    private let file: String
    private let root: YAMLNode?
    private let environment: [String: String]

    /// No file: every setting has its default.
    package init() {
        file = "defaults"
        root = nil
        environment = [:]
    }

    /// Reads and parses the file; refuses unknown sections.
    package init(path: String, environment: [String: String], disk: Disk) throws(ConfigError) {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try disk.contents(path, limit: YAMLNode.byteCountMax)
        } catch {
            throw ConfigError(file: path, line: nil, problem: .unreadable(error))
        }
        try self.init(bytes, file: path, environment: environment)
    }

    /// - Parameter file: the name that errors bear.
    package init(_ text: [UInt8], file: String, environment: [String: String]) throws(ConfigError) {
        self.file = file
        self.environment = environment
        root = try YAMLNode.parse(text, file: file)
        var top = try section(nil)
        top.declare(["analytics", "collector", "query"])
        try top.rejectUnknownKeys()
    }

    /// The seed's section.
    package func analytics() throws(ConfigError) -> AnalyticsConfig {
        var section = try section("analytics")
        let config = try AnalyticsConfig(&section)
        try section.rejectUnknownKeys()
        return config
    }

    package func collector() throws(ConfigError) -> CollectorConfig {
        var section = try section("collector")
        let config = try CollectorConfig(&section)
        try section.rejectUnknownKeys()
        return config
    }

    /// The data folder is the collector's unless the section has its own.
    package func query() throws(ConfigError) -> QueryConfig {
        var section = try section("query")
        var collector = try self.section("collector")
        let config = try QueryConfig(&section, collectorSection: &collector)
        try section.rejectUnknownKeys()
        return config
    }

    /// A section of the file's top level; nil is the top level itself.
    private func section(_ name: String?) throws(ConfigError) -> ConfigSection {
        guard let name else { return try ConfigSection(root, path: "", file: file, environment: environment) }
        return try ConfigSection(root?[name], path: name, file: file, environment: environment)
    }
}
