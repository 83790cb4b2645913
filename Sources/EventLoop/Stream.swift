import CUV

/// A TCP or Unix connection, or one end of a pipe to a child, on its loop.
///
/// Callbacks come only from the loop, never from inside a call to the stream; `onClosed` is the last one, and comes
/// exactly once. Any callback may close the stream. Must be closed. Safe throughout: stable, owned.
@safe
package final class Stream {
    enum Kind { case tcp, unix }

    private enum State {
        case open
        /// We have nothing more to say; input is dropped until the peer ends or the deadline comes.
        case lingering(deadline: Timer)
        case closing
        case closed
    }

    package let loop: Loop
    package internal(set) var peer = Peer.unix
    package var isUnix: Bool { kind == .unix }

    /// Called each time that `queuedBytes` falls to 0 after the kernel had refused some bytes.
    package var onDrained: (() -> Void)?
    /// The last callback: nil after an orderly close, else what broke the connection.
    package var onClosed: ((EventLoopError?) -> Void)?

    let handle: UnsafeMutablePointer<uv_stream_t>
    private let kind: Kind
    private var state = State.open
    private var onBytes: ((RawSpan) -> Void)?
    private var onEnd: (() -> Void)?
    private var failure: EventLoopError?
    private var peerHasEnded = false
    private var writesHaveEnded = false

    init(_ loop: Loop, _ kind: Kind) {
        self.loop = loop
        self.kind = kind
        switch kind {
        case .tcp:
            let tcp = unsafe loop.allocate(uv_tcp_t())
            _ = unsafe uv_tcp_init(loop.raw, tcp)  // fails only with flags
            unsafe handle = UnsafeMutableRawPointer(tcp).assumingMemoryBound(to: uv_stream_t.self)
        case .unix:
            let pipe = unsafe loop.allocate(uv_pipe_t())
            _ = unsafe uv_pipe_init(loop.raw, pipe, 0)  // never fails
            unsafe handle = UnsafeMutableRawPointer(pipe).assumingMemoryBound(to: uv_stream_t.self)
        }
        unsafe loop.adopt(handle, owner: self) { [self] in didClose() }
    }

    /// Learns the peer's address and turns off Nagle's delay, once the connection stands.
    func didConnect() throws(EventLoopError) {
        guard kind == .tcp else { return }
        let tcp = unsafe UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_tcp_t.self)
        let address = try unsafe SocketAddress(.accept, "connection") { unsafe uv_tcp_getpeername(tcp, $0, $1) }
        peer = .tcp(address: address.numeric, port: address.port)
        // Without effect on correctness, so a refusal (the peer is gone already) may show at the first read.
        _ = unsafe uv_tcp_nodelay(tcp, 1)
    }

    private func fail(_ operation: EventLoopError.Operation, code: Int32) {
        if failure == nil { failure = EventLoopError(operation, peer.description, code: code) }
        close()
    }
}

// Reading.
extension Stream {
    /// Begins to read. Called once.
    /// - Parameters:
    ///   - onBytes: receives what arrived, at most `Loop.readBytesMax`; the span ends with the call.
    ///   - onEnd: the peer will send no more. The stream can still write, and must still be closed.
    package func startReading(onBytes: @escaping (RawSpan) -> Void, onEnd: @escaping () -> Void) {
        precondition(self.onBytes == nil, "a stream starts to read once")
        guard case .open = state else { return }
        self.onBytes = onBytes
        self.onEnd = onEnd
        resumeReading()
    }

    /// Leaves input in the kernel, so that the peer is held back; harmless when repeated.
    package func pauseReading() {
        guard case .open = state else { return }
        _ = unsafe uv_read_stop(handle)
    }

    /// Takes up reading after `pauseReading()`; harmless when repeated.
    package func resumeReading() {
        guard case .open = state, onBytes != nil, !peerHasEnded else { return }
        readOn()
    }

