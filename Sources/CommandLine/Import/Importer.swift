import Bytes
import Events
import JSON

/// What an import reads.
enum ImportFormat: String, CaseIterable {
    /// NDJSON if the first character is a brace, else CSV.
    case auto
    case csv, ndjson
}

/// A row that was not taken.
struct Rejection: Equatable {
    let file: String
    let line: Int
    let error: RowError

    var text: String { "\(file):\(line): \(error)" }
}

/// Turns the rows of files into encoded batches. No sockets: where the batches go is the caller's affair.
final class Importer {
    struct Settings {
        var mapping = RowMapping()
        var assembler = EventAssembler()
        var format = ImportFormat.auto
        /// nil: a tab for names in .tsv, else a comma.
        var delimiter: UInt8?
        /// Of CSV files that have no header.
        var header: [String]?
        var batchEventsMax = 500
    }

    /// A batch that grows beyond this is sent before it is full.
    private static let batchBytesMax = 1 << 20

    /// Rows read so far, bad ones included.
    private(set) var readCount = 0
    /// Rows that became events in batches.
    private(set) var sentCount = 0
    /// Of those, the ones whose fate the collector has told: durable, or refused.
    private(set) var deliveredCount = 0
    /// Rows that did not become events, and events that the collector did not store.
    private(set) var rejectedCount = 0
    /// The latter.
    private(set) var refusedCount = 0
    /// Where the rows came from whose fate is not known, by the batch's tag.
    private var places: [Int: [(file: String, line: Int)]] = [:]

    private let settings: Settings
    private let send: ([UInt8], Int, Int) throws -> Void
    private let reject: (Rejection) throws -> Void
    private var builder = BatchBuilder()
    private var encoder = BatchEncoder(codec: .zstd(level: 1))
    private var ids = ImportIDs()
    private var builderPlaces: [(file: String, line: Int)] = []
    private var nextTag = 1
    private var rolesByNames: [[String]: [ColumnRole]] = [:]

    /// - Parameters:
    ///   - send: takes a batch, its number of events and its tag.
    ///   - reject: hears of each row that is not taken.
    init(
        _ settings: Settings, send: @escaping ([UInt8], Int, Int) throws -> Void,
        reject: @escaping (Rejection) throws -> Void
    ) {
        self.settings = settings
        self.send = send
        self.reject = reject
    }

