import Access
import Bytes
import Config
import Events
import Files
import Foundation
import FoundationNetworking
import JSON
import Table
import Telemetry
import TestSupport
import WAL

@testable import QueryServer

/// A data folder with a log, and a query daemon that serves it on a port of its own.
/// Only one test or task commits and publishes at a time; anyone may ask.
final class ServedFolder: @unchecked Sendable {
    let folder = TemporaryFolder()
    let project: Project
    let daemon: QueryDaemon
    let port: Int
    private let writer: LogWriter
    private var encoder = BatchEncoder(codec: .raw)
    private var base: UInt64 = 1

    /// - Parameters:
    ///   - files: the dashboards and the place of the store.
    ///   - change: what differs from a folder's own settings.
    init(_ files: ConfigFiles = ConfigFiles(), _ change: (inout QueryConfig) -> Void = { _ in }) throws {
        let key = [UInt8](repeating: 7, count: 16)
        project = try Project.create("default", dataFolder: folder.path, key: key, disk: .posix)
        (writer, _) = try LogWriter.open(
            folder: folder("wal"), options: .init(segmentBytes: 1 << 20), disk: .unsynchronized, state: .none,
            highestPublished: 0, nowMicros: 1)
        var config = QueryConfig(data: folder.path)
        config.listen = ListenAddress(host: "127.0.0.1", port: 0)
        change(&config)
        try TokenFile.createIfMissing(
            path: config.tokenFile, dataFolder: folder.path, project: "default", disk: .posix)
        let dashboards = try DashboardSettings(files, dataFolder: folder.path, environment: [:])
        daemon = try QueryDaemon(config: config, dashboards: dashboards, logger: Logger(minimum: .error))
        port = try daemon.start()
    }

    deinit { daemon.stop() }

    /// Makes one event a record, durable and acknowledged as far as a reader can tell.
    func commit(_ type: String, user: String, micros: Int64, _ properties: [String: EventValue.Value] = [:]) throws {
        var event = Event(type: type, timestampMicros: micros)
        event.userID = user
        event.values = properties.sorted { $0.key < $1.key }.map { EventValue(.property, $0.key, $0.value) }
        let body = try encoder.encode([event])
        let batch = BatchEntry(
            receivedMicros: micros, clockOffsetMicros: 0, fingerprint: XXH64.hash(body), minTimestampMicros: micros,
            maxTimestampMicros: micros, exclusions: [])
        let source = SourceID(bytes: [UInt8](repeating: 1, count: SourceID.byteCount))!
        let entry = Entry(
            kind: .close, project: "default", source: source, flags: [], base: base, count: 1,
            totals: SourceTotals(stored: base))
        var draft = GroupDraft()
        try draft.add(entry, batch, body: body.rawSpan, isCompressed: false)
        _ = try writer.commit(&draft, nowMicros: micros)
        base += 1
    }

    func publish() throws {
        let log = LogReader(folder: folder("wal"), disk: .posix)
        _ = try Publisher(project: project, log: log, disk: .unsynchronized).publish(through: .max)
    }

    /// The text of a token that the first start left.
    func token(_ name: String = "query") throws -> String {
        String(decoding: try Disk.posix.contents(folder(name + ".token")).dropLast(), as: UTF8.self)
    }

    /// Adds a token.
    /// - Returns: its text.
    func addToken(_ name: String, _ role: Role, _ projects: [String]) throws -> String {
        var text = ""
        try TokenFile.change(folder("tokens"), disk: .posix) { file in
            text = try file.add(name: name, role: role, projects: projects, path: "tokens")
        }
        try daemon.credentials.tokens.reload()
        return text
    }

    func removeToken(_ name: String) throws {
        try TokenFile.change(folder("tokens"), disk: .posix) { try $0.remove(name: name, path: "tokens") }
        try daemon.credentials.tokens.reload()
    }

    func createProject(_ name: String) throws {
        let key = [UInt8](repeating: 9, count: 16)
        _ = try Project.create(name, dataFolder: folder.path, key: key, disk: .posix)
    }

    func snapshot() throws -> Snapshot {
        try TableReader(project: project, logFolder: folder("wal"), disk: .posix).snapshot()
    }

    /// A call with one of the tokens that collectord leaves.
    func request(
        _ method: String, _ path: String, _ body: String? = nil, as name: String = "query"
    ) async throws -> (Int, JSONValue?) {
        let reply = try await send(method, path, ["Authorization": "Bearer " + (try token(name))], body)
        return (reply.status, try? JSONValue(parsing: reply.body))
    }

    struct Reply {
        let status: Int
        let headers: [String: String]
        let body: [UInt8]
        var json: JSONValue? { try? JSONValue(parsing: body) }
        /// The code of `{"error": …}`.
        var code: String? { json?["error"]?["code"]?.asString }
    }

    /// A call with these headers and no others of our own.
    func send(
        _ method: String, _ path: String, _ headers: [String: String] = [:], _ body: String? = nil
    ) async throws -> Reply {
        var request = URLRequest(url: URL(string: "http://127.0.0.1:\(port)\(path)")!)
        request.httpMethod = method
        request.httpBody = body.map { Data($0.utf8) }
        request.httpShouldHandleCookies = false
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        let (data, response) = try await URLSession.shared.data(for: request)
        var fields: [String: String] = [:]
        for case (let name as String, let value as String) in (response as? HTTPURLResponse)?.allHeaderFields ?? [:] {
            fields[name.lowercased()] = value
        }
        return Reply(status: (response as? HTTPURLResponse)?.statusCode ?? 0, headers: fields, body: Array(data))
    }

    /// The number of events that an answer counts.
    func count() async throws -> Int64? {
        let (status, json) = try await request("POST", "/v1/query", #"{"kind":"aggregate","metrics":["count"]}"#)
        guard status == 200 else { return nil }
        return json?["rows"]?[0]?["count"]?.asInteger
    }
}