    private func readOn() {
        let status = unsafe uv_read_start(handle, provideRoom, bytesDidArrive)
        if status != 0 && status != UV_EALREADY.rawValue { fail(.read, code: status) }
    }

    fileprivate func received(_ count: Int, _ bytes: UnsafeRawPointer?) {
        if count == Int(UV_EOF.rawValue) {
            peerDidEnd()
        } else if count < 0 {
            fail(.read, code: Int32(count))
        } else if count > 0, case .open = state {
            // Safe: borrowed; the slab is not written again before this returns, and a span cannot be kept.
            let span = unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(start: bytes, count: count))
            let onBytes = self.onBytes
            onBytes?(span)
        }
    }

    private func peerDidEnd() {
        peerHasEnded = true
        _ = unsafe uv_read_stop(handle)
        if case .lingering = state {
            if writesHaveEnded { close() }
            return
        }
        let onEnd = self.onEnd
        onEnd?()
    }
}

// Writing.
extension Stream {
    /// Bytes given to `write` that the kernel has not taken yet. How many may wait is the caller's affair.
    package var queuedBytes: Int {
        if case .closed = state { return 0 }
        return unsafe uv_stream_get_write_queue_size(handle)
    }

    /// Sends `bytes` after all that was written before; what the kernel does not take at once is queued.
    /// Written to a stream that is closing, they are dropped: `onClosed` tells.
    package func write(_ bytes: [UInt8]) {
        guard case .open = state, !bytes.isEmpty else { return }
        precondition(!writesHaveEnded, "nothing can be written after endWrites()")
        // Safe: borrowed; uv_try_write copies to the kernel before it returns and never writes to the buffer.
        let sent = unsafe bytes.withUnsafeBytes { source in
            var buffer = unsafe uv_buf_t(source)
            return unsafe uv_try_write(handle, &buffer, 1)
        }
        if sent == UV_EAGAIN.rawValue {
            queue(bytes[...])
        } else if sent < 0 {
            fail(.write, code: sent)
        } else if Int(sent) < bytes.count {
            queue(bytes[Int(sent)...])
        }
    }

    private func queue(_ bytes: ArraySlice<UInt8>) {
        let request = WriteRequest(self, bytes)
        let status = request.start()
        if status != 0 { fail(.write, code: status) }
    }

    /// Tells the peer, after all queued bytes, that no more will come. Reading goes on.
    package func endWrites() {
        guard case .open = state, !writesHaveEnded else { return }
        shutDown()
    }

    private func shutDown() {
        writesHaveEnded = true
        let request = UnsafeMutablePointer<uv_shutdown_t>.allocate(capacity: 1)
        unsafe request.initialize(to: uv_shutdown_t())
        let status = unsafe uv_shutdown(request, handle, writesDidEnd)
        guard status == 0 else {
            unsafe request.deallocate()
            fail(.endWrites, code: status)
            return
        }
    }

    fileprivate func didEndWrites(_ status: Int32) {
        switch state {
        case .closing, .closed: return
        case .open: if status < 0 { fail(.endWrites, code: status) }
        case .lingering: if status < 0 || peerHasEnded { close() }
        }
    }

    fileprivate func didWrite(_ status: Int32) {
        if status < 0 && status != UV_ECANCELED.rawValue { fail(.write, code: status) }
        if case .open = state, queuedBytes == 0 {
            let onDrained = self.onDrained
            onDrained?()
        }
    }
}

// Closing.
extension Stream {
    /// Closes now: queued bytes are dropped. Harmless when repeated.
    package func close() {
        switch state {
        case .closing, .closed: return
        case .lingering(let deadline): deadline.close()
        case .open: break
        }
        state = .closing
        dropCallbacks()
        unsafe loop.closeHandle(handle, of: self)
    }

