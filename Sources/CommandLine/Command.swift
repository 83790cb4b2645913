import Config

/// One subcommand: its words, its syntax, and what it does.
struct Command: Sendable {
    /// As a person types them after `tidemark`.
    let words: [String]
    let summary: String
    /// What `--help` says after the options.
    let notes: String
    let examples: [String]
    let options: [CommandSyntax.Option]
    let positionals: [CommandSyntax.Positional]
    /// Options that may be given more than once.
    let repeatable: Set<String>
    let run: @Sendable (Invocation) throws -> ExitCode

    init(
        _ words: String, _ summary: String, notes: String = "", examples: [String],
        options: [CommandSyntax.Option] = [], positionals: [CommandSyntax.Positional] = [],
        repeatable: Set<String> = [], run: @escaping @Sendable (Invocation) throws -> ExitCode
    ) {
        self.words = words.split(separator: " ").map(String.init)
        self.summary = summary
        self.notes = notes
        self.examples = examples
        self.options = options
        self.positionals = positionals
        self.repeatable = repeatable
        self.run = run
    }

    var name: String { words.joined(separator: " ") }

    private var syntax: CommandSyntax {
        CommandSyntax(command: "tidemark " + name, summary: summary, options: options, positionals: positionals)
    }

    var helpText: String {
        let parts = [
            syntax.helpText, notes.isEmpty ? "" : "\n" + notes + "\n",
            "\nexamples:\n" + examples.map { "  " + $0 + "\n" }.joined(),
        ]
        return parts.joined()
    }

    func run(_ arguments: [String], _ console: Console) throws -> ExitCode {
        let (single, repeated) = takeRepeated(arguments)
        let parsed = try syntax.parse(single)
        if parsed.isHelpRequested {
            try console.writeOutput(Array(helpText.utf8))
            return .done
        }
        return try run(Invocation(arguments: parsed, repeated: repeated, console: console))
    }

    /// Takes every `--name value` and `--name=value` of a repeatable option out of the arguments.
    private func takeRepeated(_ arguments: [String]) -> (single: [String], repeated: [String: [String]]) {
        var single: [String] = []
        var repeated: [String: [String]] = [:]
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--" { return (single + [argument] + rest, repeated) }
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = argument.hasPrefix("--") ? String(parts[0].dropFirst(2)) : ""
            if !repeatable.contains(name) {
                single.append(argument)
            } else if parts.count == 2 {
                repeated[name, default: []].append(String(parts[1]))
            } else if let value = rest.popFirst() {
                repeated[name, default: []].append(value)
            } else {
                single.append(argument)  // the syntax says that its value is missing
            }
        }
        return (single, repeated)
    }
}

/// One call of a command.
struct Invocation {
    let arguments: CommandArguments
    let repeated: [String: [String]]
    let console: Console

    /// The value of an option that is one of some words.
    func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, ifAbsent: Choice
    ) throws(UsageError) -> Choice where Choice.RawValue == String {
        let words = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        return try arguments.value(name, expected: "one of \(words)") { Choice(rawValue: $0) } ?? ifAbsent
    }
}

/// The program: finds the command that the arguments name, runs it, and says how it ended.
package enum TidemarkCommands {
    static let all: [Command] = [
        .importFiles, .demo, .query, .login, .status, .compact, .walList, .walCat, .walVerify, .walStats,
        .tokenCreate, .tokenList, .tokenRevoke, .projectCreate, .projectList, .benchIngest,
    ]

    /// - Parameter arguments: without the program's name.
    /// - Returns: the exit code: 0 done, 1 failed, 2 partial or torn, 3 corrupt, 64 wrong call.
    package static func run(_ arguments: [String], _ console: Console) -> Int32 {
        do {
            return try dispatch(arguments, console).rawValue
        } catch let error as UsageError {
            console.note("tidemark: \(error.description)")
            return UsageError.exitCode
        } catch let error as CommandError {
            console.note("tidemark: \(error.description)")
            return error.exitCode.rawValue
        } catch {
            console.note("tidemark: \(error)")
            return ExitCode.failed.rawValue
        }
    }

    private static func dispatch(_ arguments: [String], _ console: Console) throws -> ExitCode {
        let isHelp = ["help", "--help", "-h"].contains(arguments.first ?? "")
        if isHelp, arguments.count == 1 {
            try console.writeOutput(Array(overview(all).utf8))
            return .done
        }
        let words = isHelp ? Array(arguments.dropFirst()) : arguments
        if let command = all.first(where: { words.starts(with: $0.words) }) {
            let rest = Array(words.dropFirst(command.words.count))
            return try command.run(isHelp ? ["--help"] : rest, console)
        }
        let group = all.filter { $0.words.count > 1 && $0.words.first == words.first }
        guard let first = words.first, !group.isEmpty else {
            console.writeError(overview(all))
            if let first = words.first { throw CommandError.usage("no command \"\(first)\"") }
            return .usage
        }
        if isHelp || words.count == 2, ["--help", "-h"].contains(words.last ?? "") || isHelp {
            try console.writeOutput(Array(overview(group).utf8))
            return .done
        }
        console.writeError(overview(group))
        if words.count > 1 { throw CommandError.usage("no command \"\(first) \(words[1])\"") }
        return .usage
    }

    private static func overview(_ commands: [Command]) -> String {
        let width = commands.map(\.name.count).max() ?? 0
        let lines = commands.map { command in
            "  " + command.name + String(repeating: " ", count: width - command.name.count + 2) + command.summary
        }
        return (["usage: tidemark <command> [options]", "", "commands:"] + lines
            + ["", "tidemark <command> --help tells more."]).joined(separator: "\n") + "\n"
    }
}
