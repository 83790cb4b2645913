/// A value that a statement takes or returns.
enum SQLValue: Sendable, Equatable {
    case null
    case integer(Int64)
    case text(String)
}

/// One connection to a database that speaks SQL. For one thread at a time.
///
/// Both databases take the statements of this module as they are: `$1` for parameters, `ON CONFLICT`, `RETURNING`.
protocol SQLConnection: AnyObject {
    /// Begins a transaction that waits for any other one begun like it, anywhere.
    func beginExclusively() throws(MetadataError)

    /// Runs one statement whole.
    /// - Parameter parameters: for `$1`, `$2`, … in the statement.
    /// - Returns: its rows, if it has any.
    /// - Throws: `.unreachable` if the connection is of no use any more, `.damaged` or `.refused`.
    func run(_ statement: String, _ parameters: [SQLValue]) throws(MetadataError) -> [[SQLValue]]

    /// Whether the other end is still there, as far as this end has heard.
    var isAlive: Bool { get }
}

extension SQLConnection {
    /// Brings the schema up to date, or throws and leaves it as it was.
    func migrate(nowMicros: Int64) throws(MetadataError) {
        try beginExclusively()
        do throws(MetadataError) {
            try applyMigrations(nowMicros: nowMicros)
            _ = try run("COMMIT", [])
        } catch {
            // The first error counts; a connection that cannot even roll back is dropped with it.
            do throws(MetadataError) { _ = try run("ROLLBACK", []) } catch {}
            throw error
        }
    }

    private func applyMigrations(nowMicros: Int64) throws(MetadataError) {
        _ = try run(
            "CREATE TABLE IF NOT EXISTS tidemark_migrations (version BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL)",
            [])
        let newest = try run("SELECT max(version) FROM tidemark_migrations", []).first?.first
        var applied: Int64 = 0
        if case .integer(let version)? = newest { applied = version }
        let known = Int64(Schema.migrations.count)
        guard applied <= known else { throw .newerSchema(found: applied, known: known) }
        for version in applied..<known {
            _ = try run(Schema.migrations[Int(version)], [])
            _ = try run(
                "INSERT INTO tidemark_migrations (version, applied_at) VALUES ($1, $2)",
                [.integer(version + 1), .integer(nowMicros)])
        }
    }
}

/// The tables. A migration is never changed once released; the next one follows it.
enum Schema {
    /// One statement each; migration `i` leads to version `i + 1`. Times are µs since 1970-01-01 UTC, a body is JSON.
    static let migrations = [
        """
        CREATE TABLE tidemark_documents (
            project TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,
            version BIGINT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
            PRIMARY KEY (project, kind, id))
        """
    ]
}