    /// Sends what is queued, tells the peer that this is all, and closes when the peer has ended too.
    ///
    /// Input is dropped meanwhile: closing with unread input would reset the connection, and a reset may destroy our
    /// last bytes before the peer reads them.
    /// - Parameter deadlineMillis: when to close although the peer neither reads nor ends.
    package func closeAfterWrites(withinMillis deadlineMillis: UInt64) {
        guard case .open = state else { return }
        let deadline = Timer(loop)
        state = .lingering(deadline: deadline)
        dropCallbacks()
        deadline.start(afterMillis: deadlineMillis) { [self] in close() }
        if !writesHaveEnded { shutDown() }
        if case .lingering = state, !peerHasEnded { readOn() }
    }

    /// What they captured often refers back to the stream.
    private func dropCallbacks() {
        onBytes = nil
        onEnd = nil
        onDrained = nil
    }

    /// Also when the whole loop closes, without `close()`.
    private func didClose() {
        state = .closed
        dropCallbacks()
        let onClosed = self.onClosed
        self.onClosed = nil
        onClosed?(failure)
    }
}

/// Bytes that wait for the kernel, and libuv's request for them. Retains itself until the callback.
@safe
private final class WriteRequest {
    private let stream: Stream
    private let bytes: UnsafeMutableRawBufferPointer
    private let request = UnsafeMutablePointer<uv_write_t>.allocate(capacity: 1)

    init(_ stream: Stream, _ bytes: ArraySlice<UInt8>) {
        self.stream = stream
        unsafe self.bytes = .allocate(byteCount: bytes.count, alignment: 1)
        unsafe self.bytes.copyBytes(from: bytes)
        unsafe request.initialize(to: uv_write_t())
    }

    deinit {
        unsafe bytes.deallocate()
        unsafe request.deallocate()
    }

    /// Safe: balanced by `writeDidEnd`, or here when libuv refuses and will not call back.
    func start() -> Int32 {
        let retained = unsafe Unmanaged.passRetained(self)
        unsafe request.pointee.data = retained.toOpaque()
        var buffer = unsafe uv_buf_t(UnsafeRawBufferPointer(bytes))
        let status = unsafe uv_write(request, stream.handle, &buffer, 1, writeDidEnd)
        if status != 0 { unsafe retained.release() }
        return status
    }

    func end(_ status: Int32) { stream.didWrite(status) }
}

extension uv_buf_t {
    /// For calls that only read the buffer, although C has no way to say so.
    fileprivate init(_ bytes: UnsafeRawBufferPointer) {
        let base = unsafe UnsafeMutableRawPointer(mutating: bytes.baseAddress)
        unsafe self.init(base: base?.assumingMemoryBound(to: CChar.self), len: bytes.count)
    }
}

private func provideRoom(
    _ handle: UnsafeMutablePointer<uv_handle_t>?, _ suggested: Int, _ buffer: UnsafeMutablePointer<uv_buf_t>?
) {
    guard let handle = unsafe handle, let buffer = unsafe buffer else { return }
    let slab = unsafe owner(handle.pointee.data, as: Stream.self).loop.slab
    unsafe buffer.pointee = uv_buf_t(UnsafeRawBufferPointer(slab))
}

private func bytesDidArrive(
    _ handle: UnsafeMutablePointer<uv_stream_t>?, _ count: Int, _ buffer: UnsafePointer<uv_buf_t>?
) {
    guard let handle = unsafe handle, let buffer = unsafe buffer else { return }
    unsafe owner(handle.pointee.data, as: Stream.self).received(count, buffer.pointee.base)
}

private func writeDidEnd(_ request: UnsafeMutablePointer<uv_write_t>?, _ status: Int32) {
    guard let data = unsafe request?.pointee.data else { return }
    unsafe Unmanaged<WriteRequest>.fromOpaque(data).takeRetainedValue().end(status)
}

private func writesDidEnd(_ request: UnsafeMutablePointer<uv_shutdown_t>?, _ status: Int32) {
    guard let request = unsafe request else { return }
    let stream = unsafe owner(request.pointee.handle.pointee.data, as: Stream.self)
    unsafe request.deallocate()
    stream.didEndWrites(status)
}
