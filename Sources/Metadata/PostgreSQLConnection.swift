import CPQ
import Glibc

// Safe throughout: connection and results come from the library and are freed once, in deinit or before the function
// ends; strings it returns are copied before that; strings given to it live for the call.

/// Where a PostgreSQL server is and who we are there.
package struct PostgreSQLAddress: Sendable, Equatable {
    /// A name, an address, or the folder of its Unix socket.
    package let host: String
    package let port: Int
    package let database: String
    /// nil: as libpq finds it, in PGUSER or by the account's name.
    package let username: String?
    /// nil: as libpq finds it, in PGPASSWORD or a password file.
    package let password: String?

    package init(host: String, port: Int, database: String, username: String?, password: String?) {
        (self.host, self.port, self.database) = (host, port, database)
        (self.username, self.password) = (username, password)
    }
}

/// One session of a PostgreSQL server.
@safe
final class PostgreSQLConnection: SQLConnection {
    /// Any number, the same for all of us.
    private static let advisoryLock: Int64 = 0x7469_6465_6D61_726B
    /// OIDs of the server's catalog that no release changes: int8 and int4.
    private static let integerTypes: Set<UInt32> = [20, 23]
    /// How long an answer is waited for: longer than the server gives a statement, so that what is awaited in vain is
    /// a server that stands still or a network that loses everything. Other callers wait meanwhile.
    private static let answerLimit = Duration.seconds(7)

    private let connection: OpaquePointer

    /// Connects, or gives up after some seconds.
    /// - Throws: `.unreachable` with the server's or the library's words.
    init(_ address: PostgreSQLAddress) throws(MetadataError) {
        let settings: [(String, String?)] = [
            ("host", address.host), ("port", "\(address.port)"), ("dbname", address.database),
            ("user", address.username), ("password", address.password),
            ("connect_timeout", "3"), ("tcp_user_timeout", "5000"), ("keepalives_idle", "30"),
            ("client_encoding", "UTF8"), ("application_name", "queryd"),
            ("options", "-c statement_timeout=5s -c client_min_messages=warning"),
        ]
        let given = settings.filter { $0.1 != nil }
        let connection = unsafe withCStrings(given.map(\.0)) { names in
            unsafe withCStrings(given.map(\.1)) { values in unsafe PQconnectdbParams(names, values, 0) }
        }
        guard let connection = unsafe connection else { throw .unreachable(reason: "libpq has no memory") }
        guard unsafe PQstatus(connection) == CONNECTION_OK else {
            let reason = unsafe Self.message(PQerrorMessage(connection))
            unsafe PQfinish(connection)
            throw .unreachable(reason: reason)
        }
        unsafe self.connection = unsafe connection
        unsafe PQsetnonblocking(connection, 1)
        // What the server remarks beside its answers; else the library writes it to standard error.
        unsafe PQsetNoticeProcessor(connection, { _, _ in }, nil)
    }

    deinit { unsafe PQfinish(connection) }

    // MARK: SQLConnection

    var isAlive: Bool { unsafe PQconsumeInput(connection) == 1 && PQstatus(connection) == CONNECTION_OK }

    func beginExclusively() throws(MetadataError) {
        _ = try run("BEGIN", [])
        _ = try run("SELECT pg_advisory_xact_lock($1)", [.integer(Self.advisoryLock)])
    }

    func run(_ statement: String, _ parameters: [SQLValue]) throws(MetadataError) -> [[SQLValue]] {
        let texts = parameters.map { parameter -> String? in
            switch parameter {
            case .null: nil
            case .integer(let value): "\(value)"
            case .text(let text): text
            }
        }
        // All in text form; the server infers the types from where the parameters stand.
        let isSent = unsafe withCStrings(texts) { values in
            unsafe PQsendQueryParams(connection, statement, Int32(texts.count), nil, values, nil, nil, 0)
        }
        guard isSent == 1 else { throw unsafe error(nil) }
        let result = unsafe try answer()
        defer { unsafe PQclear(result) }
        switch unsafe PQresultStatus(result) {
        case PGRES_COMMAND_OK: return []
        case PGRES_TUPLES_OK: return unsafe rows(result)
        default: throw unsafe error(result)
        }
    }

