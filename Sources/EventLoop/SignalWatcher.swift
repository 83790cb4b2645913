import CUV

/// Delivers signals of the process as ordinary callbacks on a loop. Must be closed. Safe throughout: stable, owned.
@safe
package final class SignalWatcher {
    private let loop: Loop
    private var handles: [UnsafeMutablePointer<uv_signal_t>] = unsafe []
    private var handler: ((Int32) -> Void)?

    /// - Parameter handler: receives the number of the signal, such as `SIGTERM`.
    package init(_ loop: Loop, signals: [Int32], handler: @escaping (Int32) -> Void) throws(EventLoopError) {
        self.loop = loop
        self.handler = handler
        for signal in signals {
            do {
                try watch(signal)
            } catch {
                close()
                throw error
            }
        }
    }

    private func watch(_ signal: Int32) throws(EventLoopError) {
        let handle = unsafe loop.allocate(uv_signal_t())
        var status = unsafe uv_signal_init(loop.raw, handle)
        guard status == 0 else {
            unsafe UnsafeMutableRawPointer(handle).deallocate()
            throw EventLoopError(.watch, "signal \(signal)", code: status)
        }
        unsafe loop.adopt(handle, owner: self) { [self] in handler = nil }
        unsafe handles.append(handle)
        status = unsafe uv_signal_start(handle, signalDidArrive, signal)
        guard status == 0 else { throw EventLoopError(.watch, "signal \(signal)", code: status) }
    }

    /// Restores the default reaction to the signals; harmless when repeated.
    package func close() {
        handler = nil
        for unsafe handle in unsafe handles { unsafe loop.closeHandle(handle, of: self) }
        unsafe handles = []
    }

    fileprivate func receive(_ signal: Int32) {
        let handler = self.handler
        handler?(signal)
    }
}

private func signalDidArrive(_ handle: UnsafeMutablePointer<uv_signal_t>?, _ signal: Int32) {
    guard let handle = unsafe handle else { return }
    unsafe owner(handle.pointee.data, as: SignalWatcher.self).receive(signal)
}
