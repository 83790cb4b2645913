import Bytes
import Crypto
import Files
import JSON
import Table

/// The file of token hashes: `{"format": 0, "tokens": [{"name", "role", "projects", "sha256"}]}`. Nobody can read a
/// token out of it.
///
/// Valid: names are 1 to `Limits.tokenBytesMax` bytes (the log keeps them with each source), no hash stands twice, a
/// role has as many projects as `Role.projectCounts` says, sha256 is 64 hexadecimal digits.
///
/// Crash story: the file is replaced whole; the old one is in force until then.
package struct TokenFile: Sendable, Equatable {
    /// One entry.
    package struct Token: Sendable, Equatable {
        package let name: String
        package let role: Role
        package let projects: [String]
        /// Of the token's text: 32 bytes.
        package let sha256: [UInt8]
    }

    package static let byteCountMax = 16 << 20

    package private(set) var tokens: [Token] = []

    package init() {}

    /// - Parameter path: for the message.
    /// - Throws: `AccessError.invalid`.
    package init(_ text: [UInt8], path: String) throws(AccessError) {
        let json: JSONValue
        do { json = try JSONValue(parsing: text) } catch {
            throw .invalid(path: path, reason: error.description)
        }
        guard json["format"]?.asInteger == 0, let list = json["tokens"]?.asArray else {
            throw .invalid(path: path, reason: "not a token file of format 0")
        }
        var hashes = Set<[UInt8]>()
        for (index, item) in list.enumerated() {
            do throws(Fault) {
                let token = try Token(item)
                guard hashes.insert(token.sha256).inserted else { throw Fault(reason: "its hash is there already") }
                tokens.append(token)
            } catch {
                throw .invalid(path: path, reason: "tokens[\(index)]: \(error.reason)")
            }
        }
    }

    /// The file at `path`; one without tokens if there is none.
    package static func read(_ path: String, disk: Disk) throws -> TokenFile {
        guard let text = try disk.contentsIfPresent(path, limit: byteCountMax) else { return TokenFile() }
        return try TokenFile(text, path: path)
    }

    /// Reads, changes and replaces the file at `path`, one process at a time.
    package static func change(_ path: String, disk: Disk, _ change: (inout TokenFile) throws -> Void) throws {
        try disk.makeFolder(Disk.folder(of: path))
        let lock = try File.open(path + ".lock", .createOrOpen(0o600), disk: disk)
        _ = try lock.lock(wait: true)
        var file = try read(path, disk: disk)
        try change(&file)
        try disk.replace(path, with: file.encoded(), mode: 0o600)
        try lock.close()
    }

    package func encoded() -> [UInt8] {
        let list = tokens.map { token -> JSONValue in
            [
                "name": .string(token.name), "role": .string(token.role.rawValue),
                "projects": .array(token.projects.map { .string($0) }), "sha256": .string(Hex.encode(token.sha256)),
            ]
        }
        let json: JSONValue = ["format": 0, "tokens": .array(list)]
        return json.encoded(.indented(spaces: 2)) + [UInt8(ascii: "\n")]
    }

    /// Adds a token that nobody can guess.
    /// - Parameters:
    ///   - name: 1 to `Limits.tokenBytesMax` bytes.
    ///   - projects: valid names, as many as the role wants; a precondition.
    /// - Returns: the token's text, of which only the hash is kept.
    package mutating func add(
        name: String, role: Role, projects: [String], path: String
    ) throws(AccessError) -> String {
        precondition(role.projectCounts.contains(projects.count) && projects.allSatisfy(Project.isValid))
        guard Token.isValid(name: name) else {
            throw .invalid(path: path, reason: "a token's name has 1 to \(Limits.tokenBytesMax) bytes")
        }
        guard !tokens.contains(where: { $0.name == name }) else { throw .nameTaken(path: path, name: name) }
        let text = "tdm_\(role.rawValue)_" + Hex.encode(secureRandomBytes(count: 32))
        tokens.append(Token(name: name, role: role, projects: projects, sha256: SHA256.hash(Array(text.utf8))))
        return text
    }

    /// Removes every token of that name.
    package mutating func remove(name: String, path: String) throws(AccessError) {
        let count = tokens.count
        tokens.removeAll { $0.name == name }
        guard tokens.count < count else { throw .nameUnknown(path: path, name: name) }
    }

    /// Makes the file with an ingest and a query token for `project` and an admin token, whose texts are left in files
    /// of `dataFolder` that only the owner may read. Does nothing if there is a token file.
    package static func createIfMissing(path: String, dataFolder: String, project: String, disk: Disk) throws {
        guard !disk.exists(path) else { return }
        var file = TokenFile()
        let first: [(name: String, role: Role, projects: [String])] = [
            (project, .ingest, [project]), ("admin", .admin, []), ("query", .write, [project]),
        ]
        for (name, role, projects) in first {
            let text = try file.add(name: name, role: role, projects: projects, path: path)
            try disk.replace(dataFolder + "/\(name).token", with: Array((text + "\n").utf8), mode: 0o600)
        }
        try disk.replace(path, with: file.encoded(), mode: 0o600)
    }
}

/// Why one entry is refused.
private struct Fault: Error { let reason: String }

extension TokenFile.Token {
    static func isValid(name: String) -> Bool { (1...Limits.tokenBytesMax).contains(name.utf8.count) }

    fileprivate init(_ item: JSONValue) throws(Fault) {
        guard let name = item["name"]?.asString, Self.isValid(name: name) else {
            throw Fault(reason: "no name of 1 to \(Limits.tokenBytesMax) bytes")
        }
        guard let digits = item["sha256"]?.asString, let hash = Hex.decode(digits), hash.count == SHA256.byteCount
        else { throw Fault(reason: "sha256 is not 64 hexadecimal digits") }
        guard let role = item["role"]?.asString.flatMap(Role.init) else {
            let known = Role.allCases.map(\.rawValue).joined(separator: ", ")
            throw Fault(reason: "role is none of \(known)")
        }
        var projects: [String] = []
        for value in item["projects"]?.asArray ?? [] {
            guard let name = value.asString, Project.isValid(name) else {
                throw Fault(reason: "\(value) is no project's name")
            }
            projects.append(name)
        }
        guard role.projectCounts.contains(projects.count) || role == .admin else {
            throw Fault(
                reason: role == .ingest ? "an ingest token has exactly one project" : "a \(role) token has a project")
        }
        self.init(name: name, role: role, projects: role == .admin ? [] : projects, sha256: hash)
    }
}
