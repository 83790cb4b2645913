import EventLoop
import Files
import Foundation
import JSON
import Table
import WAL

/// The compaction child: publishes every project through a record, one JSON line each on standard output.
///
/// Runs by exec of the collector's own binary, so that its memory and its crashes never touch ingest. It holds
/// `compactor.lock`, so that two never work at once, and dies with its parent.
enum CompactionChild {
    static let argument = "--compaction-child"

    /// - Parameter arguments: data folder, last record, the parent's process id.
    /// - Returns: the exit code.
    static func run(_ arguments: [String]) -> Int32 {
        guard arguments.count == 3, let through = UInt64(arguments[1]), let parent = Int32(arguments[2]) else {
            return complain("started by collectord only, never by hand")
        }
        guard ChildProcess.dieWithParent(parent) else { return complain("the parent is gone") }
        do {
            let data = arguments[0]
            let lock = try File.open(data + "/compactor.lock", .createOrOpen(0o600), disk: .posix)
            guard try lock.lock(wait: true) else { return complain("\(data)/compactor.lock is held") }
            var code: Int32 = 0
            for project in try Project.list(dataFolder: data, disk: .posix) {
                // One project that cannot publish does not hold up the others.
                do { try publish(project, data: data, through: through) } catch {
                    code = complain("\(project.name): \(error)")
                }
            }
            try lock.close()
            return code
        } catch {
            return complain("\(error)")
        }
    }

    private static func publish(_ project: Project, data: String, through: UInt64) throws {
        let log = LogReader(folder: data + "/wal", disk: .posix)
        let report = try Publisher(project: project, log: log, disk: .posix).publish(through: through)
        let line: JSONValue = [
            "project": .string(project.name), "version": .integer(report.version),
            "last_record": .integer(Int64(report.lastRecord)), "rows": .integer(Int64(report.rows)),
            "duplicates": .integer(Int64(report.duplicates)), "files": .integer(Int64(report.files)),
            "bytes": .integer(Int64(report.bytes)),
        ]
        print(line)
    }

    private static func complain(_ reason: String) -> Int32 {
        FileHandle.standardError.write(Data("collectord: compaction: \(reason)\n".utf8))
        return 1
    }
}
