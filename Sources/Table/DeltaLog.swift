import Bytes
import Files
import JSON

/// A data file of a table, as its `add` action describes it.
package struct DataFile: Sendable, Equatable {
    /// Relative to the table's folder.
    package var path: String
    /// Days since 1970-01-01 UTC; nil in tables without partitions.
    package var day: Int?
    package var byteCount: Int
    package var rowCount: Int
    package var bounds: Bounds?

    /// Bounds of the sort columns, where the file has them.
    package struct Bounds: Sendable, Equatable {
        package var userKey: ClosedRange<Int64>
        package var timestampMicros: ClosedRange<Int64>
        package var position: ClosedRange<Int64>
    }
}

/// One version of a table: which files are live and which records it holds.
package struct TableVersion: Sendable {
    /// Of a table that does not exist yet.
    package init() {}

    /// -1: the table does not exist yet.
    package internal(set) var version: Int64 = -1
    package private(set) var files: [DataFile] = []
    package internal(set) var transactions: [String: UInt64] = [:]
    package internal(set) var configuration: [String: String] = [:]

    static let logTransaction = "tidemark-log"
    static let clockTransaction = "tidemark-clock"

    /// The last record of the log that this version holds.
    package var lastRecord: UInt64 { transactions[Self.logTransaction] ?? 0 }

    /// When that record was committed; 0 if there is none.
    package var clockMicros: Int64 { Int64(clamping: transactions[Self.clockTransaction] ?? 0) }

    /// Where each path stands in `files`.
    private var places: [String: Int] = [:]

    /// Adds a file, or says anew what is known of one. O(1).
    fileprivate mutating func add(_ file: DataFile) {
        if let place = places[file.path] {
            files[place] = file
        } else {
            places[file.path] = files.count
            files.append(file)
        }
    }

    /// The last file takes the place of the one that goes. O(1).
    fileprivate mutating func remove(_ path: String) {
        guard let place = places.removeValue(forKey: path) else { return }
        let last = files.removeLast()
        guard last.path != path else { return }
        files[place] = last
        places[last.path] = place
    }
}

/// A table's `_delta_log`: protocol/table.md §5. Reads versions and commits new ones.
package struct DeltaLog: Sendable {
    package let folder: String
    private let disk: Disk

    package init(tableFolder: String, disk: Disk) {
        folder = tableFolder + "/_delta_log"
        self.disk = disk
    }

    /// The newest version, reading only what is newer than `known`. O(new actions).
    package func newest(after known: TableVersion = TableVersion()) throws -> TableVersion {
        var table = known
        while true {
            let path = commitPath(table.version + 1)
            guard let text = try disk.contentsIfPresent(path) else { return table }
            try apply(text, path, to: &table)
            table.version += 1
        }
    }

    /// Makes sure that the commits a version was read from outlast a crash: their writer may have died before its last
    /// step. Whoever acts on what a table holds, as by freeing the log, calls it first.
    func makeDurable(_ version: TableVersion) throws {
        if version.version >= 0 { try disk.synchronizeFolder(folder) }
    }

    /// Commits `actions` as the version after `base`, and returns it.
    ///
    /// Crash story: temporary file → fsync → link to the version's name → unlink of the temporary → fsync of the
    /// folder. The link is the moment; before it a crash leaves a temporary that nobody reads, after it the commit is
    /// there. What is left of a temporary may be a second name of a commit, so it is unlinked, never written to.
    /// - Throws: `.commitConflict` if the version exists already.
    func commit(_ actions: [JSONValue], onto base: TableVersion) throws -> TableVersion {
        let path = commitPath(base.version + 1)
        let temporary = folder + "/.commit.tmp"
        let text = Array(actions.map { $0.description + "\n" }.joined().utf8)
        if base.version < 0 {
            try disk.makeFolder(folder)
            // The table's folder and its parent must not lose the new names.
            try disk.synchronizeFolder(Disk.folder(of: folder))
            try disk.synchronizeFolder(Disk.folder(of: Disk.folder(of: folder)))
        }
        try disk.unlink(temporary)
        let file = try File.open(temporary, .createNew(0o644), disk: disk)
        try file.write(text, at: 0)
        try file.synchronize()
        try file.close()
        do { try disk.link(temporary, to: path) } catch {
            throw error.isExisting ? TableError.commitConflict(path: path) : error
        }
        try disk.unlink(temporary)
        try disk.synchronizeFolder(folder)
        var table = base
        try apply(text, path, to: &table)
        table.version += 1
        return table
    }

    private func commitPath(_ version: Int64) -> String {
        let digits = String(version)
        return folder + "/" + String(repeating: "0", count: 20 - digits.utf8.count) + digits + ".json"
    }

    private func apply(_ text: [UInt8], _ path: String, to table: inout TableVersion) throws {
        for (index, line) in text.split(separator: UInt8(ascii: "\n")).enumerated() {
            do {
                let json = try JSONValue(parsing: Array(line))
                guard let action = json.asObject?.members.first, json.asObject?.members.count == 1 else {
                    throw TableError.corruptCommit(path: path, line: index + 1, reason: "not one action")
                }
                try apply(action.name, action.value, to: &table, refuse: { reason in
                    TableError.corruptCommit(path: path, line: index + 1, reason: reason)
                })
            } catch let error as JSONError {
                throw TableError.corruptCommit(path: path, line: index + 1, reason: error.description)
            }
        }
    }

    private func apply(
        _ name: String, _ value: JSONValue, to table: inout TableVersion, refuse: (String) -> TableError
    ) throws {
        let fields = value.asObject
        switch name {
        case "protocol":
            guard fields?["minReaderVersion"]?.asInteger == 1, (fields?["minWriterVersion"]?.asInteger ?? 9) <= 2 else {
                throw refuse("a table of another protocol version")
            }
        case "metaData":
            table.configuration = [:]
            for member in fields?["configuration"]?.asObject?.members ?? [] {
                table.configuration[member.name] = member.value.asString
            }
        case "txn":
            guard let app = fields?["appId"]?.asString, let version = fields?["version"]?.asInteger, version >= 0 else {
                throw refuse("txn without appId and version")
            }
            table.transactions[app] = UInt64(version)
        case "add":
            guard let file = DataFile(add: value) else { throw refuse("add without path or size") }
            table.add(file)
        case "remove":
            guard let path = fields?["path"]?.asString else { throw refuse("remove without path") }
            table.remove(path)
        default: break  // commitInfo, and what other writers may add
        }
    }
}
