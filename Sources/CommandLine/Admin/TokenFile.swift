import Bytes
import Crypto
import JSON

/// The file of token hashes. Nobody can read a token out of it.
struct TokenFile {
    enum Role: String, CaseIterable { case ingest, relay, admin }

    struct Token: Equatable {
        let name: String
        let role: String
        let projects: [String]
        /// Lower-case hexadecimal.
        let sha256: String
    }

    private(set) var tokens: [Token] = []

    init() {}

    /// - Parameter path: for the message.
    init(_ text: [UInt8], path: String) throws {
        func refuse(_ reason: String) -> CommandError { .unreadableTokens(path: path, reason: reason) }
        let json: JSONValue
        do { json = try JSONValue(parsing: text) } catch { throw refuse(error.description) }
        guard json["format"]?.asInteger == 0, let list = json["tokens"]?.asArray else {
            throw refuse("not a token file of format 0")
        }
        tokens = try list.enumerated().map { index, item in
            guard let name = item["name"]?.asString, let role = item["role"]?.asString,
                let sha256 = item["sha256"]?.asString
            else { throw refuse("tokens[\(index)]: name, role or sha256 is missing") }
            let projects = (item["projects"]?.asArray ?? []).compactMap(\.asString)
            return Token(name: name, role: role, projects: projects, sha256: sha256)
        }
    }

    func encoded() -> [UInt8] {
        let list = tokens.map { token -> JSONValue in
            [
                "name": .string(token.name), "role": .string(token.role),
                "projects": .array(token.projects.map { .string($0) }), "sha256": .string(token.sha256),
            ]
        }
        let json: JSONValue = ["format": 0, "tokens": .array(list)]
        return json.encoded(.indented(spaces: 2)) + [UInt8(ascii: "\n")]
    }

    /// - Returns: false if the name is taken.
    mutating func add(name: String, role: Role, projects: [String], token: String) -> Bool {
        guard !tokens.contains(where: { $0.name == name }) else { return false }
        let sha256 = Hex.encode(SHA256.hash(Array(token.utf8)))
        tokens.append(Token(name: name, role: role.rawValue, projects: projects, sha256: sha256))
        return true
    }

    /// - Returns: false if there is no token of that name.
    mutating func remove(name: String) -> Bool {
        let count = tokens.count
        tokens.removeAll { $0.name == name }
        return tokens.count < count
    }
}
