import CUV

/// Calls back once or again and again on its loop. Must be closed; a closed timer never fires.
/// Safe throughout: stable, owned.
@safe
package final class Timer {
    private let loop: Loop
    private let handle: UnsafeMutablePointer<uv_timer_t>
    private var handler: (() -> Void)?
    private var isOpen = true

    package init(_ loop: Loop) {
        self.loop = loop
        unsafe handle = loop.allocate(uv_timer_t())
        _ = unsafe uv_timer_init(loop.raw, handle)  // never fails
        unsafe loop.adopt(handle, owner: self) { [self] in
            isOpen = false
            handler = nil
        }
    }

    /// Calls `handler` after `delayMillis`, replacing what was planned before.
    package func start(afterMillis delayMillis: UInt64, handler: @escaping () -> Void) {
        start(delayMillis, repeatMillis: 0, handler)
    }

    /// Calls `handler` every `periodMillis` (at least 1), first after one period.
    package func start(everyMillis periodMillis: UInt64, handler: @escaping () -> Void) {
        precondition(periodMillis > 0, "a period is at least one millisecond")
        start(periodMillis, repeatMillis: periodMillis, handler)
    }

    private func start(_ delayMillis: UInt64, repeatMillis: UInt64, _ handler: @escaping () -> Void) {
        guard isOpen else { return }
        self.handler = handler
        // libuv refuses only a timer that its loop is closing: it would not fire.
        _ = unsafe uv_timer_start(handle, timerDidFire, delayMillis, repeatMillis)
    }

    /// Forgets what was planned; the timer may start again.
    package func stop() {
        guard isOpen else { return }
        _ = unsafe uv_timer_stop(handle)
        handler = nil
    }

    /// Stops for good; harmless when repeated.
    package func close() {
        guard isOpen else { return }
        stop()
        isOpen = false
        unsafe loop.closeHandle(handle, of: self)
    }

    fileprivate func fire() {
        // A local copy, since the handler may stop or close its timer.
        let handler = self.handler
        handler?()
    }
}

private func timerDidFire(_ handle: UnsafeMutablePointer<uv_timer_t>?) {
    guard let handle = unsafe handle else { return }
    unsafe owner(handle.pointee.data, as: Timer.self).fire()
}
