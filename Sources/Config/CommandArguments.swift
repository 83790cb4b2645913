import Bytes

/// What a program may be called with; parses the arguments and writes the help.
package struct CommandSyntax: Sendable {
    package struct Option: Sendable {
        let name: String
        /// What the value stands for in the help; nil for a flag.
        let placeholder: String?
        var mayRepeat = false
        let help: String

        /// `--name`, without a value.
        package static func flag(_ name: String, help: String) -> Option {
            Option(name: name, placeholder: nil, help: help)
        }

        /// `--name value` or `--name=value`.
        package static func value(_ name: String, _ placeholder: String, help: String) -> Option {
            Option(name: name, placeholder: placeholder, help: help)
        }

        /// `--name value`, as often as wanted.
        package static func values(_ name: String, _ placeholder: String, help: String) -> Option {
            Option(name: name, placeholder: placeholder, mayRepeat: true, help: help)
        }
    }

    package struct Positional: Sendable {
        package enum Count: Sendable { case one, zeroOrOne, zeroOrMore, oneOrMore }
        let name: String
        let count: Count

        package init(_ name: String, _ count: Count) {
            self.name = name
            self.count = count
        }

        var usage: String {
            switch count {
            case .one: " <\(name)>"
            case .zeroOrOne: " [<\(name)>]"
            case .zeroOrMore: " [<\(name)>...]"
            case .oneOrMore: " <\(name)>..."
            }
        }
    }

    let command: String
    let summary: String
    let options: [Option]
    let positionals: [Positional]

    /// - Parameters:
    ///   - command: as a person types it, such as `tidemark wal dump`.
    ///   - positionals: only the last may have any other count than one, a precondition.
    package init(command: String, summary: String, options: [Option] = [], positionals: [Positional] = []) {
        precondition(positionals.dropLast().allSatisfy { $0.count == .one }, "only the last positional may vary")
        self.command = command
        self.summary = summary
        self.options = options + [.flag("help", help: "Show this help.")]
        self.positionals = positionals
    }

    package var helpText: String {
        let usage = "usage: \(command) [options]" + positionals.map(\.usage).joined()
        let lefts = options.map { "  --" + $0.name + ($0.placeholder.map { " <\($0)>" } ?? "") }
        let width = lefts.map(\.count).max() ?? 0
        let lines = zip(lefts, options).map { left, option in
            left + String(repeating: " ", count: width - left.count + 2) + option.help
        }
        return ([usage, "", summary, "", "options:"] + lines).joined(separator: "\n") + "\n"
    }

    /// Sorts arguments (without the program's name) into options and positionals. `--` ends the options, and a `-`
    /// alone is a positional. With `--help` nothing else is demanded.
    package func parse(_ arguments: [String]) throws(UsageError) -> CommandArguments {
        var result = CommandArguments(options: options)
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--" {
                result.positionals += rest
                break
            }
            if argument == "-h" {
                result.values["help"] = [""]
            } else if argument.hasPrefix("-"), argument != "-" {
                try parseOption(argument, &rest, &result)
            } else {
                result.positionals.append(argument)
            }
        }
        if !result.isHelpRequested { try checkPositionals(result.positionals) }
        return result
    }

    private func parseOption(
        _ argument: String, _ rest: inout ArraySlice<String>, _ result: inout CommandArguments
    ) throws(UsageError) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0].drop { $0 == "-" })
        guard argument.hasPrefix("--"), let option = options.first(where: { $0.name == name }) else {
            throw .unknownOption(String(parts[0]), nearest: nearestName(to: name, in: options.map(\.name)))
        }
        guard option.mayRepeat || result.values[name] == nil else { throw .repeatedOption(name) }
        switch (option.placeholder, parts.count) {
        case (nil, 1): result.values[name] = [""]
        case (nil, _): throw .unexpectedValue(name)
        case (_?, 1):
            guard let value = rest.popFirst() else { throw .missingValue(name) }
            result.values[name, default: []].append(value)
        case (_?, _): result.values[name, default: []].append(String(parts[1]))
        }
    }

    private func checkPositionals(_ given: [String]) throws(UsageError) {
        for (index, positional) in positionals.enumerated() {
            switch positional.count {
            case .zeroOrOne: break
            case .zeroOrMore: return
            case .one where given.count <= index, .oneOrMore where given.count <= index:
                throw .missingArgument(positional.name)
            case .oneOrMore: return
            case .one: break
            }
        }
        if given.count > positionals.count { throw .unexpectedArgument(given[positionals.count]) }
    }
}

/// The arguments of one call, sorted by a `CommandSyntax`.
/// Asking for an option it does not declare is our bug and traps.
package struct CommandArguments: Sendable {
    package internal(set) var positionals: [String] = []
    fileprivate var values: [String: [String]] = [:]
    private let options: [CommandSyntax.Option]

    fileprivate init(options: [CommandSyntax.Option]) { self.options = options }

    package var isHelpRequested: Bool { values["help"] != nil }

    package func has(flag name: String) -> Bool {
        precondition(options.contains { $0.name == name && $0.placeholder == nil }, "no flag --\(name)")
        return values[name] != nil
    }

    /// The value of an option; nil if it is not given.
    package func value(_ name: String) -> String? {
        precondition(
            options.contains { $0.name == name && $0.placeholder != nil && !$0.mayRepeat }, "no option --\(name)")
        return values[name]?.first
    }

    /// The values of an option that may repeat, in order; none if it is not given.
    package func values(_ name: String) -> [String] {
        precondition(options.contains { $0.name == name && $0.mayRepeat }, "no option --\(name) that may repeat")
        return values[name] ?? []
    }

    /// The value of an option as a whole number; nil if it is not given.
    package func integer(_ name: String, in range: ClosedRange<Int>) throws(UsageError) -> Int? {
        try value(name, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)") { text in
            Int(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// The value of an option as `read` makes it; nil if it is not given.
    /// - Throws: `.invalidValue` if `read` returns nil.
    package func value<Value>(
        _ name: String, expected: String, _ read: (String) -> Value?
    ) throws(UsageError) -> Value? {
        guard let text = value(name) else { return nil }
        guard let result = read(text) else { throw .invalidValue(name, expected: expected, found: text) }
        return result
    }
}

/// A call that does not fit the syntax; the program ends with `exitCode` after showing it.
package enum UsageError: Error, Equatable, Sendable, CustomStringConvertible {
    case unknownOption(String, nearest: String?)
    case missingValue(String)
    case unexpectedValue(String)
    case repeatedOption(String)
    case invalidValue(String, expected: String, found: String)
    case missingArgument(String)
    case unexpectedArgument(String)

    /// EX_USAGE of sysexits.h.
    package static let exitCode: Int32 = 64

    package var description: String {
        switch self {
        case .unknownOption(let option, let nearest):
            "unknown option \(option)" + (nearest.map { ", did you mean --\($0)?" } ?? "")
        case .missingValue(let name): "--\(name) needs a value"
        case .unexpectedValue(let name): "--\(name) takes no value"
        case .repeatedOption(let name): "--\(name) is given twice"
        case .invalidValue(let name, let expected, let found): "--\(name): expected \(expected), found \"\(found)\""
        case .missingArgument(let name): "<\(name)> is missing"
        case .unexpectedArgument(let text): "unexpected argument \"\(text)\""
        }
    }
}
