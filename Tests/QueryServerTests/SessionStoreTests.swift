import Metadata
import TestSupport
import Testing

@testable import QueryServer

@Suite struct SessionStoreTests {
    private let folder = TemporaryFolder()
    private let hash = [UInt8](repeating: 7, count: 32)
    private let day: Int64 = 86_400_000_000

    private func database() -> MetadataStore { MetadataStore(.sqlite(path: folder("query.db")), clock: { 1 }) }

    private func store(at micros: Int64 = 0) -> SessionStore {
        let store = SessionStore(store: database())
        store.load(nowMicros: micros)
        return store
    }

    @Test func aRestartEndsNoSession() {
        let cookie = store().begin(tokenHash: hash, nowMicros: 0)
        #expect(store().tokenHash(of: cookie, nowMicros: 29 * day) == hash)
        #expect(store().tokenHash(of: cookie + "0", nowMicros: 1) == nil)
        #expect(store().tokenHash(of: cookie, nowMicros: 30 * day) == nil, "it is over")
        #expect(store(at: 30 * day).tokenHash(of: cookie, nowMicros: 0) == nil, "it is forgotten")
    }

    @Test func aLogoutOutlivesARestart() throws {
        let cookie = store().begin(tokenHash: hash, nowMicros: 0)
        store().end(cookie)
        #expect(store().tokenHash(of: cookie, nowMicros: 1) == nil)
        #expect(try database().documents(project: "", kind: .session).isEmpty)
    }

    @Test func theDatabaseHoldsNoCookie() throws {
        let cookie = store().begin(tokenHash: hash, nowMicros: 0)
        let documents = try database().documents(project: "", kind: .session)
        #expect(documents.count == 1)
        #expect(documents.allSatisfy { !$0.key.id.contains(cookie) && !$0.body.description.contains(cookie) })
    }

    @Test func withoutADatabaseSessionsLastAsLongAsTheProcess() {
        let away = SessionStore(store: MetadataStore(.none(reason: "away"), clock: { 1 }))
        away.load(nowMicros: 0)
        let cookie = away.begin(tokenHash: hash, nowMicros: 0)
        #expect(away.tokenHash(of: cookie, nowMicros: 1) == hash)
        away.end(cookie)
        #expect(away.tokenHash(of: cookie, nowMicros: 1) == nil)
    }
}
