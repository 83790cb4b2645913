/// A text of the configuration, its variables not expanded yet: whoever uses it needs them set, nobody else.
package struct ConfigText: Sendable, Equatable {
    /// As the file has it.
    package let raw: String
    /// The key's full name, for errors.
    let key: String
    let file: String
    let line: Int

    /// The text with each `${NAME}` replaced by the environment's value and each `${NAME:-default}` by the default
    /// if that is unset or empty. What is put in is not searched for variables again. `$` alone is a `$`.
    /// - Throws: `.unsetVariable`, or `.wrongValue` for a `${` that is no variable.
    package func expanded(_ environment: [String: String]) throws(ConfigError) -> String {
        var result = ""
        var rest = raw[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[dollar...]
            guard rest.hasPrefix("${") else {
                result += "$"
                rest = rest.dropFirst()
                continue
            }
            guard let brace = rest.firstIndex(of: "}") else { throw malformed }
            result += try value(of: rest[..<brace].dropFirst(2), environment)
            rest = rest[brace...].dropFirst()
        }
        return result + rest
    }

    private func value(of variable: Substring, _ environment: [String: String]) throws(ConfigError) -> String {
        let name = String(variable.prefix { $0 == "_" || ($0.isASCII && ($0.isLetter || $0.isNumber)) })
        let tail = variable.dropFirst(name.count)
        guard let first = name.first, !first.isNumber else { throw malformed }
        if tail.isEmpty {
            guard let value = environment[name] else { throw error(.unsetVariable(key: key, name: name)) }
            return value
        }
        guard tail.hasPrefix(":-") else { throw malformed }
        let value = environment[name] ?? ""
        return value.isEmpty ? String(tail.dropFirst(2)) : value
    }

    private var malformed: ConfigError {
        error(.wrongValue(key: key, expected: "${NAME} or ${NAME:-default}", found: "\"\(raw)\""))
    }

    private func error(_ problem: ConfigError.Problem) -> ConfigError {
        ConfigError(file: file, line: line, problem: problem)
    }
}
