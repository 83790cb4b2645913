import Bytes
import Crypto
import Files
import TestSupport
import Testing
import Wire

@testable import Collector

@Suite struct TokenStoreTests {
    private let folder = TemporaryFolder()
    private var path: String { folder("tokens") }

    private func write(_ text: String) throws { try Disk.posix.replace(path, with: Array(text.utf8)) }
    private func hash(_ token: String) -> String { Hex.encode(SHA256.hash(Array(token.utf8))) }

    private func entry(_ token: String, name: String = "web", role: String = "ingest", projects: String = "\"default\"")
        -> String {
        "{\"name\": \"\(name)\", \"role\": \"\(role)\", \"projects\": [\(projects)], \"sha256\": \"\(hash(token))\"}"
    }

    @Test func theFirstStartMakesTokensThatWork() throws {
        try TokenStore.createIfMissing(path: path, dataFolder: folder.path, project: "default", disk: .posix)
        let store = TokenStore(path: path, disk: .posix)
        try store.reload()
        let text = { (name: String) in
            String(decoding: try Disk.posix.contents(folder(name)).dropLast(), as: UTF8.self)
        }
        #expect(try store.token(text("default.token"))?.grant == .ingest(project: "default"))
        #expect(try store.token(text("admin.token"))?.grant == .admin)
        #expect(store.token("") == nil && store.token("tdm_ingest_") == nil)
        let before = try Disk.posix.contents(path)
        try TokenStore.createIfMissing(path: path, dataFolder: folder.path, project: "default", disk: .posix)
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
            entry("a", projects: "\"a\", 5"),
            entry("a", name: ""), entry("a", projects: "\"No Project\""),
            // The log keeps the name, 256 bytes at most.
            entry("a", name: String(repeating: "n", count: 257)),
        ]
        for text in bad {
            try write("{\"format\": 0, \"tokens\": [\(text)]}")
            #expect(throws: TokenStore.Failure.self, "\(text)") { try TokenStore(path: path, disk: .posix).reload() }
        }
    }
}
