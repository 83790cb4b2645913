import Bytes
import Config
import Crypto
import Files
import Foundation
import JSON
import Table

extension Command {
    /// `tidemark token create`.
    static let tokenCreate = Command(
        "token create", "Make a token and show it once.",
        notes: """
            Only the token's SHA-256 is kept: what is shown now cannot be shown again. A running collector reads
            the file anew at once. Roles: ingest writes to one project; relay writes to several; admin may ask
            for compaction and the like, on the Unix socket.
            """,
        examples: [
            "tidemark token create --name web --project default",
            "tidemark token create --name edge --role relay --project shop --project blog",
            "tidemark token create --name ops --role admin",
        ],
        options: CollectorAccess.adminOptions + [
            .value("name", "name", help: "What the token is called; it goes with its sources."),
            .value("role", "ingest|relay|admin", help: "What it may do; ingest by default."),
            .value("project", "name", help: "A project it may write to; default by default."),
        ],
        repeatable: ["project"], run: createToken)

    /// `tidemark token list`.
    static let tokenList = Command(
        "token list", "List the tokens: names, roles, projects.",
        examples: ["tidemark token list"], options: CollectorAccess.adminOptions,
        run: { invocation in
            let access = try CollectorAccess(invocation)
            let file = try readTokens(access.tokenFile)
            var table = TextTable([.init("name"), .init("role"), .init("projects"), .init("sha256")])
            for token in file.tokens {
                let projects = token.projects.joined(separator: ", ")
                table.add([token.name, token.role, projects, String(token.sha256.prefix(12))])
            }
            try invocation.console.writeOutput(Array(table.text.utf8))
            return .done
        })

    /// `tidemark token revoke`.
    static let tokenRevoke = Command(
        "token revoke", "Remove a token: who shows it is refused from now on.",
        notes: "Connections that are open already stay open.",
        examples: ["tidemark token revoke web"], options: CollectorAccess.adminOptions,
        positionals: [.init("name", .one)],
        run: { invocation in
            let access = try CollectorAccess(invocation)
            let name = invocation.arguments.positionals[0]
            try changeTokens(access.tokenFile) { file in
                guard file.remove(name: name) else {
                    throw CommandError.nothingThere(path: access.tokenFile, expected: "no token \"\(name)\"")
                }
            }
            try reloadTokens(access, invocation)
            return .done
        })

    private static func createToken(_ invocation: Invocation) throws -> ExitCode {
        let access = try CollectorAccess(invocation)
        guard let name = invocation.arguments.value("name"), !name.isEmpty else {
            throw CommandError.usage("--name is missing")
        }
        let role = try invocation.choice("role", ifAbsent: TokenFile.Role.ingest)
        let named = invocation.repeated["project"] ?? []
        if role == .admin, !named.isEmpty { throw CommandError.usage("an admin token has no projects") }
        let projects = named.isEmpty && role != .admin ? [Project.defaultName] : named
        for project in projects where !Project.isValid(project) {
            throw CommandError.projectName(project)
        }
        if role == .ingest, projects.count != 1 { throw CommandError.usage("an ingest token has exactly one project") }
        let token = "tdm_\(role.rawValue)_" + Hex.encode(secureRandomBytes(count: 32))
        try changeTokens(access.tokenFile) { file in
            guard file.add(name: name, role: role, projects: projects, token: token) else {
                throw CommandError.unreadableTokens(
                    path: access.tokenFile, reason: "there is a token \"\(name)\" already; revoke it first")
            }
        }
        try invocation.console.print(token)
        try reloadTokens(access, invocation)
        return .done
    }

    private static func readTokens(_ path: String) throws -> TokenFile {
        guard let text = try Disk.posix.contentsIfPresent(path, limit: 16 << 20) else { return TokenFile() }
        return try TokenFile(text, path: path)
    }

    /// Reads, changes and replaces the file, one process at a time.
    ///
    /// Crash story: the file is replaced whole; the old one is in force until then.
    private static func changeTokens(_ path: String, _ change: (inout TokenFile) throws -> Void) throws {
        let disk = Disk.posix
        try disk.makeFolder(Disk.folder(of: path))
        let lock = try File.open(path + ".lock", .createOrOpen(0o600), disk: disk)
        _ = try lock.lock(wait: true)
        var file = try readTokens(path)
        try change(&file)
        try disk.replace(path, with: file.encoded(), mode: 0o600)
        try lock.close()
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
