import Files
import HTTPServer
import JSON
import Synchronization
import Table
import Telemetry
import Zones

/// How fresh and how large everything is.
final class StatusRoutes: Sendable {
    private let projects: ProjectReaders
    private let dataFolder: String
    private let startedMicros = Logger.systemClock()
    /// The newest known version of each project's table, so that only what is newer is read.
    private let versions = Mutex<[String: TableVersion]>([:])
    /// What was read of each project's ledger.
    private let ledgers = Mutex<[String: Ledger]>([:])

    init(projects: ProjectReaders, dataFolder: String) {
        self.projects = projects
        self.dataFolder = dataFolder
    }

    var routes: [Route] {
        [Route(.get, "/v1/status", .caller, on: .brief, Self.document) { [self] in try status($0) }]
    }

    private func status(_ call: Call) throws -> HTTPResponse {
        let nowMicros = Logger.systemClock()
        let names = try projects.names().filter(call.principal.maySee)
        let json: JSONValue = [
            "server": [
                "version": .string(ServerVersion.text),
                "uptime_seconds": .integer((nowMicros - startedMicros) / 1_000_000),
            ],
            "projects": .array(try names.map { try project($0, nowMicros) }), "log": try log(),
        ]
        return .json(json.encoded())
    }

    private func project(_ name: String, _ nowMicros: Int64) throws -> JSONValue {
        let snapshot = try projects.reader(of: name).snapshot()
        let known = versions.withLock { $0[name] } ?? TableVersion()
        let table = try Project.open(name, dataFolder: dataFolder, disk: .posix)
            .newestEvents(after: known, disk: .posix)
        versions.withLock { $0[name] = table }
        let days = table.files.compactMap(\.day)
        let hasRecords = snapshot.clockMicros > 0
        func date(_ day: Int?) -> JSONValue { day.map { .string(CivilDate(daysSinceEpoch: $0).description) } ?? .null }
        return [
            "name": .string(name), "table_version": .integer(snapshot.tableVersion),
            "published_events": .integer(Int64(table.files.reduce(0) { $0 + $1.rowCount })),
            "files": .integer(Int64(table.files.count)),
            "table_bytes": .integer(Int64(table.files.reduce(0) { $0 + $1.byteCount })),
            "tail_events": .integer(Int64(snapshot.tailRowCount)),
            "as_of": [
                "position": .integer(snapshot.position),
                "clock": hasRecords ? .string(ISO8601.format(micros: snapshot.clockMicros)) : .null,
            ],
            "behind": snapshot.behind.map { behind in
                [
                    "records": .integer(Int64(clamping: behind.records)), "reason": .string(behind.reason.rawValue),
                ]
            } ?? .null,
            "freshness_seconds": hasRecords ? .number(Double(nowMicros - snapshot.clockMicros) / 1_000_000) : .null,
            "oldest_day": date(days.min()), "newest_day": date(days.max()), "ledger": try ledger(name),
        ]
    }

    /// What became of every sequence, as far as the log is published.
    private func ledger(_ project: String) throws -> JSONValue {
        let totals = try ledgers.withLock { ledgers in
            let folder = dataFolder + "/" + project
            return try ledgers[project, default: Ledger(projectFolder: folder, disk: .posix)].totals()
        }
        return [
            "sources": .integer(Int64(totals.sourceCount)), "stored": .integer(totals.stored),
            "duplicate": .integer(totals.duplicates), "rejected": .integer(totals.rejected),
            "quarantined": .integer(totals.quarantined), "skipped": .integer(totals.skipped),
        ]
    }

    private func log() throws -> JSONValue {
        let folder = dataFolder + "/wal"
        guard Disk.posix.exists(folder) else { return ["segments": 0, "bytes": 0] }
        var sizes: [Int] = []
        for name in try Disk.posix.list(folder) where name.hasSuffix(".wal") {
            do throws(FileError) {
                sizes.append(try File.open(folder + "/" + name, .readOnly, disk: .posix).size())
            } catch {
                guard error.isNotFound else { throw error }  // freed since it was listed
            }
        }
        return ["segments": .integer(Int64(sizes.count)), "bytes": .integer(Int64(sizes.reduce(0, +)))]
    }

    private static let document = RouteDocument(
        operation: "getStatus", summary: "Freshness and sizes of the caller's projects, and the size of the log.",
        responses: [
            .json(
                200, "How it stands.",
                [
                    "type": "object", "required": ["server", "projects", "log"],
                    "properties": [
                        "server": ["type": "object"], "projects": ["type": "array", "items": ["type": "object"]],
                        "log": ["type": "object"],
                    ],
                ])
        ])
}
