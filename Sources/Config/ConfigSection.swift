import Bytes

/// A mapping being read: each key is read by its type, and reading a key makes its name known; when the section has
/// been read, any other key in it is an error that names the nearest known one.
package struct ConfigSection {
    let file: String
    let environment: [String: String]
    /// The full name, such as `analytics.storage`; empty at the top.
    let path: String
    let entries: [YAMLNode.Entry]
    private var knownNames: [String] = []

    /// - Parameter node: nil or null is a section without keys.
    init(_ node: YAMLNode?, path: String, file: String, environment: [String: String]) throws(ConfigError) {
        self.file = file
        self.environment = environment
        self.path = path
        guard let node, !node.isNull else {
            entries = []
            return
        }
        guard case .mapping(let entries) = node.content else {
            throw Self.wrongValue(file, path.isEmpty ? "the top level" : path, node, expected: "a mapping")
        }
        self.entries = entries
    }

    // MARK: Scalars. Each is nil if the key is missing or null.

    package mutating func string(_ name: String) throws(ConfigError) -> String? {
        try scalar(name, expected: "text") { $0 }
    }

    /// A text whose variables are expanded later, if ever.
    package mutating func text(_ name: String) throws(ConfigError) -> ConfigText? {
        guard let node = value(name) else { return nil }
        return try text(node, key: fullName(name))
    }

    package mutating func bool(_ name: String) throws(ConfigError) -> Bool? {
        try scalar(name, expected: "true or false") { ["true": true, "false": false][$0] }
    }

    package mutating func integer(_ name: String, in range: ClosedRange<Int>) throws(ConfigError) -> Int? {
        try scalar(name, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)") { text in
            Int(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// A span of time; a number alone counts seconds.
    package mutating func duration(_ name: String, atLeast least: Duration) throws(ConfigError) -> Duration? {
        try scalar(name, expected: "a time such as 500ms, 5s, 15m, 2h or 30d, at least \(least)") { text in
            Quantity.duration(text).flatMap { $0 >= least ? $0 : nil }
        }
    }

    /// A span of whole days; a number alone counts days.
    package mutating func days(_ name: String) throws(ConfigError) -> Int? {
        try scalar(name, expected: "a number of days from 1 to 36500") { text in
            guard let duration = Quantity.duration(text, plainUnit: "d") else { return nil }
            let (days, rest) = duration.components.seconds.quotientAndRemainder(dividingBy: 86_400)
            guard rest == 0, duration.components.attoseconds == 0, (1...36_500).contains(days) else { return nil }
            return Int(days)
        }
    }

    package mutating func byteCount(_ name: String, in range: ClosedRange<Int>) throws(ConfigError) -> Int? {
        let expected = "a size such as 64 MiB, from \(range.lowerBound) to \(range.upperBound) bytes"
        return try scalar(name, expected: expected) { text in
            Quantity.byteCount(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    package mutating func address(_ name: String) throws(ConfigError) -> ListenAddress? {
        try scalar(name, expected: "host:port") { ListenAddress($0) }
    }

    /// One of a few words.
    package mutating func choice<Choice: CaseIterable & RawRepresentable<String>>(
        _ name: String, of type: Choice.Type
    ) throws(ConfigError) -> Choice? {
        let words = type.allCases.map(\.rawValue).joined(separator: " or ")
        return try scalar(name, expected: words) { Choice(rawValue: $0) }
    }

    // MARK: Containers

    /// A sequence of texts; nil if the key is missing or null.
    package mutating func strings(_ name: String) throws(ConfigError) -> [String]? {
        guard let node = value(name) else { return nil }
        guard case .sequence(let elements) = node.content else {
            throw Self.wrongValue(file, fullName(name), node, expected: "a list")
        }
        var strings: [String] = []
        for element in elements { strings.append(try text(element, key: fullName(name)).expanded(environment)) }
        return strings
    }

    /// A sequence whose elements are texts or sections, each with its line; nothing if the key is missing or null.
    package mutating func elements<Element>(
        _ name: String, text: (String) -> Element, section: (inout ConfigSection) throws(ConfigError) -> Element
    ) throws(ConfigError) -> [(element: Element, line: Int)] {
        guard let node = value(name) else { return [] }
        guard case .sequence(let nodes) = node.content else {
            throw Self.wrongValue(file, fullName(name), node, expected: "a list")
        }
        var elements: [(element: Element, line: Int)] = []
        for node in nodes {
            if case .scalar = node.content {
                let raw = try self.text(node, key: fullName(name))
                elements.append((text(try raw.expanded(environment)), node.line))
            } else {
                elements.append((try inner(name, node, section), node.line))
            }
        }
        return elements
    }

    /// The names of the values inside that are given and no sections, such as `storage.type`, in the file's order.
    var leafNames: [String] { Self.leafNames(entries) }

    private static func leafNames(_ entries: [YAMLNode.Entry]) -> [String] {
        entries.flatMap { entry -> [String] in
            if entry.value.isNull { return [] }
            guard case .mapping(let inside) = entry.value.content else { return [entry.key] }
            return leafNames(inside).map { entry.key + "." + $0 }
        }
    }

    /// Reads a section inside this one and refuses keys that `read` did not ask for.
    package mutating func section<Result>(
        _ name: String, _ read: (inout ConfigSection) throws(ConfigError) -> Result
    ) throws(ConfigError) -> Result {
        let node = value(name)
        return try self.inner(name, node, read)
    }

    /// Reads every key of this section as a section: a map from names that the file chooses.
    package mutating func namedSections<Result>(
        _ read: (inout ConfigSection) throws(ConfigError) -> Result
    ) throws(ConfigError) -> [String: Result] {
        var results: [String: Result] = [:]
        for entry in entries {
            knownNames.append(entry.key)
            results[entry.key] = try inner(entry.key, entry.value, read)
        }
        return results
    }

    /// Makes names known that somebody else reads.
    mutating func declare(_ names: [String]) { knownNames += names }

    /// The error that a key is not there which has to be.
    func missing(_ name: String, expected: String) -> ConfigError {
        let problem = ConfigError.Problem.wrongValue(key: fullName(name), expected: expected, found: "nothing")
        return ConfigError(file: file, line: entries.first?.line, problem: problem)
    }

    /// Refuses the first key that nobody asked for.
    func rejectUnknownKeys() throws(ConfigError) {
        guard let entry = entries.first(where: { !knownNames.contains($0.key) }) else { return }
        let problem = ConfigError.Problem.unknownKey(entry.key, nearest: nearestName(to: entry.key, in: knownNames))
        throw ConfigError(file: file, line: entry.line, problem: problem)
    }

    // MARK: Shared by all

    private func inner<Result>(
        _ name: String, _ node: YAMLNode?, _ read: (inout ConfigSection) throws(ConfigError) -> Result
    ) throws(ConfigError) -> Result {
        var section = try ConfigSection(node, path: fullName(name), file: file, environment: environment)
        let result = try read(&section)
        try section.rejectUnknownKeys()
        return result
    }

    /// The value of a key, which is known from now on; nil if it is missing or null.
    private mutating func value(_ name: String) -> YAMLNode? {
        knownNames.append(name)
        guard let node = entries.first(where: { $0.key == name })?.value, !node.isNull else { return nil }
        return node
    }

    private mutating func scalar<Value>(
        _ name: String, expected: String, _ read: (String) -> Value?
    ) throws(ConfigError) -> Value? {
        guard let node = value(name) else { return nil }
        let text = try text(node, key: fullName(name), expected: expected)
        guard let value = read(try text.expanded(environment)) else {
            throw Self.wrongValue(file, fullName(name), node, expected: expected)
        }
        return value
    }

    private func text(
        _ node: YAMLNode, key: String, expected: String = "text"
    ) throws(ConfigError) -> ConfigText {
        guard case .scalar(let raw, _) = node.content else {
            throw Self.wrongValue(file, key, node, expected: expected)
        }
        return ConfigText(raw: raw, key: key, file: file, line: node.line)
    }

    private func fullName(_ name: String) -> String { path.isEmpty ? name : path + "." + name }

    private static func wrongValue(_ file: String, _ key: String, _ node: YAMLNode, expected: String) -> ConfigError {
        let found =
            switch node.content {
            case .scalar(let text, _): "\"\(text)\""
            case .sequence: "a list"
            case .mapping: "a mapping"
            }
        return ConfigError(
            file: file, line: node.line, problem: .wrongValue(key: key, expected: expected, found: found))
    }
}
