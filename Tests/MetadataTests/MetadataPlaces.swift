import Foundation
import Metadata
import Synchronization
import TestSupport

/// A database of the tests' own for each case: SQLite always, PostgreSQL where `TIDEMARK_POSTGRES` names a server as
/// "host port database user"; `scripts/postgres` starts one.
enum Database: String, CaseIterable, Sendable {
    case sqlite, postgresql

    static let available: [Database] = server == nil ? [.sqlite] : Database.allCases

    static let server: PostgreSQLAddress? = {
        let parts = ProcessInfo.processInfo.environment["TIDEMARK_POSTGRES"]?.split(separator: " ").map(String.init)
        guard let parts, parts.count == 4, let port = Int(parts[1]) else { return nil }
        return PostgreSQLAddress(host: parts[0], port: port, database: parts[2], username: parts[3], password: nil)
    }()

    func place(in folder: TemporaryFolder) -> MetadataPlace {
        switch self {
        case .sqlite: .sqlite(path: folder("query.db"))
        case .postgresql: Self.server.map { .postgresql($0) } ?? .none(reason: "no server")
        }
    }
}

/// A store with a clock of its own, and a project no other test uses: the tests share the server's database.
struct Stored {
    let folder = TemporaryFolder()
    let project = "p-" + UUID().uuidString
    let store: MetadataStore
    let place: MetadataPlace
    let clock = TestClock()

    init(_ database: Database) {
        place = database.place(in: folder)
        store = MetadataStore(place, clock: { [clock] in clock.next() })
    }

    func key(_ id: String, _ kind: DocumentKind = .dashboard) -> DocumentKey {
        DocumentKey(project: project, kind: kind, id: id)
    }
}

/// 1, 2, 3, …
final class TestClock: Sendable {
    private let now = Atomic<Int64>(0)
    func next() -> Int64 { now.add(1, ordering: .relaxed).newValue }
}

extension MetadataStore {
    /// Whether documents can be had: connects if need be.
    func check() throws(MetadataError) {
        _ = try document(DocumentKey(project: "", kind: .key, id: "none"))
    }
}
