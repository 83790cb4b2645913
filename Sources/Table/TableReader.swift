import Files
import Synchronization
import WAL

/// Follows one project's table and the log behind it, for the query daemon. Any thread.
package final class TableReader: Sendable {
    private struct State {
        let log: LogReader
        var version: TableVersion
        var tail: Tail?
        /// The last record that any snapshot had: no later one has less.
        var reached: UInt64 = 0
    }
    // A reader's own lock: it holds class instances that belong to nobody else.
    private let state: Mutex<Unshared<State>>
    private let project: Project
    private let disk: Disk
    private let files: FileCache
    private let limits: TailLimits

    package init(project: Project, logFolder: String, disk: Disk, limits: TailLimits = TailLimits()) {
        self.project = project
        self.disk = disk
        self.limits = limits
        files = FileCache(tableFolder: project.eventsFolder, disk: disk)
        state = Mutex(
            Unshared(State(log: LogReader(folder: logFolder, disk: disk), version: TableVersion(), tail: nil)))
    }

    /// The newest instant: every event that was acknowledged before the call is in it, once, unless it says that it is
    /// `behind`: if more came since the last call than one step of the tail takes up, or the tail is full.
    ///
    /// Takes one step, and after a publish as many as there were before.
    ///
    /// The order of reading makes it so (protocol/wal.md §8): the mark first, then the segments, then the root, whose
    /// last record cuts the log's. A version that loses a file under our hands is read anew.
    package func snapshot() throws -> Snapshot {
        for attempt in 0... {
            do {
                return try state.withLock { state in try self.snapshot(&state.value) }
            } catch TableError.fileMissing where attempt < 10 {
                state.withLock { $0.value.version = TableVersion() }
            }
        }
        preconditionFailure("the loop returns or throws")
    }

    private func snapshot(_ state: inout State) throws -> Snapshot {
        let mark = try state.log.refresh()
        let version = try project.newestEvents(after: state.version, disk: disk)
        if version.version != state.version.version { files.retain(version) }
        state.version = version
        // Taken out of the state, so that its tables grow in place; if following fails, it is built anew next time.
        var known = state.tail.take()
        if known?.tableVersion != version.version || known?.lineage != state.log.lineage { known = nil }
        var tail =
            known.take()
            ?? Tail(project: project, log: state.log, limits: limits, version: version, files: files)
        if let mark {
            while tail.lastRecord < min(state.reached, mark.sequence), !tail.isFull { try tail.step(toward: mark) }
            try tail.step(toward: mark)
        }
        state.tail = tail
        state.reached = tail.lastRecord
        let published = try version.files.map { Run(try files.open($0), $0) }
        return Snapshot(
            project: project, runs: published + tail.runs, tableVersion: version.version,
            lastRecord: tail.lastRecord, clockMicros: tail.clockMicros, tailRowCount: tail.rowCount,
            behind: mark.flatMap { tail.behind($0) })
    }
}

/// Says that a value is reachable from one place only, which the compiler cannot see: here, from behind a `Mutex`.
private struct Unshared<Value>: @unchecked Sendable {
    var value: Value
    init(_ value: Value) { self.value = value }
}
