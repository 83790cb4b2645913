import Files
import Foundation
import JSON
import TestSupport
import Testing

@testable import Metadata

/// What may be wrong with the file of the embedded database.
@Suite struct SQLiteFileTests {
    private let folder = TemporaryFolder()
    private var path: String { folder("query.db") }

    private func store() -> MetadataStore { MetadataStore(.sqlite(path: path), clock: { 1 }) }

    private func failure() -> MetadataError? {
        do throws(MetadataError) {
            try store().check()
            return nil
        } catch {
            return error
        }
    }

    @Test func itIsForItsOwnerAloneAndSoIsItsJournal() throws {
        let store = store()
        try store.put(DocumentKey(project: "p", kind: .key, id: "k"), name: "", body: 1, if: .isNew)
        for file in ["query.db", "query.db-wal", "query.db-shm"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: folder(file))
            #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600, "\(file)")
        }
    }

    @Test func aFileThatIsNoDatabaseIsRefusedAndLeftAlone() throws {
        let text = Array(String(repeating: "not a database\n", count: 500).utf8)
        try Disk.posix.replace(path, with: text)
        #expect(failure() == .foreignFile(path: path))
        #expect(try Disk.posix.contents(path) == text)
    }

    @Test func anotherProgramsDatabaseIsRefusedAndLeftAlone() throws {
        let theirs = try SQLiteConnection(path: path)
        _ = try theirs.run("PRAGMA application_id = 42", [])
        _ = try theirs.run("CREATE TABLE theirs (x)", [])
        #expect(failure() == .foreignFile(path: path))
        #expect(try theirs.run("SELECT name FROM sqlite_master", []) == [[.text("theirs")]])
    }

    @Test func aDatabaseWithoutOurMarkThatHoldsTablesIsForeign() throws {
        let theirs = try SQLiteConnection(path: path)
        _ = try theirs.run("PRAGMA application_id = 0", [])
        _ = try theirs.run("CREATE TABLE theirs (x)", [])
        #expect(failure() == .foreignFile(path: path))
    }

    @Test func aDamagedFileIsRefusedWithItsName() throws {
        do {
            let store = store()
            for index in 0..<200 {
                let key = DocumentKey(project: "p", kind: .dashboard, id: "\(index)")
                try store.put(key, name: "n", body: .string(String(repeating: "x", count: 200)), if: .isNew)
            }
        }
        var bytes = try Disk.posix.contents(path)
        for offset in stride(from: 4096, to: bytes.count, by: 7) { bytes[offset] ^= 0x5A }
        try Disk.posix.replace(path, with: bytes)
        guard case .damaged(path: path, _)? = failure() else {
            Issue.record("\(String(describing: failure()))")
            return
        }
    }

    /// Damage anywhere is an error or goes unseen; it never traps.
    @Test func noFlippedByteTraps() throws {
        do {
            let store = store()
            let key = DocumentKey(project: "p", kind: .dashboard, id: "a")
            try store.put(key, name: "n", body: ["a": [1, 2, 3]], if: .isNew)
        }
        let whole = try Disk.posix.contents(path)
        var random = SeededRandom(seed: 7)
        for _ in 0..<150 {
            var bytes = whole
            bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
            try Disk.posix.replace(path, with: bytes)
            for leftover in ["-wal", "-shm"] where Disk.posix.exists(path + leftover) {
                try Disk.posix.unlink(path + leftover)
            }
            do throws(MetadataError) {
                _ = try store().documents(project: "p", kind: .dashboard)
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
    }

    @Test func aSchemaOfALaterReleaseIsRefused() throws {
        try store().check()
        do {
            let connection = try SQLiteConnection(path: path)
            _ = try connection.run("INSERT INTO tidemark_migrations (version, applied_at) VALUES (99, 1)", [])
        }
        #expect(failure() == .newerSchema(found: 99, known: Int64(Schema.migrations.count)))
    }

    @Test func aFolderThatIsNotThereMakesTheStoreUnreachable() {
        let store = MetadataStore(.sqlite(path: folder("none/query.db")), clock: { 1 })
        let error = #expect(throws: MetadataError.self) { try store.check() }
        #expect(error?.isOfTheStore == true)
        #expect(error?.description.contains("none/query.db") == true)
    }

    @Test func aBodyThatIsNoJSONIsNamed() throws {
        let store = store()
        try store.put(DocumentKey(project: "p", kind: .dashboard, id: "a"), name: "", body: 1, if: .isNew)
        _ = try SQLiteConnection(path: path).run("UPDATE tidemark_documents SET body = '{'", [])
        let error = #expect(throws: MetadataError.self) { try store.documents(project: "p", kind: .dashboard) }
        #expect(error?.description.contains("document dashboard a of project \"p\"") == true)
    }
}
