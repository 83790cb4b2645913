import Files
import Parquet
import Synchronization

/// Open data files of one table, kept while versions that name them are in use. Any thread.
package final class FileCache: Sendable {
    private let folder: String
    private let disk: Disk
    private let open = Mutex<[String: ParquetFile]>([:])
    private let filters = Mutex<[String: IdentityFilter]>([:])

    package init(tableFolder: String, disk: Disk) {
        folder = tableFolder
        self.disk = disk
    }

    /// - Throws: `.fileMissing` if the file was removed since the version was read.
    package func open(_ file: DataFile) throws -> ParquetFile {
        if let known = open.withLock({ $0[file.path] }) { return known }
        let opened: ParquetFile
        do { opened = try ParquetFile(folder + "/" + file.path, disk: disk) } catch let error as FileError
        where error.isNotFound {
            throw TableError.fileMissing(path: folder + "/" + file.path)
        }
        open.withLock { $0[file.path] = opened }
        return opened
    }

    /// The file's identities, gathered by `make` the first time.
    func identityFilter(_ file: DataFile, _ make: () throws -> IdentityFilter) throws -> IdentityFilter {
        if let known = filters.withLock({ $0[file.path] }) { return known }
        let made = try make()
        filters.withLock { $0[file.path] = made }
        return made
    }

    /// Closes what no file of `version` needs.
    package func retain(_ version: TableVersion) {
        let live = Set(version.files.map(\.path))
        open.withLock { files in files = files.filter { live.contains($0.key) } }
        filters.withLock { filters in filters = filters.filter { live.contains($0.key) } }
    }
}
