import Bytes
import Config
import Crypto
import Events
import WAL

/// Which records, batches and events `wal cat` shows.
struct LogFilter {
    static let options: [CommandSyntax.Option] = [
        .value("from", "sequence", help: "The first record."),
        .value("to", "sequence", help: "The last record."),
        .value("project", "name", help: "Only this project."),
        .value("source", "digits", help: "Only this source, 20 hexadecimal digits."),
        .value("user", "id", help: "Only this user or anonymous id."),
        .value("type", "type", help: "Only events of this type."),
    ]

    private let sequences: ClosedRange<UInt64>
    private let project: String?
    private let source: SourceID?
    private let user: String?
    private let type: String?

    init(_ arguments: CommandArguments) throws(UsageError) {
        let first = try arguments.integer("from", in: 0...Int.max) ?? 0
        let last = try arguments.integer("to", in: first...Int.max) ?? Int.max
        sequences = UInt64(first)...UInt64(last)
        project = arguments.value("project")
        source = try arguments.value("source", expected: "20 hexadecimal digits") { SourceID($0) }
        user = arguments.value("user")
        type = arguments.value("type")
    }

    func admits(_ record: Record) -> Bool { sequences.contains(record.sequence) }

    func admits(_ entry: Entry) -> Bool {
        (project == nil || entry.project == project) && (source == nil || entry.source == source)
    }

    func admits(_ event: Event) -> Bool {
        (type == nil || event.type == type) && (user == nil || event.userID == user || event.anonymousID == user)
    }

    /// Whether bodies must be read to know what is shown.
    var looksAtEvents: Bool { user != nil || type != nil }
}

/// Takes out of an event what tells of a person: ids become pseudonyms that hold within one run, texts go.
struct Redaction {
    private let code = HMACSHA256(key: secureRandomBytes(count: 32))

    func redacted(_ event: Event) -> Event {
        var event = event
        event.userID = event.userID.map(pseudonym)
        event.anonymousID = event.anonymousID.map(pseudonym)
        event.sessionID = event.sessionID.map(pseudonym)
        event.groupKey = event.groupKey.map(pseudonym)
        for index in event.values.indices {
            switch event.values[index].value {
            case .string, .json: event.values[index].value = .string("[redacted]")
            case .bool, .int64, .float64: break
            }
        }
        return event
    }

    private func pseudonym(_ text: String) -> String { "~" + Hex.encode(code.code(for: Array(text.utf8)).prefix(8)) }
}
