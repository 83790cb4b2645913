import JSON

/// A dashboard of the section `dashboards:`, as JSON. What its members mean is queryd's affair, who refuses what is
/// wrong by `error(at:_:)`.
package struct DashboardConfig: Sendable {
    /// Its name in the section, and its id in the API.
    package let key: String
    package let json: JSONObject
    private let file: String
    /// Of the members and elements, by their paths, such as `widgets[2].title`.
    private let lines: [String: Int]

    init(_ entry: YAMLNode.Entry, of section: ConfigSection) throws(ConfigError) {
        key = entry.key
        file = section.file
        var converter = JSONConverter(section: section, prefix: "\(section.path).\(entry.key)")
        converter.lines[""] = entry.line
        let value = try converter.json(entry.value, path: "")
        guard let object = value.asObject else {
            throw ConfigError(
                file: file, line: entry.line,
                problem: .wrongValue(
                    key: "\(section.path).\(entry.key)", expected: "a mapping", found: value.kindName))
        }
        json = object
        lines = converter.lines
    }

    /// Why the dashboard cannot be used, with the file and the line of what is wrong.
    /// - Parameter path: a JSON path within the dashboard; the nearest member around it that the file has is named.
    package func error(at path: String, _ reason: String) -> ConfigError {
        var known = path
        while lines[known] == nil, let cut = known.lastIndex(where: { $0 == "." || $0 == "[" }) {
            known = String(known[..<cut])
        }
        return ConfigError(
            file: file, line: lines[known] ?? lines[""],
            problem: .refused(key: "dashboards.\(key)" + (path.isEmpty ? "" : ".\(path)"), reason: reason))
    }
}

/// Turns YAML into JSON: what is written without quotes and reads as a JSON number, boolean or null is one.
private struct JSONConverter {
    let section: ConfigSection
    let prefix: String
    var lines: [String: Int] = [:]

    mutating func json(_ node: YAMLNode, path: String) throws(ConfigError) -> JSONValue {
        switch node.content {
        case .scalar(let raw, let isPlain):
            if node.isNull { return nil }
            if isPlain, let value = Self.literal(raw) { return value }
            let text = ConfigText(raw: raw, key: prefix + "." + path, file: section.file, line: node.line)
            return .string(try text.expanded(section.environment))
        case .sequence(let elements):
            var values: [JSONValue] = []
            for (index, element) in elements.enumerated() {
                let path = "\(path)[\(index)]"
                lines[path] = element.line
                values.append(try json(element, path: path))
            }
            return .array(values)
        case .mapping(let entries):
            var members: [JSONObject.Member] = []
            for entry in entries {
                let path = path.isEmpty ? entry.key : path + "." + entry.key
                lines[path] = entry.line
                members.append(JSONObject.Member(entry.key, try json(entry.value, path: path)))
            }
            return .object(JSONObject(members))
        }
    }

    /// nil: it is a text.
    private static func literal(_ text: String) -> JSONValue? {
        guard let first = text.utf8.first, "-0123456789tf".utf8.contains(first) else { return nil }
        do throws(JSONError) { return try JSONValue(parsing: text) } catch { return nil }
    }
}
