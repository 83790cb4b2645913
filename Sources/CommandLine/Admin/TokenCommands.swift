import Access
import Bytes
import Config
import Files
import Foundation
import Table

extension Command {
    /// `tidemark token create`.
    static let tokenCreate = Command(
        "token create", "Make a token and show it once.",
        notes: """
            Only the token's SHA-256 is kept: what is shown now cannot be shown again. A running collector reads
            the file anew at once, queryd within a second. Roles: ingest sends events to one project, relay to
            several; read asks queryd about its projects, write also keeps dashboards and descriptions there;
            admin may do all that in every project, and ask the collector for compaction and the like.
            """,
        examples: [
            "tidemark token create --name web --project default",
            "tidemark token create --name edge --role relay --project shop --project blog",
            "tidemark token create --name ana --role read --project shop",
            "tidemark token create --name ops --role admin",
        ],
        options: CollectorAccess.adminOptions + [
            .value("name", "name", help: "What the token is called; it goes with its sources."),
            .value("role", "ingest|relay|admin|read|write", help: "What it may do; ingest by default."),
            .value("project", "name", help: "A project it is for; default by default."),
        ],
        repeatable: ["project"], run: createToken)

    /// `tidemark token list`.
    static let tokenList = Command(
        "token list", "List the tokens: names, roles, projects.",
        examples: ["tidemark token list"], options: CollectorAccess.adminOptions,
        run: { invocation in
            let access = try CollectorAccess(invocation)
            let file = try TokenFile.read(access.tokenFile, disk: .posix)
            var table = TextTable([.init("name"), .init("role"), .init("projects"), .init("sha256")])
            for token in file.tokens {
                let projects = token.projects.joined(separator: ", ")
                table.add([token.name, token.role.rawValue, projects, String(Hex.encode(token.sha256).prefix(12))])
            }
            try invocation.console.writeOutput(Array(table.text.utf8))
            return .done
        })

    /// `tidemark token revoke`.
    static let tokenRevoke = Command(
        "token revoke", "Remove a token: who shows it is refused from now on.",
        notes: "Connections of senders that are open already stay open; logins to queryd end within a second.",
        examples: ["tidemark token revoke web"], options: CollectorAccess.adminOptions,
        positionals: [.init("name", .one)],
        run: { invocation in
            let access = try CollectorAccess(invocation)
            let name = invocation.arguments.positionals[0]
            try TokenFile.change(access.tokenFile, disk: .posix) { try $0.remove(name: name, path: access.tokenFile) }
            try reloadTokens(access, invocation)
            return .done
        })

    private static func createToken(_ invocation: Invocation) throws -> ExitCode {
        let access = try CollectorAccess(invocation)
        guard let name = invocation.arguments.value("name"), !name.isEmpty else {
            throw CommandError.usage("--name is missing")
        }
        let role = try invocation.choice("role", ifAbsent: Role.ingest)
        let named = invocation.repeated["project"] ?? []
        if role == .admin, !named.isEmpty { throw CommandError.usage("an admin token has no projects") }
        let projects = named.isEmpty && role != .admin ? [Project.defaultName] : named
        for project in projects where !Project.isValid(project) {
            throw CommandError.projectName(project)
        }
        if role == .ingest, projects.count != 1 { throw CommandError.usage("an ingest token has exactly one project") }
        var token = ""
        try TokenFile.change(access.tokenFile, disk: .posix) { file in
            token = try file.add(name: name, role: role, projects: projects, path: access.tokenFile)
        }
        try invocation.console.print(token)
        try reloadTokens(access, invocation)
        return .done
    }

    /// Asks a running collector to read the file anew.
    private static func reloadTokens(_ access: CollectorAccess, _ invocation: Invocation) throws {
        do {
            let token = try access.adminToken(invocation.arguments, disk: .posix)
            _ = try AdminClient.request("reload_tokens", [:], socket: access.socket, token: token)
            invocation.console.note("the collector knows")
        } catch let error as CommandError {
            invocation.console.note("written; a running collector was not told: \(error.description)")
        }
    }
}

extension CollectorAccess {
    init(_ invocation: Invocation) throws {
        try self.init(invocation.arguments, environment: ProcessInfo.processInfo.environment, disk: .posix)
    }
}