    /// Reads the whole input. Its last rows may wait for `finish`.
    /// - Parameter onPiece: called after each piece of the input.
    func read(_ input: TextInput, onPiece: () -> Void) throws {
        guard let first = try input.next() else { return }
        let start = first.first { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        let isObjects = settings.format == .ndjson || settings.format == .auto && start == UInt8(ascii: "{")
        if isObjects {
            try readObjects(input, first, onPiece)
        } else {
            try readTable(input, first, onPiece)
        }
    }

    /// Sends what waits.
    func finish() throws { try flush() }

    /// Accounts for what the collector did not store.
    func delivered(_ delivery: Delivery) throws {
        guard let rows = places.removeValue(forKey: delivery.tag) else { return }
        deliveredCount += delivery.eventCount
        for refusal in delivery.refused {
            refusedCount += refusal.rows.count
            for row in rows[refusal.rows] {
                try reject(row.file, row.line, .refused(refusal.reason))
            }
        }
    }

    // MARK: CSV

    private func readTable(_ input: TextInput, _ first: [UInt8], _ onPiece: () -> Void) throws {
        let isTabbed = [".tsv", ".tsv.gz", ".tab"].contains { input.name.hasSuffix($0) }
        let delimiter = settings.delimiter ?? UInt8(ascii: isTabbed ? "\t" : ",")
        var parser = CSVParser(delimiter: delimiter)
        var names = settings.header
        var roles = try names.map { try tableRoles($0, input) } ?? []
        var piece: [UInt8]? = first
        func take(_ row: CSVRow) throws {
            guard let header = names else {
                names = try Self.header(row, input)
                roles = try tableRoles(names ?? [], input)
                return
            }
            readCount += 1
            switch row.content {
            case .bad(let error): try reject(input.name, row.line, error)
            case .fields(let fields):
                guard fields.count == header.count else {
                    let error = RowError.fieldCount(expected: header.count, found: fields.count)
                    return try reject(input.name, row.line, error)
                }
                try add(header, roles, fields.map { .text($0) }, (input.name, row.line))
            }
        }
        while let bytes = piece {
            try parser.feed(bytes, take)
            onPiece()
            piece = try input.next()
        }
        try parser.finish(take)
    }

    private static func header(_ row: CSVRow, _ input: TextInput) throws -> [String] {
        switch row.content {
        case .bad(let error):
            throw CommandError.unreadableInput(
                path: input.name, reason: "line \(row.line): the header cannot be read: \(error)")
        case .fields(let fields):
            do { return try columnNames(fields) } catch {
                throw CommandError.unreadableInput(path: input.name, reason: "the header: \(error)")
            }
        }
    }

    /// A column without a name is called by its number.
    static func columnNames(_ fields: [String]) throws(RowError) -> [String] {
        let names = fields.enumerated().map { index, name in name.isEmpty ? "column_\(index + 1)" : name }
        var seen: Set<String> = []
        for name in names where !seen.insert(name).inserted { throw .repeatedColumn(name) }
        return names
    }

    private func tableRoles(_ names: [String], _ input: TextInput) throws -> [ColumnRole] {
        let missing = settings.mapping.missing(in: names)
        guard missing.isEmpty else {
            throw CommandError.unreadableInput(
                path: input.name,
                reason: "no column \"\(missing[0])\"; there are \(names.joined(separator: ", ").shortened)")
        }
        let roles = settings.mapping.roles(names)
        guard roles.contains(.timestamp) else {
            throw CommandError.unreadableInput(
                path: input.name, reason: "no column is known to be the timestamp: name it with --timestamp-column")
        }
        guard roles.contains(.identity(.type)) || settings.assembler.defaultType != nil else {
            throw CommandError.unreadableInput(
                path: input.name,
                reason: "no column is known to be the event type: use --event-type-column or --event-type")
        }
        return roles
    }

    // MARK: NDJSON

    private func readObjects(_ input: TextInput, _ first: [UInt8], _ onPiece: () -> Void) throws {
        var splitter = LineSplitter()
        var piece: [UInt8]? = first
        func take(_ line: Int, _ bytes: [UInt8]?) throws {
            readCount += 1
            guard let bytes else { return try reject(input.name, line, .tooLong(limit: LineSplitter.lineBytesMax)) }
            try addObject(bytes, (input.name, line))
        }
        while let bytes = piece {
            try splitter.feed(bytes, take)
            onPiece()
            piece = try input.next()
        }
        try splitter.finish(take)
    }

    private func addObject(_ line: [UInt8], _ place: (file: String, line: Int)) throws {
        let json: JSONValue
        do { json = try JSONValue(parsing: line) } catch { return try reject(place.file, place.line, .notJSON(error)) }
        guard let object = json.asObject else {
            return try reject(place.file, place.line, .notAnObject(found: json.kindName))
        }
        let names = object.members.map(\.name)
        try add(names, objectRoles(names), object.members.map { .json($0.value) }, place)
    }

    /// Objects of one file mostly have the same few sets of members.
    private func objectRoles(_ names: [String]) -> [ColumnRole] {
        if let roles = rolesByNames[names] { return roles }
        if rolesByNames.count == 1000 { rolesByNames.removeAll() }
        let roles = settings.mapping.roles(names)
        rolesByNames[names] = roles
        return roles
    }

    // MARK: Batches

    private func add(
        _ names: [String], _ roles: [ColumnRole], _ fields: [EventAssembler.Field], _ place: (file: String, line: Int)
    ) throws {
        do {
            var event = try settings.assembler.event(names, roles, fields)
            if event.eventID == nil { event.eventID = ids.id(for: event) }
            try add(event)
        } catch let error as RowError {
            return try reject(place.file, place.line, error)
        }
        builderPlaces.append(place)
        let isFull = builder.eventCount >= settings.batchEventsMax || builder.decodedByteCountMax > Self.batchBytesMax
        if isFull { try flush() }
    }

    /// An event that does not fit into this batch may fit into the next.
    private func add(_ event: Event) throws {
        do { try builder.add(event) } catch let error {
            guard case .overLimit = error, builder.eventCount > 0 else { throw Self.rowError(error, event) }
            try flush()
            do { try builder.add(event) } catch { throw Self.rowError(error, event) }
        }
    }

    private static func rowError(_ error: BatchError, _ event: Event) -> RowError {
        .event(error, name: error.valueIndex.map { event.values[$0].name.shortened })
    }

    private func flush() throws {
        guard builder.eventCount > 0 else { return }
        let count = builder.eventCount
        let batch = try encoder.encode(builder)
        places[nextTag] = builderPlaces
        builder.removeAll()
        builderPlaces = []
        sentCount += count
        nextTag += 1
        try send(batch, count, nextTag - 1)
    }

    private func reject(_ file: String, _ line: Int, _ error: RowError) throws {
        rejectedCount += 1
        try reject(Rejection(file: file, line: line, error: error))
    }
}
