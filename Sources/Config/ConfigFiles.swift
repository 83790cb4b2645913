import Files

/// The YAML configuration of every program: one file or several, each section of the top level in one of them. Each
/// program reads its own sections; a variable that is unset in another program's section is no error.
package struct ConfigFiles: Sendable {
    private struct Section {
        let file: String
        let entry: YAMLNode.Entry
    }

    private static let sectionNames = ["analytics", "collector", "query", "dashboards"]

    private let sections: [String: Section]
    private let environment: [String: String]

    /// No file: every setting has its default.
    package init() {
        sections = [:]
        environment = [:]
    }

    /// Reads and parses the files; refuses unknown sections and one that two files have. No path is no file.
    package init(paths: [String], environment: [String: String], disk: Disk) throws(ConfigError) {
        var texts: [(file: String, text: [UInt8])] = []
        for path in paths {
            do throws(FileError) {
                texts.append((path, try disk.contents(path, limit: YAMLNode.byteCountMax)))
            } catch {
                throw ConfigError(file: path, line: nil, problem: .unreadable(error))
            }
        }
        try self.init(texts, environment: environment)
    }

    /// - Parameter texts: with the names that errors bear.
    package init(
        _ texts: [(file: String, text: [UInt8])], environment: [String: String]
    ) throws(ConfigError) {
        self.environment = environment
        var sections: [String: Section] = [:]
        for (file, text) in texts {
            let root = try YAMLNode.parse(text, file: file)
            var top = try ConfigSection(root, path: "", file: file, environment: environment)
            top.declare(Self.sectionNames)
            try top.rejectUnknownKeys()
            // A name with nothing under it, as in a file whose settings are all commented out, is no section.
            for entry in top.entries where !entry.value.isNull {
                if let other = sections[entry.key] {
                    throw ConfigError(
                        file: file, line: entry.line,
                        problem: .repeatedSection(entry.key, otherFile: other.file, otherLine: other.entry.line))
                }
                sections[entry.key] = Section(file: file, entry: entry)
            }
        }
        self.sections = sections
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

    /// The dashboards that the files provision, in order; the built-in one if no file has the section.
    package func dashboards() throws(ConfigError) -> [DashboardConfig] {
        guard sections["dashboards"] != nil else { return try DashboardConfig.builtIn() }
        let section = try section("dashboards")
        var dashboards: [DashboardConfig] = []
        for entry in section.entries { dashboards.append(try DashboardConfig(entry, of: section)) }
        return dashboards
    }

    private func section(_ name: String) throws(ConfigError) -> ConfigSection {
        let found = sections[name]
        return try ConfigSection(
            found?.entry.value, path: name, file: found?.file ?? "defaults", environment: environment)
    }
}
