import Config
import Files
import JSON
import Table

extension Command {
    /// `tidemark status`.
    static let status = Command(
        "status", "Show how the collector is doing.",
        examples: ["tidemark status", "tidemark status --json"],
        options: CollectorAccess.adminOptions + [.flag("json", help: "Show the collector's answer as it is.")],
        run: { invocation in
            let status = try request("status", [:], invocation)
            if invocation.arguments.has(flag: "json") {
                try invocation.console.writeOutput(status.encoded(.indented(spaces: 2)) + [UInt8(ascii: "\n")])
            } else {
                try invocation.console.writeOutput(Array(lines(of: status).utf8))
            }
            return .done
        })

    /// `tidemark compact`.
    static let compact = Command(
        "compact", "Bring the log into the tables now, and wait until it is there.",
        notes: "The collector does so by itself every few minutes; this asks it to do it at once.",
        examples: ["tidemark compact", "tidemark compact --project shop"],
        options: CollectorAccess.adminOptions + [.value("project", "name", help: "Only this project; all by default.")],
        run: { invocation in
            let project = invocation.arguments.value("project")
            let published = try request("publish", project.map { ["project": .string($0)] } ?? [:], invocation)
            try invocation.console.writeOutput(Array(lines(of: published).utf8))
            return .done
        })

    /// `tidemark project create`.
    static let projectCreate = Command(
        "project create", "Make a project: tables and tokens of its own.",
        notes: "A token for it comes from `tidemark token create --project`.",
        examples: ["tidemark project create shop"], options: CollectorAccess.adminOptions,
        positionals: [.init("name", .one)],
        run: { invocation in
            let name = invocation.arguments.positionals[0]
            guard Project.isValid(name) else { throw CommandError.projectName(name) }
            _ = try request("create_project", ["project": .string(name)], invocation)
            try invocation.console.print("project \(name) is there")
            return .done
        })

    /// `tidemark project list`.
    static let projectList = Command(
        "project list", "List the projects of a data folder.",
        examples: ["tidemark project list"], options: CollectorAccess.adminOptions,
        run: { invocation in
            let access = try CollectorAccess(invocation)
            for project in try Project.list(dataFolder: access.dataFolder, disk: .posix) {
                try invocation.console.print(project.name)
            }
            return .done
        })

    private static func request(_ verb: String, _ argument: JSONValue, _ invocation: Invocation) throws -> JSONValue {
        let access = try CollectorAccess(invocation)
        let console = invocation.console
        var seconds = 0
        defer { if seconds > 0, console.isErrorTerminal { console.writeError("\r          \r") } }
        return try AdminClient.request(
            verb, argument, socket: access.socket, token: try access.adminToken(invocation.arguments, disk: .posix),
            onSecond: {
                seconds += 1
                if console.isErrorTerminal {
                    console.writeError("\r" + Figures.clock(Double(seconds)))
                } else if seconds % 10 == 0 {
                    console.note("\(verb): \(seconds) s")
                }
            })
    }

    /// `log.records  3`, a line a value.
    static func lines(of value: JSONValue) -> String {
        var pairs: [(name: String, text: String)] = []
        func gather(_ value: JSONValue, _ name: String) {
            switch value {
            case .object(let object):
                let prefix = name.isEmpty ? "" : name + "."
                for member in object.members { gather(member.value, prefix + member.name) }
            case .array(let elements) where elements.contains { $0.asObject != nil }:
                for (index, element) in elements.enumerated() { gather(element, name + "[\(index)]") }
            case .string(let text): pairs.append((name, text))
            case .integer(let number): pairs.append((name, Figures.grouped(Int(number))))
            default: pairs.append((name, value.description))
            }
        }
        gather(value, "")
        let width = pairs.map(\.name.count).max() ?? 0
        return pairs.map { name, text in
            name + String(repeating: " ", count: width - name.count + 2) + text + "\n"
        }.joined()
    }
}
