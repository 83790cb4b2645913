import Bytes
import Glibc

/// Every kind of operation that reaches the disk; tests inject a fault at any of them.
package enum DiskOperation: String, Sendable, CaseIterable {
    case open, create, read, write, allocate, rename, link, unlink, list
    case synchronize, synchronizeFolder = "synchronize folder", makeFolder = "make folder", lock, map, status
}

/// What a test wants to happen instead of an operation.
package enum DiskFault: Sendable {
    /// The operation does nothing and fails with this `errno`.
    case fail(Int32)
    /// A write stores only its first `bytes` bytes, then fails with this `errno`.
    case short(bytes: Int, Int32)
    /// The operation does nothing and succeeds: for tests that make files by the thousand and pull no plug.
    case skip
}

// Paths go to the C library as NUL-terminated strings that live for the call: every `unsafe` below that
// passes a path is of that kind.

/// The one way to the disk and the one seam where tests inject faults.
///
/// A value: `.posix` in daemons; in tests one whose `intercept` sees each operation before it happens.
package struct Disk: Sendable {
    package static let posix = Disk(intercept: nil)

    let intercept: (@Sendable (DiskOperation, String) -> DiskFault?)?

    /// - Parameter intercept: called with each operation and its path; nil lets it pass.
    package init(intercept: (@Sendable (DiskOperation, String) -> DiskFault?)?) {
        self.intercept = intercept
    }

    /// - Returns: whether the operation is to be done.
    @discardableResult
    func check(_ operation: DiskOperation, _ path: String) throws(FileError) -> Bool {
        switch intercept?(operation, path) {
        case nil: return true
        case .skip: return false
        case .fail(let code), .short(_, let code): throw FileError(operation, path, code: code)
        }
    }

    // MARK: Folders and names. Safe throughout: paths are Swift strings, lent for the call.

    /// Makes a folder and its missing parents; one that exists is fine. Does not synchronize.
    package func makeFolder(_ path: String, mode: mode_t = 0o755) throws(FileError) {
        try check(.makeFolder, path)
        if unsafe mkdir(path, mode) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw FileError(.makeFolder, path, code: errno)
        }
        try makeFolder(String(path[..<slash]), mode: mode)
        guard unsafe mkdir(path, mode) == 0 || errno == EEXIST else { throw FileError(.makeFolder, path, code: errno) }
    }

    /// The names in a folder, without `.` and `..`, sorted.
    package func list(_ path: String) throws(FileError) -> [String] {
        try check(.list, path)
        guard let stream = unsafe opendir(path) else { throw FileError(.list, path, code: errno) }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else {
                guard errno == 0 else { throw FileError(.list, path, code: errno) }
                return names.sorted()
            }
            // Safe: d_name is a NUL-terminated array inside the entry, read before the next readdir.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
    }

    package func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    /// Gives the file another name, replacing what bears it. Durable only after `synchronizeFolder`.
    package func rename(_ from: String, to: String) throws(FileError) {
        try check(.rename, to)
        guard unsafe Glibc.rename(from, to) == 0 else { throw FileError(.rename, to, code: errno) }
    }

    /// Gives the file a second name; fails with `isExisting` if `to` is taken.
    package func link(_ from: String, to: String) throws(FileError) {
        try check(.link, to)
        guard unsafe Glibc.link(from, to) == 0 else { throw FileError(.link, to, code: errno) }
    }

    /// Removes a file's name; a missing one is fine.
    package func unlink(_ path: String) throws(FileError) {
        try check(.unlink, path)
        guard unsafe Glibc.unlink(path) == 0 || errno == ENOENT else { throw FileError(.unlink, path, code: errno) }
    }

    /// Makes creations, renames and removals in a folder durable.
    package func synchronizeFolder(_ path: String) throws(FileError) {
        guard try check(.synchronizeFolder, path) else { return }
        let descriptor = unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(.synchronizeFolder, path, code: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileError(.synchronizeFolder, path, code: errno) }
    }

    /// Bytes free for us in the file system that holds `path`.
    package func freeBytes(_ path: String) throws(FileError) -> UInt64 {
        try check(.status, path)
        var status = statvfs()
        guard unsafe statvfs(path, &status) == 0 else { throw FileError(.status, path, code: errno) }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize)
    }

    // MARK: Whole files

    /// The whole file in memory.
    /// - Parameter limit: refuses (EFBIG) a file that is larger.
    package func contents(_ path: String, limit: Int = 1 << 30) throws(FileError) -> [UInt8] {
        let file = try File.open(path, .readOnly, disk: self)
        let size = try file.size()
        guard size <= limit else { throw FileError(.read, path, code: EFBIG) }
        return try file.read(at: 0, count: size)
    }

    /// The whole file, or nil if there is none of that name.
    package func contentsIfPresent(_ path: String, limit: Int = 1 << 30) throws(FileError) -> [UInt8]? {
        do { return try contents(path, limit: limit) } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }

    /// Puts `bytes` under `path` so that a crash leaves the old or the new content, never a mixture:
    /// temporary file → fsync → rename → fsync of the folder.
    package func replace(_ path: String, with bytes: [UInt8], mode: mode_t = 0o644) throws(FileError) {
        let temporary = path + ".tmp"
        let file = try File.open(temporary, .createOrTruncate(mode), disk: self)
        try file.write(bytes, at: 0)
        try file.synchronize()
        try file.close()
        try rename(temporary, to: path)
        try synchronizeFolder(Self.folder(of: path))
    }

    /// The path up to its last slash.
    package static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