    /// Sends what is unsent and takes the whole answer: the last of its results, whose memory is the caller's.
    private func answer() throws(MetadataError) -> OpaquePointer? {
        let end = ContinuousClock.now + Self.answerLimit
        var last: OpaquePointer?
        while true {
            let isUnsent = unsafe PQflush(connection) == 1
            if !isUnsent, unsafe PQisBusy(connection) == 0 {
                // A connection that broke gives a result that says so.
                guard let result = unsafe PQgetResult(connection) else { return unsafe last }
                unsafe PQclear(last)
                unsafe last = result
            } else if wait(until: end, isUnsent: isUnsent) {
                _ = unsafe PQconsumeInput(connection)
            } else {
                unsafe PQclear(last)
                throw .unreachable(reason: "no answer within \(Self.answerLimit)")
            }
        }
    }

    /// - Returns: whether the socket may have something for us before `end`.
    private func wait(until end: ContinuousClock.Instant, isUnsent: Bool) -> Bool {
        let left = ContinuousClock.now.duration(to: end)
        guard left > .zero else { return false }
        var request = pollfd(
            fd: unsafe PQsocket(connection), events: Int16(POLLIN | (isUnsent ? POLLOUT : 0)), revents: 0)
        // A signal ends it early: then nothing is there yet, and the next call waits on.
        _ = unsafe poll(&request, 1, Int32(left / .milliseconds(1)) + 1)
        return true
    }

    private func rows(_ result: OpaquePointer?) -> [[SQLValue]] {
        (0..<(unsafe PQntuples(result))).map { row in
            (0..<(unsafe PQnfields(result))).map { column -> SQLValue in
                guard unsafe PQgetisnull(result, row, column) == 0,
                    let value = unsafe PQgetvalue(result, row, column)
                else { return .null }
                let text = unsafe String(cString: value)
                guard Self.integerTypes.contains(unsafe PQftype(result, column)), let integer = Int64(text) else {
                    return .text(text)
                }
                return .integer(integer)
            }
        }
    }

    private func error(_ result: OpaquePointer?) -> MetadataError {
        let reason = unsafe Self.message(PQerrorMessage(connection))
        if unsafe PQstatus(connection) != CONNECTION_OK { return .unreachable(reason: reason) }
        // PG_DIAG_SQLSTATE, a macro of a character.
        let state = unsafe PQresultErrorField(result, Int32(UInt8(ascii: "C"))).map { unsafe String(cString: $0) } ?? ""
        // Operator intervention, insufficient resources, read-only standby: the next try may succeed.
        let passing = ["57", "53", "25"].contains { state.hasPrefix($0) }
        return passing ? .unreachable(reason: reason) : .refused(reason: reason)
    }

    /// The library's messages have line breaks, and a tab before what explains the line above.
    private static func message(_ pointer: UnsafePointer<CChar>?) -> String {
        guard let pointer = unsafe pointer else { return "" }
        let lines = unsafe String(cString: pointer).split(separator: "\n")
        return lines.map { String($0.drop { $0 == "\t" }) }.joined(separator: "; ")
    }
}

/// Calls `body` with an array of C strings that ends with a null pointer; nil is one too.
private func withCStrings<Result>(
    _ strings: [String?], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result
) -> Result {
    var bytes: [CChar] = []
    var starts: [Int?] = []
    for string in strings {
        starts.append(string.map { _ in bytes.count })
        bytes += (string.map { Array($0.utf8CString) } ?? [])
    }
    return unsafe bytes.withUnsafeBufferPointer { bytes in
        var pointers: [UnsafePointer<CChar>?] = unsafe []
        for start in starts {
            // Without a start there may be no bytes, and so no address to count from.
            if let start, let first = bytes.baseAddress {
                unsafe pointers.append(first + start)
            } else {
                unsafe pointers.append(nil)
            }
        }
        unsafe pointers.append(nil)
        return unsafe pointers.withUnsafeBufferPointer { unsafe body($0.baseAddress!) }
    }
}
