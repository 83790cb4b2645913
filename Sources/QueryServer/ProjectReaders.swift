import Files
import Synchronization
import Table

/// One `TableReader` for each project of the data folder, made when first asked for. Any thread.
final class ProjectReaders: Sendable {
    private let dataFolder: String
    private let limits: TailLimits
    private let readers = Mutex<[String: TableReader]>([:])

    /// - Parameter tailMemoryBytes: of each project.
    init(dataFolder: String, tailMemoryBytes: Int) {
        self.dataFolder = dataFolder
        var limits = TailLimits()
        limits.memoryBytes = tailMemoryBytes
        self.limits = limits
    }

    /// - Throws: `TableError.projectUnknown` or `.projectNameInvalid`.
    func reader(of name: String) throws -> TableReader {
        if let known = readers.withLock({ $0[name] }) { return known }
        let project = try Project.open(name, dataFolder: dataFolder, disk: .posix)
        let made = TableReader(project: project, logFolder: dataFolder + "/wal", disk: .posix, limits: limits)
        return readers.withLock { readers in
            if let known = readers[name] { return known }
            readers[name] = made
            return made
        }
    }

    /// Those that were asked for.
    var opened: [String: TableReader] { readers.withLock { $0 } }

    /// All projects of the folder.
    func names() throws -> [String] { try Project.list(dataFolder: dataFolder, disk: .posix).map(\.name) }
}
