import CUV
import Synchronization

/// The one way into a loop from other threads: a queue of messages and a signal that there are some.
///
/// `uv_async_send` coalesces, so the queue is the truth: each wake drains it whole, in the order of the sends.
/// The queue has no maximum of its own: whoever sends bounds what is under way (a group commit, a pool of workers).
package final class Wakeup<Message: Sendable>: Sendable {
    /// Safe throughout: the handle is stable, and set to nil under the lock before its memory is freed.
    @safe
    private struct State {
        var messages: [Message] = []
        var handle: UnsafeMutablePointer<uv_async_t>?
        var isClosing = false
    }

    private let state = Mutex(State())

    /// - Parameter handler: receives each drained batch, never empty, on the loop's thread.
    package init(_ loop: Loop, handler: @escaping ([Message]) -> Void) throws(EventLoopError) {
        let handle = unsafe loop.allocate(uv_async_t())
        let status = unsafe uv_async_init(loop.raw, handle, asyncDidWake)
        guard status == 0 else {
            unsafe UnsafeMutableRawPointer(handle).deallocate()
            throw EventLoopError(.open, "wakeup", code: status)
        }
        let address = UInt(bitPattern: handle)
        state.withLock { unsafe $0.handle = UnsafeMutablePointer(bitPattern: address) }
        let receiver = WakeupReceiver(loop) { [self] in deliver(to: handler) }
        unsafe loop.adopt(handle, owner: receiver) { [self] in
            receiver.drain = nil
            state.withLock { state in
                unsafe state.handle = nil
                state.messages = []
            }
        }
    }

    /// Hands `message` to the loop. From any thread.
    /// - Returns: false once `close()` was called or the loop has closed: the message will not be delivered.
    @discardableResult
    package func send(_ message: Message) -> Bool {
        state.withLock { state in
            guard !state.isClosing, let handle = unsafe state.handle else { return false }
            state.messages.append(message)
            // One signal serves all messages until the loop drains them.
            if state.messages.count == 1 { _ = unsafe uv_async_send(handle) }
            return true
        }
    }

    /// Lets the loop deliver what was sent, then closes. From any thread; harmless when repeated.
    package func close() {
        state.withLock { state in
            guard !state.isClosing, let handle = unsafe state.handle else { return }
            state.isClosing = true
            _ = unsafe uv_async_send(handle)
        }
    }

    /// - Returns: whether the handle shall close now.
    private func deliver(to handler: ([Message]) -> Void) -> Bool {
        let (messages, isClosing) = state.withLock { state in
            defer { state.messages = [] }
            return (state.messages, state.isClosing)
        }
        if !messages.isEmpty { handler(messages) }
        return isClosing
    }
}

/// The loop's end of a wakeup, without the message type, which a C callback could not name.
private final class WakeupReceiver {
    let loop: Loop
    var drain: (() -> Bool)?

    init(_ loop: Loop, drain: @escaping () -> Bool) {
        self.loop = loop
        self.drain = drain
    }
}

private func asyncDidWake(_ handle: UnsafeMutablePointer<uv_async_t>?) {
    guard let handle = unsafe handle else { return }
    let receiver = unsafe owner(handle.pointee.data, as: WakeupReceiver.self)
    if let drain = receiver.drain, drain() { unsafe receiver.loop.closeHandle(handle, of: receiver) }
}
