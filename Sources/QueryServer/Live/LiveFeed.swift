import Access
import HTTPServer
import JSON
import Query
import Synchronization
import Table
import Telemetry

/// Sends events to those who listen, as they come: server-sent events (WHATWG HTML §9.2). Any thread; `tick` one at a
/// time.
///
/// Costs nothing while nobody listens. The events are those that snapshots show: durable, and each once.
final class LiveFeed: Sendable {
    static let periodSeconds = 0.25
    /// Of a listener and tick: 200 a second. The rest is counted.
    private static let eventsPerTickMax = 50
    static let firstEventsMax = 20
    /// Each costs a small question a tick.
    private static let listenersMax = 64
    private static let pingSeconds: Int64 = 15

    private struct Listener {
        let stream: HTTPBodyStream
        let project: String
        let tokenHash: [UInt8]
        /// What is asked for, without positions.
        let filters: [JSONValue]
        /// The last position that was looked at.
        var position: Int64
        /// How many runs of that snapshot were of files.
        var publishedRunCount: Int
        var lastWriteMicros: Int64
    }

    private let projects: ProjectReaders
    private let tokens: TokenStore
    private let logger: Logger
    private let faults = StandingFaults()
    private let listeners = Mutex<[Listener]>([])

    init(projects: ProjectReaders, tokens: TokenStore, logger: Logger) {
        self.projects = projects
        self.tokens = tokens
        self.logger = logger
    }

    /// Begins to send: the newest events first.
    /// - Parameters:
    ///   - filters: what each event must match.
    ///   - after: the position behind which the caller has nothing; nil: they have nothing at all.
    /// - Throws: 503 `overloaded`, and what the question throws.
    func listen(_ call: Call, filters: [JSONValue], after: Int64?) throws -> HTTPBodyStream {
        guard listeners.withLock({ $0.count < Self.listenersMax }) else {
            throw Problem.overloaded("\(Self.listenersMax) listen already")
        }
        let snapshot = try projects.reader(of: call.project).snapshot()
        let stream = HTTPBodyStream()
        let first = try Self.newest(
            Self.firstEventsMax, of: snapshot, filters + (after.map { [Self.isBehind($0)] } ?? []))
        stream.write(Array("retry: 2000\n\n".utf8) + first.flatMap(Self.message))
        listeners.withLock { listeners in
            listeners.append(
                Listener(
                    stream: stream, project: call.project, tokenHash: call.principal.tokenHash, filters: filters,
                    position: snapshot.position, publishedRunCount: snapshot.runs.count { $0.day != nil },
                    lastWriteMicros: call.arrivedMicros))
        }
        return stream
    }

    /// Sends what came since the last call.
    func tick(nowMicros: Int64) {
        var current = listeners.withLock { $0 }
        guard !current.isEmpty else { return }
        let known = current.count
        for index in current.indices { tick(&current[index], nowMicros) }
        listeners.withLock { listeners in
            // Those who came meanwhile stand behind.
            listeners.replaceSubrange(..<known, with: current.filter { $0.stream.isOpen })
        }
    }

    private func tick(_ listener: inout Listener, _ nowMicros: Int64) {
        guard listener.stream.isOpen else { return }
        guard let token = tokens.token(sha256: listener.tokenHash), Principal(token).maySee(listener.project) else {
            return listener.stream.close()
        }
        do {
            let snapshot = try projects.reader(of: listener.project).snapshot()
            if snapshot.position > listener.position { try send(snapshot, to: &listener, nowMicros) }
            faults.end(of: listener.project)
        } catch {
            if faults.isNew(error, of: listener.project) {
                let name = listener.project
                logger.warning("cannot send live events", ["project": .string(name), "reason": .string("\(error)")])
            }
        }
        if nowMicros - listener.lastWriteMicros > Self.pingSeconds * 1_000_000 {
            listener.stream.write(Array(": ping\n\n".utf8))
            listener.lastWriteMicros = nowMicros
        }
    }

    private func send(_ snapshot: Snapshot, to listener: inout Listener, _ nowMicros: Int64) throws {
        let recent = snapshot.recent(publishedRunCount: listener.publishedRunCount)
        let filters = listener.filters + [Self.isBehind(listener.position)]
        let events = try Self.newest(Self.eventsPerTickMax, of: recent, filters)
        var text = events.flatMap(Self.message)
        if events.count == Self.eventsPerTickMax {
            let skippedCount = try Self.count(of: recent, filters) - Int64(events.count)
            if skippedCount > 0 {
                text = Array("event: skipped\ndata: {\"count\":\(skippedCount)}\n\n".utf8) + text
            }
        }
        listener.position = snapshot.position
        listener.publishedRunCount = snapshot.runs.count { $0.day != nil }
        guard !text.isEmpty else { return }
        listener.stream.write(text)
        listener.lastWriteMicros = nowMicros
    }

    // MARK: Questions

    private static func isBehind(_ position: Int64) -> JSONValue {
        ["field": "position", "op": "gt", "value": .integer(position)]
    }

    /// The newest events that match, oldest first.
    private static func newest(_ limit: Int, of snapshot: Snapshot, _ filters: [JSONValue]) throws -> [JSONValue] {
        let answer = try ask(["kind": "events", "limit": .integer(Int64(limit)), "filters": all(filters)], snapshot)
        return answer.json["events"]?.asArray?.reversed() ?? []
    }

    private static func count(of snapshot: Snapshot, _ filters: [JSONValue]) throws -> Int64 {
        let answer = try ask(["kind": "aggregate", "metrics": ["count"], "filters": all(filters)], snapshot)
        return answer.rows.first?.last?.asInteger ?? 0
    }

    private static func all(_ filters: [JSONValue]) -> JSONValue { filters.isEmpty ? [:] : ["and": .array(filters)] }

    private static func ask(_ question: JSONValue, _ snapshot: Snapshot) throws -> Answer {
        let context = QuestionContext(atMicros: Logger.systemClock())
        return try QueryEngine.answer(try Question(parsing: question, context: context), snapshot)
    }

    private static func message(_ event: JSONValue) -> [UInt8] {
        let position = event["position"]?.asInteger.map { "id: \($0)\n" } ?? ""
        return Array((position + "event: event\ndata: ").utf8) + event.encoded() + Array("\n\n".utf8)
    }
}

extension Snapshot {
    /// What may be new since a snapshot with so many runs of files: the tail, and files published since.
    fileprivate func recent(publishedRunCount: Int) -> Snapshot {
        let published = runs.filter { $0.day != nil }.dropFirst(publishedRunCount)
        return Snapshot(
            project: project, runs: published + runs.filter { $0.day == nil }, tableVersion: tableVersion,
            lastRecord: lastRecord, clockMicros: clockMicros, tailRowCount: tailRowCount, behind: behind)
    }
}
