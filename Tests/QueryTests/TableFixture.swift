import Bytes
import Events
import Files
import JSON
import Query
import Synchronization
import Table
import TestSupport
import WAL
import Zones

/// A project with a real log and tables in a folder of its own.
final class TableFixture {
    let folder = TemporaryFolder()
    let project: Project
    private let writer: LogWriter
    private let reader: TableReader
    private let publisher: Publisher
    private var encoder = BatchEncoder(codec: .raw)
    private var base: UInt64 = 1
    static let source = SourceID(bytes: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])!

    init(publishing options: Publisher.Options = .init(), tail limits: TailLimits = .init()) throws {
        try Disk.posix.makeFolder(folder("data"))
        let key = [UInt8](repeating: 7, count: 16)
        project = try Project.create("default", dataFolder: folder("data"), key: key, disk: .posix)
        let log = folder("wal")
        (writer, _) = try LogWriter.open(
            folder: log, options: .init(), disk: .posix, state: .none, highestPublished: 0, nowMicros: 1)
        reader = TableReader(project: project, logFolder: log, disk: .posix, limits: limits)
        publisher = Publisher(
            project: project, log: LogReader(folder: log, disk: .posix), disk: .posix, options: options)
    }

    /// Appends events to the log as one record.
    func commit(_ events: [Event], nowMicros: Int64) throws {
        let body = try encoder.encode(events)
        try commit(body: body, count: events.count, nowMicros: nowMicros)
    }

    func commit(body: [UInt8], count: Int, nowMicros: Int64) throws {
        var draft = GroupDraft()
        let batch = BatchEntry(
            receivedMicros: nowMicros, clockOffsetMicros: 0, fingerprint: XXH64.hash(body), minTimestampMicros: 0,
            maxTimestampMicros: 0, exclusions: [])
        let entry = Entry(
            kind: .batch(batch), project: "default", source: Self.source, flags: [], base: base, count: count,
            totals: SourceTotals(stored: base + UInt64(count) - 1))
        base += UInt64(count)
        try draft.add(entry, batch, body: body.rawSpan, isCompressed: false)
        _ = try writer.commit(&draft, nowMicros: nowMicros)
    }

    /// Moves everything that is in the log into the table.
    func publish() throws { _ = try publisher.publish(through: .max) }

    func snapshot() throws -> Snapshot { try reader.snapshot() }
}

/// A zone of the system's database.
func zone(_ name: String) throws -> Zone { try Zone(named: name, disk: .posix) }

/// The instant of an ISO 8601 text.
func micros(_ text: String) -> Int64 {
    switch ISO8601.moment(text, in: .utc) {
    case .instant(let micros)?: micros
    case .date(let day)?: Zone.utc.startOfDay(day)
    case nil: preconditionFailure("no date: \(text)")
    }
}

func question(_ json: JSONValue, now: String = "2024-03-20T12:00:00Z") throws -> Question {
    let context = QuestionContext(
        nowMicros: micros(now),
        zoneNamed: { name throws(ZoneError) in
            try Zone(named: name, disk: .posix)
        })
    return try Question(parsing: json, context: context)
}

/// An event in few words.
func event(
    _ type: String, _ time: String, user: String? = nil, anonymous: String? = nil,
    _ properties: [(String, EventValue.Value)] = []
) -> Event {
    var event = Event(type: type, timestampMicros: micros(time))
    event.userID = user
    event.anonymousID = anonymous
    event.values = properties.map { EventValue(.property, $0.0, $0.1) }
    return event
}

extension Execution {
    /// Is cancelled when it has been asked so often.
    static func cancelled(after count: Int) -> Execution {
        let rest = Atomic(count)
        return Execution(isCancelled: { rest.subtract(1, ordering: .relaxed).newValue < 0 })
    }
}
