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

    init() throws {
        let key = [UInt8](repeating: 7, count: 16)
        project = try Project.create("default", dataFolder: folder.path, key: key, disk: .posix)
        (writer, _) = try LogWriter.open(
            folder: folder("wal"), options: .init(segmentBytes: 1 << 20), disk: .unsynchronized, state: .none,
            highestPublished: 0, nowMicros: 1)
        var config = QueryConfig()
        config.data = folder.path
        config.listen = ListenAddress(host: "127.0.0.1", port: 0)
        daemon = QueryDaemon(config: config, logger: Logger(minimum: .error))
        port = try daemon.start()
    }

    deinit { daemon.stop() }

    /// Makes one event a record, durable and acknowledged as far as a reader can tell.
    func commit(_ type: String, user: String, micros: Int64) throws {
        var event = Event(type: type, timestampMicros: micros)
        event.userID = user
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

    func request(_ method: String, _ path: String, _ body: String? = nil) async throws -> (Int, JSONValue?) {
        var request = URLRequest(url: URL(string: "http://127.0.0.1:\(port)\(path)")!)
        request.httpMethod = method
        request.httpBody = body.map { Data($0.utf8) }
        let (data, response) = try await URLSession.shared.data(for: request)
        let status = (response as? HTTPURLResponse)?.statusCode ?? 0
        return (status, try? JSONValue(parsing: Array(data)))
    }

    /// The number of events that an answer counts.
    func count() async throws -> Int64? {
        let (status, json) = try await request("POST", "/v1/query", #"{"kind":"aggregate","metrics":["count"]}"#)
        guard status == 200 else { return nil }
        return json?["rows"]?[0]?["count"]?.asInteger
    }
}
