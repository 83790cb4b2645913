import CUV
import Glibc

/// One libuv loop: one thread, one isolation domain.
///
/// Everything made with a loop belongs to it and is used only on the thread that made the loop; none of it is Sendable.
/// The only way in from another thread is `Wakeup`.
///
/// Lifetime: the loop retains the owner of each handle from its start until libuv's close callback, so callbacks never
/// meet a dead owner. Therefore each stream, listener, timer and watcher must be closed, by itself or by `close()`.
///
/// Unsafe code in this module rests on three rules, named where they are used:
/// - *stable*: a handle or request is allocated once, and freed by its own close or completion callback;
/// - *owned*: `handle.data` points to an object which the loop's table retains until that callback;
/// - *borrowed*: a pointer is used only inside the closure or call that received it.
@safe
package final class Loop {
    /// The most bytes one read delivers.
    package static let readBytesMax = 256 * 1024

    /// One handle between its start and its close callback.
    private struct LiveHandle {
        let owner: AnyObject
        let didClose: () -> Void
    }

    let raw: UnsafeMutablePointer<uv_loop_t>
    /// Where every stream of the loop reads to. One is enough: libuv delivers a read before it asks for room again.
    let slab: UnsafeMutableRawBufferPointer
    private var liveHandles: [UnsafeMutableRawPointer: LiveHandle] = unsafe [:]
    private let thread = pthread_self()
    private var isClosed = false

    /// Makes the loop of the current thread; ignores SIGPIPE for the whole process, as a server must, and unblocks all
    /// signals on the thread: a mask that a launcher left behind would keep the ends of children from us for ever.
    package init() throws(EventLoopError) {
        signal(SIGPIPE, SIG_IGN)
        var none = sigset_t()
        // Safe: both calls take the local mask for the call only.
        unsafe sigemptyset(&none)
        _ = unsafe pthread_sigmask(SIG_SETMASK, &none, nil)
        let memory = UnsafeMutablePointer<uv_loop_t>.allocate(capacity: 1)
        unsafe memory.initialize(to: uv_loop_t())
        let status = unsafe uv_loop_init(memory)
        guard status == 0 else {
            unsafe memory.deallocate()
            throw EventLoopError(.open, "event loop", code: status)
        }
        unsafe raw = memory
        unsafe slab = .allocate(byteCount: Loop.readBytesMax, alignment: 64)
        unsafe raw.pointee.data = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit {
        precondition(liveHandleCount == 0, "a loop must be closed before it is dropped")
        close()
        // Safe: libuv has let go of the loop, and no handle is left to read into the slab.
        unsafe raw.deallocate()
        unsafe slab.deallocate()
    }

    /// Handles that are not closed yet; zero after `close()`.
    package var liveHandleCount: Int { unsafe liveHandles.count }

    /// Monotonic milliseconds, read once a turn of the loop.
    package var nowMillis: UInt64 { unsafe uv_now(raw) }  // Safe: stable.

    /// Runs callbacks until `stop()`, or until nothing is left that could call back.
    package func run() {
        assertOnThread()
        precondition(!isClosed, "a closed loop cannot run")
        _ = unsafe uv_run(raw, UV_RUN_DEFAULT)  // Safe: stable.
    }

    /// Makes `run()` return at the end of the current turn. Called on the loop's own thread.
    package func stop() {
        assertOnThread()
        unsafe uv_stop(raw)  // Safe: stable.
    }

    /// Closes every handle that is left and waits for the close callbacks; harmless when repeated.
    /// Never called from a callback.
    package func close() {
        guard !isClosed else { return }
        assertOnThread()
        // A close callback may start a new handle (a reconnect), so one round may not be enough.
        repeat {
            for unsafe (address, live) in unsafe liveHandles { unsafe closeHandle(address, of: live.owner) }
            _ = unsafe uv_run(raw, UV_RUN_ONCE)
        } while unsafe !liveHandles.isEmpty || uv_loop_alive(raw) != 0
        let status = unsafe uv_loop_close(raw)
        precondition(status == 0, "the loop still has handles that this module does not know")
        isClosed = true
    }

    func assertOnThread() {
        assert(pthread_equal(thread, pthread_self()) != 0, "a loop is used only on the thread that made it")
    }
}

// The table of handles. Safe throughout: stable, owned.
extension Loop {
    /// Memory for one handle; freed by its close callback, or by `deallocate` when it could not be initialised.
    func allocate<Handle>(_ zero: Handle) -> UnsafeMutablePointer<Handle> {
        assertOnThread()
        let memory = UnsafeMutableRawPointer.allocate(byteCount: MemoryLayout<Handle>.size, alignment: 16)
        return unsafe memory.initializeMemory(as: Handle.self, to: zero)
    }

    /// Retains `owner` until the close callback, and lets callbacks find it through `handle.data`.
    /// - Parameter didClose: runs in the close callback, before the memory is freed.
    func adopt(_ handle: UnsafeMutableRawPointer, owner: AnyObject, didClose: @escaping () -> Void = {}) {
        let data = unsafe Unmanaged.passUnretained(owner).toOpaque()
        unsafe uv_handle_set_data(handle.assumingMemoryBound(to: uv_handle_t.self), data)
        unsafe liveHandles[handle] = LiveHandle(owner: owner, didClose: didClose)
    }

    /// Starts closing; harmless when repeated, also when the address serves another owner's handle by now.
    func closeHandle(_ address: UnsafeMutableRawPointer, of owner: AnyObject) {
        assertOnThread()
        guard unsafe liveHandles[address]?.owner === owner else { return }
        let handle = unsafe address.assumingMemoryBound(to: uv_handle_t.self)
        if unsafe uv_is_closing(handle) == 0 { unsafe uv_close(handle, handleDidClose) }
    }

    fileprivate func didClose(_ address: UnsafeMutableRawPointer) {
        let closed = unsafe liveHandles.removeValue(forKey: address)
        closed?.didClose()
        unsafe address.deallocate()
    }
}

private func handleDidClose(_ handle: UnsafeMutablePointer<uv_handle_t>?) {
    guard let handle = unsafe handle, let data = unsafe handle.pointee.loop.pointee.data else { return }
    unsafe Unmanaged<Loop>.fromOpaque(data).takeUnretainedValue().didClose(handle)
}

/// The owner that `adopt` stored. Safe: owned; the caller names the type that its own handle was adopted with.
func owner<Owner: AnyObject>(_ data: UnsafeMutableRawPointer?, as type: Owner.Type) -> Owner {
    guard let data = unsafe data else { preconditionFailure("a handle called back before it was adopted") }
    return unsafe Unmanaged<Owner>.fromOpaque(data).takeUnretainedValue()
}
