import Access
import Config
import Files
import HTTPServer
import JSON
import Metadata
import Query
import Synchronization
import TestSupport
import Zones

@testable import QueryServer
@testable import Table

/// Dashboards over the events of a folder, at an hour that the test sets, called without HTTP.
final class BoardFolder: Sendable {
    let served: ServedFolder
    let api: DashboardsAPI
    let questions: SavedQuestions
    let descriptions: Descriptions
    let moment: Moment

    /// 2026-11-24, 12:00 UTC, a Tuesday.
    static let noon: Int64 = 1_795_521_600_000_000
    static let day: Int64 = 86_400_000_000

    init(_ files: ConfigFiles = ConfigFiles(), store place: MetadataPlace? = nil) throws {
        let served = try ServedFolder()
        let moment = Moment()
        let clock: @Sendable () -> Int64 = { moment.now.withLock { $0 } }
        let store = MetadataStore(place ?? .sqlite(path: served.folder("boards.db")), clock: clock)
        let settings = try DashboardSettings(files, dataFolder: served.folder.path, environment: [:])
        let readers = ProjectReaders(dataFolder: served.folder.path, tailMemoryBytes: 64 << 20)
        self.served = served
        self.moment = moment
        api = DashboardsAPI(
            provisioned: settings.provisioned, store: store, clock: clock,
            snapshot: { moment.asItWouldBe(try readers.reader(of: $0).snapshot()) },
            ask: { question, snapshot, _ in
                moment.askedCount.add(1, ordering: .relaxed)
                if let failure = moment.failure.withLock({ $0 }) { throw failure }
                return try QueryEngine.answer(question, snapshot)
            })
        questions = SavedQuestions(store: store, context: { QuestionContext(atMicros: clock()) })
        descriptions = Descriptions(store: store)
    }

    /// What the test moves and counts: the time, the questions that were answered; and what it lets go wrong.
    final class Moment: Sendable {
        let now = Mutex(BoardFolder.noon)
        let askedCount = Atomic(0)
        let failure = Mutex<Problem?>(nil)
        let recordsBehind = Mutex<UInt64>(0)

        fileprivate func asItWouldBe(_ snapshot: Snapshot) -> Snapshot {
            let records = recordsBehind.withLock { $0 }
            guard records > 0 else { return snapshot }
            return Snapshot(
                project: snapshot.project, runs: snapshot.runs, tableVersion: snapshot.tableVersion,
                lastRecord: snapshot.lastRecord, clockMicros: snapshot.clockMicros,
                tailRowCount: snapshot.tailRowCount,
                behind: .init(records: records, lastDurable: snapshot.lastRecord + records, reason: .catchingUp))
        }
    }

    func advance(_ micros: Int64) { moment.now.withLock { $0 += micros } }

    /// A call as the front door would make it.
    func call(
        _ parameters: [String: String] = [:], _ body: JSONValue? = nil, query: [(String, String)] = [],
        headers: [(String, String)] = [], project: String = "default"
    ) -> Call {
        let request = HTTPRequest(
            method: "GET", path: "/", query: query.map { (name: $0.0, value: $0.1) },
            headers: HTTPHeaders(headers.map { (name: $0.0, value: $0.1) }), body: body?.encoded() ?? [],
            peerAddress: "127.0.0.1")
        let principal = Principal(name: "tester", role: .write, scope: .all, tokenHash: [])
        return Call(
            request: request, parameters: parameters, principal: principal, project: project,
            arrivedMicros: moment.now.withLock { $0 }, origin: HostRules.Origin(scheme: .http, host: "h", port: 1),
            isClientGone: { false })
    }

    /// Stores a dashboard.
    /// - Returns: its id.
    func create(_ widgets: JSONValue, _ more: [JSONObject.Member] = []) throws -> String {
        let body = JSONObject([.init("name", "Mine"), .init("widgets", widgets)] + more)
        let made = try api.create(call([:], .object(body)))
        return try made.json()["dashboard_id"]?.asString ?? ""
    }

    /// The widgets of a dashboard's data.
    func widgets(_ id: String, _ query: [(String, String)] = []) throws -> JSONValue {
        try api.data(call(["id": id], query: query)).json()["widgets"] ?? nil
    }
}

extension HTTPResponse {
    func json() throws -> JSONValue { try JSONValue(parsing: body) }
}

/// The problem that `body` throws; nil if it throws none.
func problem(_ body: () throws -> HTTPResponse) -> Problem? {
    do {
        _ = try body()
        return nil
    } catch {
        return Problem(error)
    }
}
