import JSON
import Metadata
import TestSupport
import Testing

/// What both databases do alike.
@Suite struct MetadataStoreTests {
    @Test(arguments: Database.available) func aDocumentComesBackAsItWasPut(database: Database) throws {
        let stored = Stored(database)
        let body: JSONValue = [
            "text": "it's \"quoted\" \\ \u{0} é 🌊", "numbers": [1, -2.5, 9_007_199_254_740_993], "none": nil,
            "deep": ["a": [true, false]],
        ]
        let key = stored.key("it's; DROP TABLE tidemark_documents; --")
        let put = try stored.store.put(key, name: "Ünïcode 🌊 $1 %s", body: body, if: .isNew)
        #expect(put.key == key && put.body == body && put.version == 1 && put.createdMicros == put.updatedMicros)
        #expect(try stored.store.document(key) == put)
        #expect(try MetadataStore(stored.place, clock: { 0 }).document(key) == put)
    }

    @Test(arguments: Database.available) func whatIsNotThereIsNil(database: Database) throws {
        let stored = Stored(database)
        #expect(try stored.store.document(stored.key("x")) == nil)
        #expect(try stored.store.documents(project: stored.project, kind: .dashboard) == [])
        #expect(throws: MetadataError.missing) { try stored.store.delete(stored.key("x")) }
        #expect(throws: MetadataError.missing) {
            try stored.store.put(stored.key("x"), name: "", body: 1, if: .exists)
        }
        #expect(throws: MetadataError.missing) {
            try stored.store.put(stored.key("x"), name: "", body: 1, if: .hasVersion(1))
        }
    }

    @Test(arguments: Database.available) func eachWriteIsAVersion(database: Database) throws {
        let stored = Stored(database)
        let (store, key) = (stored.store, stored.key("a"))
        let first = try store.put(key, name: "1", body: 1, if: .always)
        let second = try store.put(key, name: "2", body: 2, if: .exists)
        let third = try store.put(key, name: "3", body: 3, if: .hasVersion(2))
        let fourth = try store.put(key, name: "4", body: 4, if: .always)
        #expect([first, second, third, fourth].map(\.version) == [1, 2, 3, 4])
        #expect(fourth.createdMicros == first.createdMicros && fourth.updatedMicros > third.updatedMicros)
        #expect(fourth.name == "4" && fourth.body == 4)
        #expect(throws: MetadataError.exists) { try store.put(key, name: "5", body: 5, if: .isNew) }
        #expect(throws: MetadataError.versionConflict(current: 4)) {
            try store.put(key, name: "5", body: 5, if: .hasVersion(3))
        }
        #expect(throws: MetadataError.versionConflict(current: 4)) { try store.delete(key, expectedVersion: 1) }
        #expect(try store.document(key) == fourth)
        try store.delete(key, expectedVersion: 4)
        #expect(try store.document(key) == nil)
    }

    @Test(arguments: Database.available) func projectsAndKindsAreApart(database: Database) throws {
        let stored = Stored(database)
        let other = DocumentKey(project: stored.project + "2", kind: .dashboard, id: "a")
        for (key, body) in [(stored.key("a"), 1), (stored.key("a", .question), 2), (other, 3)] {
            try stored.store.put(key, name: "", body: .integer(Int64(body)), if: .isNew)
        }
        #expect(try stored.store.document(stored.key("a", .question))?.body == 2)
        try stored.store.delete(stored.key("a"))
        #expect(try stored.store.document(stored.key("a", .question))?.body == 2)
        #expect(try stored.store.document(other)?.body == 3)
        try stored.store.delete(other)
    }

    @Test(arguments: Database.available) func aListIsOrderedByNameThenByID(database: Database) throws {
        let stored = Stored(database)
        for (id, name) in [("3", "b"), ("1", "b"), ("2", "a"), ("0", "é")] {
            try stored.store.put(stored.key(id), name: name, body: nil, if: .isNew)
        }
        let listed = try stored.store.documents(project: stored.project, kind: .dashboard)
        #expect(listed.map(\.key.id) == ["2", "1", "3", "0"])
    }

    @Test(arguments: Database.available) func ofWritersForTheSameVersionOneWins(database: Database) async throws {
        let stored = Stored(database)
        let key = stored.key("a")
        try stored.store.put(key, name: "", body: 0, if: .isNew)
        // Half of them through a connection of another process, as it were.
        let stores = [stored.store, MetadataStore(stored.place, clock: { 0 })]
        let won = try await withThrowingTaskGroup(of: Int.self) { group in
            for writer in 0..<16 {
                group.addTask {
                    do throws(MetadataError) {
                        try stores[writer % 2].put(
                            key, name: "", body: .integer(Int64(writer)), if: .hasVersion(1))
                        return 1
                    } catch {
                        guard case .versionConflict(current: 2) = error else { throw error }
                        return 0
                    }
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(won == 1)
        #expect(try stored.store.document(key)?.version == 2)
    }

    @Test(arguments: Database.available) func nulIsRefusedWhereItCannotBeStored(database: Database) throws {
        let stored = Stored(database)
        #expect(throws: MetadataError.textWithNul) {
            try stored.store.put(stored.key("a\u{0}b"), name: "", body: 1, if: .always)
        }
        #expect(throws: MetadataError.textWithNul) {
            try stored.store.put(stored.key("a"), name: "\u{0}", body: 1, if: .always)
        }
        try stored.store.put(stored.key("a"), name: "", body: 1, if: .always)
        #expect(try stored.store.document(stored.key("a\u{0}b")) == nil)
        #expect(throws: MetadataError.missing) { try stored.store.delete(stored.key("a\u{0}b")) }
    }

    @Test(arguments: Database.available) func processesThatStartTogetherMakeOneSchema(database: Database) async throws {
        let stored = Stored(database)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { try MetadataStore(stored.place, clock: { 7 }).check() }
            }
            try await group.waitForAll()
        }
        try stored.store.check()
    }
}
