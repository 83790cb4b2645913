import Bytes
import Files
import JSON

/// One tenant: its folder and the secret that keys its users (protocol/table.md §1).
package struct Project: Sendable {
    package let name: String
    package let folder: String
    private let key: [UInt8]
    private let hash: SipHash

    package static let defaultName = "default"
    private static let fileName = "project.json"

    /// Opens an existing project.
    package static func open(_ name: String, dataFolder: String, disk: Disk) throws -> Project {
        guard isValid(name) else { throw TableError.projectNameInvalid(name) }
        let path = dataFolder + "/" + name + "/" + fileName
        guard let text = try disk.contentsIfPresent(path, limit: 1 << 16) else { throw TableError.projectUnknown(name) }
        let parsed: JSONValue
        do { parsed = try JSONValue(parsing: text) } catch {
            throw TableError.refused(path: path, reason: "\(error)")
        }
        guard let json = parsed.asObject, json["format"]?.asInteger == 0,
            json["project"]?.asString == name, let digits = json["key"]?.asString, let key = Hex.decode(digits),
            key.count == 16
        else { throw TableError.refused(path: path, reason: "not a project of format 0") }
        return Project(name: name, folder: dataFolder + "/" + name, key: key)
    }

    /// Makes a project. Crash story: its file is replaced atomically and synced with its folder, so it exists with its
    /// key or not at all.
    package static func create(_ name: String, dataFolder: String, key: [UInt8], disk: Disk) throws -> Project {
        guard isValid(name) else { throw TableError.projectNameInvalid(name) }
        let folder = dataFolder + "/" + name
        guard !disk.exists(folder + "/" + fileName) else { throw TableError.projectExists(name) }
        try disk.makeFolder(folder, mode: 0o755)
        let json: JSONValue = ["format": 0, "project": .string(name), "key": .string(Hex.encode(key))]
        try disk.replace(folder + "/" + fileName, with: Array((json.description + "\n").utf8), mode: 0o600)
        try disk.synchronizeFolder(dataFolder)
        return Project(name: name, folder: folder, key: key)
    }

    /// All projects of a data folder, by name.
    package static func list(dataFolder: String, disk: Disk) throws -> [Project] {
        try disk.list(dataFolder)
            .filter { isValid($0) && disk.exists(dataFolder + "/" + $0 + "/" + fileName) }
            .map { try open($0, dataFolder: dataFolder, disk: disk) }
    }

    package static func isValid(_ name: String) -> Bool {
        (1...Limits.projectNameBytesMax).contains(name.utf8.count) && name != "wal"
            && name.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
            }
    }

    private init(name: String, folder: String, key: [UInt8]) {
        self.name = name
        self.folder = folder
        self.key = key
        hash = SipHash(key: key)
    }

    package enum IdentifierKind: UInt8, Sendable { case user = 1, anonymous = 2 }

    /// The sort key of a user: protocol/table.md §2. O(id).
    package func userKey(_ kind: IdentifierKind, _ identifier: RawSpan) -> Int64 {
        let key = Int64(bitPattern: hash.hash(prefix: kind.rawValue, identifier))
        return key == 0 ? 1 : key
    }

    /// Tells whether a table was keyed with this project's secret, without telling the secret.
    package var keyCheck: String { Hex.encode(hash.hash(prefix: 0, [UInt8]().rawSpan)) }
}
