import JSON
import Synchronization

/// Which database keeps the documents.
package enum MetadataPlace: Sendable {
    /// A file of our own.
    case sqlite(path: String)
    case postgresql(PostgreSQLAddress)
    /// None can be had, and why: every call throws `.unreachable`.
    case none(reason: String)
}

/// Documents of JSON under (project, kind, id), each with a version. Any thread; one call at a time reaches the
/// database. A connection is made when first needed and made anew when it broke; an attempt that failed is not
/// repeated for `retryInterval`, so that a server which is away costs its callers no waiting.
package final class MetadataStore: Sendable {
    private struct State {
        var connection: (any SQLConnection)?
        /// Whether the last thing that was reported was a failure.
        var isReportedAway = false
    }

    package static let retryInterval = Duration.seconds(2)

    private let place: MetadataPlace
    private let clock: @Sendable () -> Int64
    private let report: @Sendable (MetadataError?) -> Void
    private let state = Mutex(State())
    /// Why the last attempt to connect failed, and when; nil while there is no such trouble.
    private let failure = Mutex<(error: MetadataError, at: ContinuousClock.Instant)?>(nil)

    /// Connects to nothing yet.
    /// - Parameters:
    ///   - clock: µs since 1970-01-01 UTC, for the documents' times.
    ///   - report: told once when documents cannot be had any more, and with nil when they can again. It must not
    ///     call the store.
    package init(
        _ place: MetadataPlace, clock: @escaping @Sendable () -> Int64,
        report: @escaping @Sendable (MetadataError?) -> Void = { _ in }
    ) {
        self.place = place
        self.clock = clock
        self.report = report
    }

    /// - Returns: nil if there is no such document.
    package func document(_ key: DocumentKey) throws(MetadataError) -> Document? {
        guard !key.hasNul else { return nil }
        let rows = try run("SELECT \(Self.columns) FROM tidemark_documents WHERE \(Self.isKey)", key.parameters)
        return try rows.first.map { row throws(MetadataError) in try Document(row: row) }
    }

    /// All documents of a kind, by name, then by id.
    package func documents(project: String, kind: DocumentKind) throws(MetadataError) -> [Document] {
        let rows = try run(
            "SELECT \(Self.columns) FROM tidemark_documents WHERE project = $1 AND kind = $2",
            [.text(project), .text(kind.rawValue)])
        var documents: [Document] = []
        for row in rows { documents.append(try Document(row: row)) }
        return documents.sorted { ($0.name, $0.key.id) < ($1.name, $1.key.id) }
    }

    /// Makes or replaces a document, all or nothing.
    /// - Returns: the document as it is stored now.
    /// - Throws: `.exists`, `.missing` or `.versionConflict` where the condition does not hold; `.textWithNul`.
    @discardableResult
    package func put(
        _ key: DocumentKey, name: String, body: JSONValue, if condition: WriteCondition
    ) throws(MetadataError) -> Document {
        guard !key.hasNul, !name.utf8.contains(0) else { throw .textWithNul }
        var parameters = key.parameters + [.text(name), .text(body.description), .integer(clock())]
        let statement: String
        switch condition {
        case .isNew: statement = Self.insert + " ON CONFLICT DO NOTHING"
        case .always:
            statement =
                Self.insert + " ON CONFLICT (project, kind, id) DO UPDATE SET name = excluded.name, "
                + "body = excluded.body, version = tidemark_documents.version + 1, updated_at = excluded.updated_at"
        case .exists: statement = Self.update
        case .hasVersion(let version):
            statement = Self.update + " AND version = $7"
            parameters.append(.integer(version))
        }
        if let row = try run(statement + " RETURNING " + Self.columns, parameters).first {
            return try Document(row: row)
        }
        if condition == .isNew { throw .exists }
        throw try conflict(at: key)
    }

    /// - Throws: `.missing`, or `.versionConflict` where it is not of the expected version.
    package func delete(_ key: DocumentKey, expectedVersion: Int64? = nil) throws(MetadataError) {
        guard !key.hasNul else { throw .missing }
        var statement = "DELETE FROM tidemark_documents WHERE \(Self.isKey)"
        var parameters = key.parameters
        if let expectedVersion {
            statement += " AND version = $4"
            parameters.append(.integer(expectedVersion))
        }
        guard try run(statement + " RETURNING version", parameters).isEmpty else { return }
        throw try conflict(at: key)
    }

    /// Why a write for a version found nothing.
    private func conflict(at key: DocumentKey) throws(MetadataError) -> MetadataError {
        guard let current = try document(key) else { return .missing }
        return .versionConflict(current: current.version)
    }

    // MARK: Statements

    private static let columns = "project, kind, id, name, body, version, created_at, updated_at"
    private static let isKey = "project = $1 AND kind = $2 AND id = $3"
    private static let insert = "INSERT INTO tidemark_documents (\(columns)) VALUES ($1, $2, $3, $4, $5, 1, $6, $6)"
    private static let update =
        "UPDATE tidemark_documents SET name = $4, body = $5, version = version + 1, updated_at = $6 WHERE \(isKey)"

    private func run(_ statement: String, _ parameters: [SQLValue]) throws(MetadataError) -> [[SQLValue]] {
        guard let failure = failure.withLock({ $0 }) else {
            return try state.withLock { state throws(MetadataError) in try run(statement, parameters, &state) }
        }
        // One caller in a while tries; all others are told what came of it the last time.
        guard failure.at.duration(to: .now) >= Self.retryInterval,
            let rows = try state.withLockIfAvailable({ state throws(MetadataError) in
                try run(statement, parameters, &state)
            })
        else { throw failure.error }
        return rows
    }

    private func run(
        _ statement: String, _ parameters: [SQLValue], _ state: inout State
    ) throws(MetadataError) -> [[SQLValue]] {
        if state.connection?.isAlive == false { state.connection = nil }
        do throws(MetadataError) {
            let connection: any SQLConnection
            if let open = state.connection { connection = open } else { connection = try connect() }
            state.connection = connection
            let rows = try connection.run(statement, parameters)
            failure.withLock { $0 = nil }
            if state.isReportedAway { report(nil) }
            state.isReportedAway = false
            return rows
        } catch {
            guard error.isOfTheStore else { throw error }
            // A connection that breaks may be had anew at once; one that cannot be made is not tried again so soon.
            if state.connection == nil { failure.withLock { $0 = (error, .now) } }
            state.connection = nil
            if !state.isReportedAway { report(error) }
            state.isReportedAway = true
            throw error
        }
    }

    private func connect() throws(MetadataError) -> any SQLConnection {
        let connection: any SQLConnection
        switch place {
        case .sqlite(let path): connection = try SQLiteConnection(path: path)
        case .postgresql(let address): connection = try PostgreSQLConnection(address)
        case .none(let reason): throw .unreachable(reason: reason)
        }
        do throws(MetadataError) {
            try connection.migrate(nowMicros: clock())
        } catch {
            // A database that refuses the tables is of no use, whatever is asked of it.
            guard case .refused(let reason) = error else { throw error }
            throw .unreachable(reason: "its tables cannot be made or read: \(reason)")
        }
        return connection
    }
}

extension DocumentKey {
    fileprivate var parameters: [SQLValue] { [.text(project), .text(kind.rawValue), .text(id)] }

    fileprivate var hasNul: Bool { project.utf8.contains(0) || id.utf8.contains(0) }
}

extension Document {
    /// - Parameter row: in the order of `MetadataStore.columns`.
    fileprivate init(row: [SQLValue]) throws(MetadataError) {
        guard row.count == 8, case .text(let project) = row[0], case .text(let kindName) = row[1],
            case .text(let id) = row[2], case .text(let name) = row[3], case .text(let text) = row[4],
            case .integer(let version) = row[5], case .integer(let created) = row[6],
            case .integer(let updated) = row[7], let kind = DocumentKind(rawValue: kindName)
        else { throw .malformedDocument(place: "a row of tidemark_documents", reason: "\(row)") }
        do throws(JSONError) {
            body = try JSONValue(parsing: text)
        } catch {
            throw .malformedDocument(place: "document \(kindName) \(id) of project \"\(project)\"", reason: "\(error)")
        }
        key = DocumentKey(project: project, kind: kind, id: id)
        (self.name, self.version, createdMicros, updatedMicros) = (name, version, created, updated)
    }
}
