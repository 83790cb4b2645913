import Glibc

/// A disk operation that the operating system refused.
package struct FileError: Error, Equatable, Sendable, CustomStringConvertible {
    package let operation: DiskOperation
    package let path: String
    /// The C library's `errno`.
    package let code: Int32

    package init(_ operation: DiskOperation, _ path: String, code: Int32) {
        self.operation = operation
        self.path = path
        self.code = code
    }

    package var isNotFound: Bool { code == ENOENT }
    package var isExisting: Bool { code == EEXIST }
    package var isDiskFull: Bool { code == ENOSPC || code == EDQUOT }

    package var description: String {
        // Safe: strerror returns a static C string; a race could only mix two messages.
        let reason = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "errno \(code)"
        return "cannot \(operation.rawValue) \(path): \(reason)"
    }
}
