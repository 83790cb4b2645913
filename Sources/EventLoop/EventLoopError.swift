import CUV

/// An operation that libuv or the operating system refused: what was tried, where, and why.
package struct EventLoopError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Operation: String, Sendable {
        case open, resolve, bind, listen, accept, connect, read, write, watch, spawn, signal
        case endWrites = "end writes"
    }

    package let operation: Operation
    /// A host and port, a path, a signal or a peer.
    package let place: String
    /// The libuv code: a negated `errno`, or one of libuv's own such as `UV_EOF`.
    package let code: Int32

    init(_ operation: Operation, _ place: String, code: Int32) {
        self.operation = operation
        self.place = place
        self.code = code
    }

    /// The symbolic name, such as `ECONNREFUSED`.
    package var name: String {
        // Safe: the buffer outlives the call, which writes at most its size and a final zero.
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
            unsafe String(cString: uv_err_name_r(code, buffer.baseAddress, buffer.count))
        }
    }

    package var isAddressInUse: Bool { code == UV_EADDRINUSE.rawValue }

    package var description: String { "cannot \(operation.rawValue) \(place): \(name)" }
}
