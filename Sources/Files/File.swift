import Bytes
import Glibc

/// One open file. Closed when the value ends; every operation retries EINTR and passes the `Disk` seam.
package struct File: ~Copyable, Sendable {
    package enum Mode: Sendable {
        case readOnly
        case readWrite
        /// Fails with `isExisting` if the name is taken.
        case createNew(mode_t)
        case createOrTruncate(mode_t)
        case createOrOpen(mode_t)

        var flags: (Int32, mode_t) {
            switch self {
            case .readOnly: (O_RDONLY, 0)
            case .readWrite: (O_RDWR, 0)
            case .createNew(let mode): (O_RDWR | O_CREAT | O_EXCL, mode)
            case .createOrTruncate(let mode): (O_RDWR | O_CREAT | O_TRUNC, mode)
            case .createOrOpen(let mode): (O_RDWR | O_CREAT, mode)
            }
        }

        var operation: DiskOperation {
            switch self {
            case .readOnly, .readWrite: .open
            case .createNew, .createOrTruncate, .createOrOpen: .create
            }
        }
    }

    package let path: String
    private(set) var descriptor: Int32
    private let disk: Disk

    package static func open(_ path: String, _ mode: Mode, disk: Disk) throws(FileError) -> File {
        try disk.check(mode.operation, path)
        let (flags, permissions) = mode.flags
        while true {
            // Safe: the path lives for the call.
            let descriptor = unsafe Glibc.open(path, flags | O_CLOEXEC, permissions)
            if descriptor >= 0 { return File(path: path, descriptor: descriptor, disk: disk) }
            guard errno == EINTR else { throw FileError(mode.operation, path, code: errno) }
        }
    }

    private init(path: String, descriptor: Int32, disk: Disk) {
        self.path = path
        self.descriptor = descriptor
        self.disk = disk
    }

    deinit {
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
    }

    /// Closes and reports what the kernel says; dropping the value closes silently.
    package consuming func close() throws(FileError) {
        let result = Glibc.close(descriptor)
        descriptor = -1
        guard result == 0 || errno == EINTR else { throw FileError(.synchronize, path, code: errno) }
    }

    package func size() throws(FileError) -> Int {
        try disk.check(.status, path)
        var status = stat()
        // Safe: the call fills the local it is given.
        guard unsafe fstat(descriptor, &status) == 0 else { throw FileError(.status, path, code: errno) }
        return Int(status.st_size)
    }

    /// Reads exactly `count` bytes at `offset`, or what is there before the file ends.
    package func read(at offset: Int, count: Int) throws(FileError) -> [UInt8] {
        try disk.check(.read, path)
        var failure: Int32 = 0
        // Safe: pread writes at most `count - done` bytes into the rest of the buffer; `initialized` says how many.
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: max(count, 0)) { buffer, initialized in
            var done = 0
            while done < count {
                let got = unsafe pread(descriptor, buffer.baseAddress! + done, count - done, off_t(offset + done))
                if got == 0 { break }
                if got < 0 {
                    if errno == EINTR { continue }
                    failure = errno
                    break
                }
                done += got
            }
            initialized = done
        }
        guard failure == 0 else { throw FileError(.read, path, code: failure) }
        return bytes
    }

    package func write(_ bytes: [UInt8], at offset: Int) throws(FileError) {
        try write(bytes.rawSpan, at: offset)
    }

    /// Writes all of `bytes` at `offset`, however many calls that takes.
    package func write(_ bytes: RawSpan, at offset: Int) throws(FileError) {
        var limit = bytes.byteCount
        var fault: Int32 = 0
        switch disk.intercept?(.write, path) {
        case nil, .skip: break
        case .fail(let code): throw FileError(.write, path, code: code)
        case .short(let stored, let code): (limit, fault) = (min(stored, limit), code)
        }
        var done = 0
        while done < limit {
            // Safe: pwrite reads at most `limit - done` bytes from inside the span, within the closure.
            let put = unsafe bytes.withUnsafeBytes { buffer in
                unsafe pwrite(descriptor, buffer.baseAddress! + done, limit - done, off_t(offset + done))
            }
            if put < 0 {
                if errno == EINTR { continue }
                throw FileError(.write, path, code: errno)
            }
            done += put
        }
        guard fault == 0 else { throw FileError(.write, path, code: fault) }
    }

    /// Reserves space so that later writes up to `count` bytes cannot fail for want of it; the file then has that size.
    package func allocate(_ count: Int) throws(FileError) {
        try disk.check(.allocate, path)
        let code = posix_fallocate(descriptor, 0, off_t(count))
        guard code == 0 else { throw FileError(.allocate, path, code: code) }
    }

    /// Content on the device (fdatasync). After a failure nothing is known of what was written before it:
    /// the kernel may have dropped the pages, so never retry on this descriptor.
    package func synchronizeData() throws(FileError) {
        guard try disk.check(.synchronize, path) else { return }
        guard fdatasync(descriptor) == 0 else { throw FileError(.synchronize, path, code: errno) }
    }

    /// Content and size on the device (fsync).
    package func synchronize() throws(FileError) {
        guard try disk.check(.synchronize, path) else { return }
        guard fsync(descriptor) == 0 else { throw FileError(.synchronize, path, code: errno) }
    }

    /// Takes the advisory lock (flock) that lasts until the file is closed.
    /// - Returns: false if another process holds it and `wait` is false.
    package func lock(wait: Bool) throws(FileError) -> Bool {
        try disk.check(.lock, path)
        while flock(descriptor, wait ? LOCK_EX : LOCK_EX | LOCK_NB) != 0 {
            if errno == EINTR { continue }
            if errno == EWOULDBLOCK { return false }
            throw FileError(.lock, path, code: errno)
        }
        return true
    }
}
