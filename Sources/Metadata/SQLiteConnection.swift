import CSQLite
import Files

// Safe throughout: handles come from the library and are closed once, in deinit or before the function ends;
// strings it returns are copied before the next call; strings given to it live for the call.

/// An SQLite file of our own.
///
/// The file bears `applicationID`; one without it that holds anything is somebody else's and is not written to.
/// Crash story: SQLite's own. The journal is a WAL, synchronized at every commit: a write that returned is durable.
@safe
final class SQLiteConnection: SQLConnection {
    /// "TMQD" in the file's header.
    private static let applicationID: Int64 = 0x544D_5144
    /// How long a statement waits for another process.
    private static let busyMilliseconds: Int32 = 5000

    private let path: String
    private let handle: OpaquePointer

    /// Opens the file, or makes it for its owner alone (mode 0600).
    /// - Throws: `.unreachable`, `.foreignFile`, `.damaged`.
    init(path: String) throws(MetadataError) {
        self.path = path
        do throws(FileError) {
            // The library gives its journal the mode of the file.
            try File.open(path, .createOrOpen(0o600), disk: .posix).close()
        } catch {
            throw .unreachable(reason: error.description)
        }
        var handle: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let status = unsafe sqlite3_open_v2(path, &handle, flags, nil)
        guard status == SQLITE_OK, let opened = unsafe handle else {
            unsafe sqlite3_close(handle)
            throw .unreachable(reason: "\(path): \(Self.text(of: status))")
        }
        unsafe self.handle = unsafe opened
        unsafe sqlite3_busy_timeout(opened, Self.busyMilliseconds)
        try claim()
        _ = try run("PRAGMA journal_mode = WAL", [])
        _ = try run("PRAGMA synchronous = FULL", [])
    }

    deinit { unsafe sqlite3_close(handle) }

    /// Checks that the file is ours and whole, or makes an empty one ours.
    private func claim() throws(MetadataError) {
        try beginExclusively()
        let id = try integer("PRAGMA application_id")
        if id != Self.applicationID {
            guard id == 0, try integer("SELECT count(*) FROM sqlite_master") == 0 else {
                throw .foreignFile(path: path)
            }
            _ = try run("PRAGMA application_id = \(Self.applicationID)", [])
        }
        let found = try run("PRAGMA quick_check(1)", []).first?.first
        guard found == .text("ok") else {
            throw .damaged(path: path, reason: found.map { "\($0)" } ?? "the check says nothing")
        }
        _ = try run("COMMIT", [])
    }

    private func integer(_ statement: String) throws(MetadataError) -> Int64? {
        guard case .integer(let value)? = try run(statement, []).first?.first else { return nil }
        return value
    }

    // MARK: SQLConnection

    var isAlive: Bool { true }

    func beginExclusively() throws(MetadataError) { _ = try run("BEGIN IMMEDIATE", []) }

    func run(_ statement: String, _ parameters: [SQLValue]) throws(MetadataError) -> [[SQLValue]] {
        var prepared: OpaquePointer?
        try check(unsafe sqlite3_prepare_v2(handle, statement, -1, &prepared, nil))
        defer { unsafe sqlite3_finalize(prepared) }
        for (offset, parameter) in parameters.enumerated() {
            let index = unsafe sqlite3_bind_parameter_index(prepared, "$\(offset + 1)")
            switch parameter {
            case .null: try check(unsafe sqlite3_bind_null(prepared, index))
            case .integer(let value): try check(unsafe sqlite3_bind_int64(prepared, index, value))
            case .text(let text):
                let byteCount = Int32(clamping: text.utf8.count)
                try check(unsafe CSQLite_bind_text(prepared, index, text, byteCount))
            }
        }
        var rows: [[SQLValue]] = []
        while true {
            let status = unsafe sqlite3_step(prepared)
            if status == SQLITE_DONE { return rows }
            guard status == SQLITE_ROW else { throw error(status) }
            rows.append((0..<(unsafe sqlite3_column_count(prepared))).map { unsafe Self.column(prepared, $0) })
        }
    }

    private static func column(_ row: OpaquePointer?, _ index: Int32) -> SQLValue {
        switch unsafe sqlite3_column_type(row, index) {
        case SQLITE_NULL: return .null
        case SQLITE_INTEGER: return .integer(unsafe sqlite3_column_int64(row, index))
        default:
            guard let text = unsafe sqlite3_column_text(row, index) else { return .null }
            let count = Int(unsafe sqlite3_column_bytes(row, index))
            return .text(unsafe String(decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self))
        }
    }

    private func check(_ status: Int32) throws(MetadataError) {
        if status != SQLITE_OK { throw error(status) }
    }

    private func error(_ status: Int32) -> MetadataError {
        let reason = unsafe String(cString: sqlite3_errmsg(handle))
        switch status & 0xFF {
        case SQLITE_NOTADB: return .foreignFile(path: path)
        case SQLITE_CORRUPT: return .damaged(path: path, reason: reason)
        case SQLITE_CONSTRAINT, SQLITE_ERROR, SQLITE_TOOBIG, SQLITE_MISMATCH, SQLITE_RANGE:
            return .refused(reason: reason)
        default: return .unreachable(reason: "\(path): \(reason)")
        }
    }

    private static func text(of status: Int32) -> String { unsafe String(cString: sqlite3_errstr(status)) }
}
