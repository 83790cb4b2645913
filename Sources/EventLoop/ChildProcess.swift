import CUV
import Glibc

/// A program started by ours; its end arrives as a callback on the loop. Safe throughout: stable, owned, borrowed.
@safe
package final class ChildProcess {
    package enum Output {
        /// The child writes where we write.
        case inherited
        /// The child writes into `ChildProcess.output`.
        case piped
    }

    /// How a child ended: `signal` is 0 when it left by itself with `status`.
    package struct Exit: Equatable, Sendable {
        package let status: Int64
        package let signal: Int32
    }

    private let loop: Loop
    private let path: String
    private let handle: UnsafeMutablePointer<uv_process_t>
    private var onExit: ((Exit) -> Void)?

    /// What the child writes to its standard output, if piped; the caller reads and closes it.
    package let output: Stream?
    package private(set) var processID: Int32 = 0

    /// - Parameters:
    ///   - path: an executable; a bare name is looked up in PATH.
    ///   - arguments: without the program's own name.
    ///   - environment: all of it: nothing is inherited.
    ///   - onExit: called exactly once; then the process is closed. Output may still be unread.
    package init(
        _ loop: Loop, path: String, arguments: [String], environment: [String: String], output: Output,
        onExit: @escaping (Exit) -> Void
    ) throws(EventLoopError) {
        self.loop = loop
        self.path = path
        self.onExit = onExit
        self.output = output == .piped ? Stream(loop, .unix) : nil
        unsafe handle = loop.allocate(uv_process_t())
        let variables = environment.map { $0.key + "=" + $0.value }.sorted()
        let status = unsafe withCStrings([path] + arguments) { arguments in
            unsafe withCStrings(variables) { unsafe spawn(arguments, $0) }
        }
        // Even a process that failed to start is a handle to close.
        unsafe loop.adopt(handle, owner: self) { [self] in self.onExit = nil }
        guard status == 0 else {
            self.output?.close()
            unsafe loop.closeHandle(handle, of: self)
            throw EventLoopError(.spawn, path, code: status)
        }
        processID = unsafe handle.pointee.pid
    }

    /// Asks the kernel to kill this process when its parent ends. From the child's main thread, first of all.
    /// - Parameter parent: the parent's process id as the child was told; it may have ended before the call.
    /// - Returns: false if it has, or the kernel refuses.
    package static func dieWithParent(_ parent: Int32) -> Bool {
        tidemark_die_with_parent(SIGKILL) == 0 && getppid() == parent
    }

    private func spawn(_ arguments: CStrings, _ environment: CStrings) -> Int32 {
        var channels = unsafe [uv_stdio_container_t](repeating: uv_stdio_container_t(), count: 3)
        unsafe channels[0].flags = UV_IGNORE
        if let output {
            unsafe channels[1].flags = uv_stdio_flags(UV_CREATE_PIPE.rawValue | UV_WRITABLE_PIPE.rawValue)
            unsafe channels[1].data.stream = output.handle
        } else {
            unsafe channels[1].flags = UV_INHERIT_FD
            unsafe channels[1].data.fd = STDOUT_FILENO
        }
        unsafe channels[2].flags = UV_INHERIT_FD
        unsafe channels[2].data.fd = STDERR_FILENO
        var options = unsafe uv_process_options_t()
        unsafe options.exit_cb = processDidExit
        unsafe options.file = UnsafePointer(arguments[0])
        unsafe options.args = arguments
        unsafe options.env = environment
        return unsafe channels.withUnsafeMutableBufferPointer { channels in
            unsafe options.stdio = channels.baseAddress
            unsafe options.stdio_count = Int32(channels.count)
            return unsafe uv_spawn(loop.raw, handle, &options)
        }
    }

    /// Asks the child to end (SIGTERM).
    package func terminate() throws(EventLoopError) { try send(SIGTERM) }

    /// Ends the child without asking (SIGKILL).
    package func kill() throws(EventLoopError) { try send(SIGKILL) }

    /// A child that has ended already is no error.
    private func send(_ signal: Int32) throws(EventLoopError) {
        guard onExit != nil else { return }
        let status = unsafe uv_process_kill(handle, signal)
        guard status == 0 || status == UV_ESRCH.rawValue else {
            throw EventLoopError(.signal, path, code: status)
        }
    }

    fileprivate func didExit(_ exit: Exit) {
        let onExit = self.onExit
        self.onExit = nil
        unsafe loop.closeHandle(handle, of: self)
        onExit?(exit)
    }
}

private typealias CStrings = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

/// Calls `body` with a nil-terminated array of C strings that lives as long as the call.
private func withCStrings(_ strings: [String], _ body: (CStrings) -> Int32) -> Int32 {
    var copies: [UnsafeMutablePointer<CChar>?] = unsafe strings.map { unsafe strdup($0) }
    unsafe copies.append(nil)
    defer { for unsafe copy in unsafe copies { unsafe free(copy) } }
    return unsafe copies.withUnsafeMutableBufferPointer { unsafe body($0.baseAddress!) }
}

private func processDidExit(_ handle: UnsafeMutablePointer<uv_process_t>?, _ status: Int64, _ signal: Int32) {
    guard let handle = unsafe handle else { return }
    let exit = ChildProcess.Exit(status: status, signal: signal)
    unsafe owner(handle.pointee.data, as: ChildProcess.self).didExit(exit)
}
