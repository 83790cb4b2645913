import Glibc

/// A whole file mapped read-only, for scans that read parts of it many times.
///
/// Tidemark's files are never truncated, so the mapping cannot lose its pages. It is shared, though read-only: what
/// another process writes to the log's active segment must be seen. Any thread may read it.
@safe
package final class FileMapping: @unchecked Sendable {
    package let path: String
    package let count: Int
    private let base: UnsafeMutableRawPointer?

    package init(_ path: String, disk: Disk) throws(FileError) {
        try disk.check(.map, path)
        let file = try File.open(path, .readOnly, disk: disk)
        let count = try file.size()
        self.path = path
        self.count = count
        // Safe: mapped here, unmapped once in deinit; read only and private, so nobody writes through it.
        if count == 0 {
            unsafe base = nil
            return
        }
        let mapped = unsafe mmap(nil, count, PROT_READ, MAP_SHARED, file.descriptor, 0)
        guard unsafe mapped != MAP_FAILED else { throw FileError(.map, path, code: errno) }
        unsafe base = mapped
    }

    deinit {
        if let base = unsafe base { unsafe munmap(base, count) }
    }

    /// All bytes of the file, for as long as this object is kept.
    package var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            // Safe: base..<base + count stays mapped until deinit, and the span borrows self.
            let span = unsafe RawSpan(_unsafeStart: base ?? UnsafeMutableRawPointer(bitPattern: 8)!, byteCount: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }
}
