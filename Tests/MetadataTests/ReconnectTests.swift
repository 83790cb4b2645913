import Files
import Foundation
import JSON
import Synchronization
import TestSupport
import Testing

@testable import Metadata

/// A server that goes and comes.
@Suite struct ReconnectTests {
    @Test func aServerThatIsAwayIsToldAtOnceUntilTheNextTry() throws {
        // Port 1 of this machine: nobody listens there.
        let address = PostgreSQLAddress(host: "127.0.0.1", port: 1, database: "d", username: "u", password: "p4ss")
        let store = MetadataStore(.postgresql(address), clock: { 1 })
        let first = #expect(throws: MetadataError.self) { try store.check() }
        guard case .unreachable(let reason)? = first else {
            Issue.record("\(String(describing: first))")
            return
        }
        #expect(reason.contains("127.0.0.1") && !reason.contains("p4ss"))
        let started = ContinuousClock.now
        for _ in 0..<1000 { #expect(throws: MetadataError.unreachable(reason: reason)) { try store.check() } }
        #expect(started.duration(to: .now) < MetadataStore.retryInterval)
    }

    @Test func aFailureIsReportedOnceAndItsEndToo() throws {
        let folder = TemporaryFolder()
        let place = MetadataPlace.sqlite(path: folder("later/query.db"))
        let reports = Mutex<[MetadataError?]>([])
        let store = MetadataStore(place, clock: { 1 }, report: { report in reports.withLock { $0.append(report) } })
        for _ in 0..<3 { #expect(throws: MetadataError.self) { try store.check() } }
        #expect(reports.withLock { $0.count } == 1)
        try Disk.posix.makeFolder(folder("later"))
        let started = ContinuousClock.now
        while started.duration(to: .now) < MetadataStore.retryInterval * 5 {
            do throws(MetadataError) {
                try store.check()
                break
            } catch {
                Thread.sleep(forTimeInterval: 0.05)
            }
        }
        try store.check()
        #expect(reports.withLock { $0.count } == 2)
        #expect(reports.withLock { $0.last } == .some(nil))
    }

    @Test func withoutADatabaseEveryCallSaysWhy() {
        let store = MetadataStore(.none(reason: "DB_USERNAME is not set"), clock: { 1 })
        #expect(throws: MetadataError.unreachable(reason: "DB_USERNAME is not set")) { try store.check() }
    }

    /// A database of the test's own, so that ending its sessions ends no other test's.
    private func database(_ administrator: PostgreSQLConnection) throws -> PostgreSQLAddress {
        let server = try #require(Database.server)
        let name = "reconnect_\(UInt64.random(in: 0 ... .max))"
        _ = try administrator.run("CREATE DATABASE \(name)", [])
        return PostgreSQLAddress(
            host: server.host, port: server.port, database: name, username: server.username, password: nil)
    }

    /// As in a server that is stopped, or behind a network that swallows everything: nobody ends the connection.
    @Test(.enabled(if: Database.server != nil)) func aServerThatStandsStillIsGivenUp() throws {
        let administrator = try PostgreSQLConnection(try #require(Database.server))
        let address = try database(administrator)
        let store = MetadataStore(.postgresql(address), clock: { 1 })
        try store.check()
        let pids = try administrator.run(
            "SELECT pid FROM pg_stat_activity WHERE datname = $1", [.text(address.database)])
        guard case .integer(let pid)? = pids.first?.first else {
            Issue.record("no session: \(pids)")
            return
        }
        #expect(kill(pid_t(pid), SIGSTOP) == 0)
        defer { kill(pid_t(pid), SIGCONT) }
        let started = ContinuousClock.now
        // More than a socket's buffers hold.
        let body = JSONValue.string(String(repeating: "x", count: 4 << 20))
        let key = DocumentKey(project: "p", kind: .dashboard, id: "a")
        let error = #expect(throws: MetadataError.self) { try store.put(key, name: "", body: body, if: .isNew) }
        #expect(error?.isOfTheStore == true && started.duration(to: .now) < .seconds(20))
        // Another session of the same server answers.
        try store.check()
        #expect(try store.put(key, name: "", body: body, if: .isNew).body == body)
    }

    /// PostgreSQL 15 and newer let nobody but its owner make tables in a database.
    @Test(.enabled(if: Database.server != nil)) func aDatabaseWhereNoTableCanBeMadeIsOfNoUseAtPresent() throws {
        let administrator = try PostgreSQLConnection(try #require(Database.server))
        let own = try database(administrator)
        let guest = "\(own.database)_guest"
        _ = try administrator.run("CREATE ROLE \(guest) LOGIN", [])
        let address = PostgreSQLAddress(
            host: own.host, port: own.port, database: own.database, username: guest, password: nil)
        let reports = Mutex(0)
        let store = MetadataStore(.postgresql(address), clock: { 1 }, report: { _ in reports.withLock { $0 += 1 } })
        for _ in 0..<2 {
            let error = #expect(throws: MetadataError.self) { try store.check() }
            #expect(error?.isOfTheStore == true && "\(error as Any)".contains("permission denied"))
        }
        #expect(reports.withLock { $0 } == 1)
    }

    @Test(.enabled(if: Database.server != nil)) func aBrokenConnectionIsMadeAnew() throws {
        let administrator = try PostgreSQLConnection(try #require(Database.server))
        let address = try database(administrator)
        let store = MetadataStore(.postgresql(address), clock: { 1 })
        let key = DocumentKey(project: "p", kind: .dashboard, id: "a")
        let put = try store.put(key, name: "", body: 1, if: .isNew)
        // As a restart of the server would.
        let ended = try administrator.run(
            "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity WHERE datname = $1", [.text(address.database)]
        )
        #expect(ended == [[.text("true")]])
        var seen: Document?
        for _ in 0..<2 where seen == nil {
            do throws(MetadataError) {
                seen = try store.document(key)
            } catch {
                #expect(error.isOfTheStore)
            }
        }
        #expect(seen == put)
    }
}
