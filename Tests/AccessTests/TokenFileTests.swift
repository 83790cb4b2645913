import Access
import Bytes
import Crypto
import Files
import TestSupport
import Testing

@Suite struct TokenFileTests {
    private let folder = TemporaryFolder()
    private var path: String { folder("tokens") }

    private func write(_ text: String) throws { try Disk.posix.replace(path, with: Array(text.utf8)) }
    private func hash(_ token: String) -> String { Hex.encode(SHA256.hash(Array(token.utf8))) }

    private func entry(_ token: String, name: String = "web", role: String = "ingest", projects: String = "\"default\"")
        -> String
    {
        "{\"name\": \"\(name)\", \"role\": \"\(role)\", \"projects\": [\(projects)], \"sha256\": \"\(hash(token))\"}"
    }

    @Test func theFirstStartMakesTokensThatWork() throws {
        try TokenFile.createIfMissing(path: path, dataFolder: folder.path, project: "default", disk: .posix)
        let store = TokenStore(path: path, disk: .posix)
        try store.reload()
        let text = { (name: String) in
            String(decoding: try Disk.posix.contents(folder(name)).dropLast(), as: UTF8.self)
        }
        for (file, role, projects) in [
            ("default.token", Role.ingest, ["default"]), ("admin.token", .admin, []),
            ("query.token", .write, ["default"]),
        ] {
            let token = try store.token(text(file))
            #expect(token?.role == role && token?.projects == projects, "\(file)")
        }
        #expect(store.token("") == nil && store.token("tdm_ingest_") == nil)
        let before = try Disk.posix.contents(path)
        try TokenFile.createIfMissing(path: path, dataFolder: folder.path, project: "default", disk: .posix)
        #expect(try Disk.posix.contents(path) == before)
    }

    @Test func aBrokenFileKeepsTheTokensKnownBefore() throws {
        try write("{\"format\": 0, \"tokens\": [\(entry("a"))]}")
        let store = TokenStore(path: path, disk: .posix)
        try store.reload()
        try write("{\"format\": 0, \"tokens\": [")
        #expect(throws: (any Error).self) { try store.reload() }
        #expect(store.token("a")?.name == "web")
        try Disk.posix.unlink(path)
        #expect(throws: (any Error).self) { try store.reload() }
        #expect(store.token("a")?.name == "web")
        try write("{\"format\": 0, \"tokens\": [\(entry("b"))]}")
        try store.reload()
        #expect(store.token("a") == nil && store.token("b") != nil)
    }

    @Test(arguments: [
        "", "{", "[]", "{\"format\": 1, \"tokens\": []}", "{\"format\": 0}",
        "{\"format\": 0, \"tokens\": [{}]}",
        "{\"format\": 0, \"tokens\": [{\"name\": \"a\", \"role\": \"ingest\", \"sha256\": \"00\"}]}",
    ]) func aFileThatIsNoTokenFileIsRefusedByItsName(text: String) throws {
        try write(text)
        let error = #expect(throws: (any Error).self) { try TokenStore(path: path, disk: .posix).reload() }
        #expect("\(error.map { "\($0)" } ?? "")".contains(path), "the error does not name the file")
    }

    @Test func entriesThatMakeNoSenseAreRefused() throws {
        let bad = [
            entry("a", role: "root"), entry("a", projects: ""), entry("a", projects: "\"a\", \"b\""),
            entry("a", projects: "\"a\", 5"), entry("a", role: "read", projects: ""), entry("a") + "," + entry("a"),
            entry("a", name: ""), entry("a", projects: "\"No Project\""),
            // The log keeps the name, 256 bytes at most.
            entry("a", name: String(repeating: "n", count: 257)),
        ]
        for text in bad {
            try write("{\"format\": 0, \"tokens\": [\(text)]}")
            #expect(throws: AccessError.self, "\(text)") { try TokenStore(path: path, disk: .posix).reload() }
        }
    }

    @Test func whatIsWrittenIsReadAgain() throws {
        var file = TokenFile()
        for role in Role.allCases {
            let projects = role == .admin ? [] : ["shop"]
            let text = try file.add(name: "\(role)", role: role, projects: projects, path: path)
            #expect(text.hasPrefix("tdm_\(role)_") && text.utf8.count == 69 + role.rawValue.utf8.count)
        }
        #expect(try TokenFile(file.encoded(), path: path) == file)
        #expect(throws: AccessError.self) { try file.add(name: "read", role: .read, projects: ["shop"], path: path) }
        try file.remove(name: "read", path: path)
        #expect(throws: AccessError.self) { try file.remove(name: "read", path: path) }
    }

    @Test func everyPrefixAndFlippedBitIsReadOrRefused() throws {
        var file = TokenFile()
        _ = try file.add(name: "web", role: .relay, projects: ["a", "b"], path: path)
        let text = file.encoded()
        for count in 0..<text.count { try? expectReadOrRefused(Array(text.prefix(count))) }
        for index in text.indices {
            for bit in 0..<8 {
                var damaged = text
                damaged[index] ^= 1 << bit
                try? expectReadOrRefused(damaged)
            }
        }
    }

    /// The test is that it returns.
    private func expectReadOrRefused(_ text: [UInt8]) throws { _ = try TokenFile(text, path: path) }

    @Test(arguments: [
        (Role.admin, [Role.ingest, .relay, .admin, .read, .write]), (.write, [.read, .write]), (.read, [.read]),
        (.ingest, [.ingest]), (.relay, [.relay]),
    ]) func aRoleIncludesTheSmallerOnes(role: Role, included: [Role]) {
        #expect(Role.allCases.filter(role.includes) == included)
    }
}
