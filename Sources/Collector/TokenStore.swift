import Bytes
import Crypto
import Files
import JSON
import Synchronization
import Table
import Wire

/// Who may connect: a file of token hashes, read into an immutable snapshot.
final class TokenStore: Sendable {
    struct Token: Sendable, Equatable {
        let name: String
        let grant: Grant
    }

    enum Failure: Error, CustomStringConvertible {
        case invalid(path: String, reason: String)
        var description: String {
            switch self { case .invalid(let path, let reason): "\(path): \(reason)" }
        }
    }

    private let path: String
    private let disk: Disk
    /// By the SHA-256 of the token's text. Comparing hashes leaks nothing that helps to guess 256 random bits.
    private let tokens = Mutex<[[UInt8]: Token]>([:])

    init(path: String, disk: Disk) {
        self.path = path
        self.disk = disk
    }

    /// Reads the file; on failure the tokens known before stay in force.
    func reload() throws {
        let read = try Self.parse(try disk.contents(path, limit: 16 << 20), path)
        tokens.withLock { $0 = read }
    }

    func token(_ text: String) -> Token? {
        let hash = SHA256.hash(Array(text.utf8))
        return tokens.withLock { $0[hash] }
    }

    private static func parse(_ bytes: [UInt8], _ path: String) throws -> [[UInt8]: Token] {
        let json: JSONValue
        do { json = try JSONValue(parsing: bytes) } catch { throw Failure.invalid(path: path, reason: "\(error)") }
        guard json["format"]?.asInteger == 0, let list = json["tokens"]?.asArray else {
            throw Failure.invalid(path: path, reason: "not a token file of format 0")
        }
        var tokens: [[UInt8]: Token] = [:]
        for (index, item) in list.enumerated() {
            func invalid(_ reason: String) -> Failure { .invalid(path: path, reason: "tokens[\(index)]: \(reason)") }
            // The log keeps the name with each source, within the same bounds.
            guard let name = item["name"]?.asString, (1...Limits.tokenBytesMax).contains(name.utf8.count) else {
                throw invalid("no name of 1 to \(Limits.tokenBytesMax) bytes")
            }
            guard let digits = item["sha256"]?.asString, let hash = Hex.decode(digits), hash.count == SHA256.byteCount
            else { throw invalid("sha256 is not 64 hexadecimal digits") }
            let projects = try (item["projects"]?.asArray ?? []).map { value in
                guard let name = value.asString, Project.isValid(name) else {
                    throw invalid("\(value) is no project's name")
                }
                return name
            }
            let grant: Grant
            switch item["role"]?.asString {
            case "ingest":
                guard projects.count == 1 else { throw invalid("an ingest token has exactly one project") }
                grant = .ingest(project: projects[0])
            case "relay": grant = .relay(projects: Set(projects))
            case "admin": grant = .admin
            default: throw invalid("role is not ingest, relay or admin")
            }
            tokens[hash] = Token(name: name, grant: grant)
        }
        return tokens
    }

    /// Makes the file with one ingest token for the default project and one admin token, whose texts are left in files
    /// beside it that only the owner may read. Does nothing if there is a token file.
    static func createIfMissing(path: String, dataFolder: String, project: String, disk: Disk) throws {
        guard !disk.exists(path) else { return }
        var entries: [JSONValue] = []
        for (role, projects) in [("ingest", [project]), ("admin", [])] {
            let text = "tdm_\(role)_" + Hex.encode(secureRandomBytes(count: 32))
            let name = role == "ingest" ? project : role
            try disk.replace(dataFolder + "/\(name).token", with: Array((text + "\n").utf8), mode: 0o600)
            entries.append([
                "name": .string(name), "role": .string(role), "projects": .array(projects.map { .string($0) }),
                "sha256": .string(Hex.encode(SHA256.hash(Array(text.utf8)))),
            ])
        }
        let file: JSONValue = ["format": 0, "tokens": .array(entries)]
        try disk.replace(path, with: Array((file.description + "\n").utf8), mode: 0o600)
    }
}
