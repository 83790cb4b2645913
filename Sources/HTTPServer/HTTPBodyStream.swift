import CMicroHTTPD
import Synchronization

/// The body of an answer that is written while it is being sent, for as long as the client stays. Any thread writes.
///
/// What the client does not take waits in a buffer that is bounded: a client that lets it fill is cut off. While
/// nothing waits, the connection is suspended and costs no thread. A client that is gone is noticed when something is
/// sent to it.
package final class HTTPBodyStream: Sendable {
    /// Safe: libmicrohttpd lets any thread resume a connection, and it lives while it is suspended.
    @safe
    private struct Connection: @unchecked Sendable {
        let pointer: OpaquePointer
    }

    private struct State {
        var buffer: [UInt8] = []
        /// Bytes at the start of the buffer that were sent.
        var sentCount = 0
        /// Nothing more will be written.
        var isClosed = false
        /// The client let the buffer fill: what is left of the body is dropped.
        var isCutOff = false
        /// Nobody reads it any more.
        var isOver = false
        /// Where the body goes; set before it is read from.
        var connection: Connection?
        /// Whether the connection waits for us.
        var isSuspended = false

        var waitingCount: Int { buffer.count - sentCount }
    }

    private let bufferBytesMax: Int
    private let state = Mutex(State())

    /// - Parameter bufferBytesMax: what may wait to be sent.
    package init(bufferBytesMax: Int = 1 << 20) { self.bufferBytesMax = bufferBytesMax }

    /// Whether somebody may still read what is written.
    package var isOpen: Bool { state.withLock { !$0.isOver && !$0.isCutOff && !$0.isClosed } }

    /// Sends bytes as soon as the client takes them.
    /// - Returns: false if nobody reads them: the client is gone, or was cut off, now or before.
    @discardableResult
    package func write(_ bytes: [UInt8]) -> Bool {
        state.withLock { state in
            guard !state.isOver, !state.isCutOff, !state.isClosed else { return false }
            if state.waitingCount + bytes.count > bufferBytesMax {
                state.isCutOff = true
                state.buffer = []
                state.sentCount = 0
            } else {
                if state.sentCount > state.buffer.count / 2 {
                    state.buffer.removeFirst(state.sentCount)
                    state.sentCount = 0
                }
                state.buffer += bytes
            }
            Self.resume(&state)
            return !state.isCutOff
        }
    }

    /// Ends the body behind what was written.
    package func close() {
        state.withLock { state in
            state.isClosed = true
            Self.resume(&state)
        }
    }

    /// Nobody will read it, or nobody does any more.
    func abandon() {
        state.withLock { state in
            state.isOver = true
            state.buffer = []
            state.sentCount = 0
            // libmicrohttpd has let go of the connection, or never had it suspended for this body.
            state.isSuspended = false
        }
    }

    private static func resume(_ state: inout State) {
        guard state.isSuspended, let connection = state.connection else { return }
        state.isSuspended = false
        // Safe: a suspended connection lives until it is resumed, and this is the only place that resumes it.
        unsafe MHD_resume_connection(connection.pointer)
    }
}

// On the server's thread.
extension HTTPBodyStream {
    /// libmicrohttpd's response that reads this body; nil if it has no memory.
    func makeResponse(for connection: OpaquePointer) -> OpaquePointer? {
        let kept = unsafe Connection(pointer: connection)
        state.withLock { $0.connection = kept }
        // Safe: retained until `bodyIsOver`, which libmicrohttpd calls once, also if the answer is never sent.
        let context = unsafe Unmanaged.passRetained(self).toOpaque()
        let response = unsafe MHD_create_response_from_callback(
            CMicroHTTPD_unknownSize(), 16 << 10, bodyIsWanted, context, bodyIsOver)
        if unsafe response == nil { unsafe Unmanaged<HTTPBodyStream>.fromOpaque(context).release() }
        return unsafe response
    }

    /// Moves what waits into `room`; suspends the connection if nothing does.
    fileprivate func read(into room: UnsafeMutableRawBufferPointer) -> Int {
        state.withLock { state in
            if state.isCutOff { return CMicroHTTPD_endWithError() }
            let count = min(state.waitingCount, room.count)
            if count > 0 {
                // Safe: `count` bytes are within both.
                unsafe state.buffer.withUnsafeBytes { bytes in
                    unsafe room.copyMemory(
                        from: UnsafeRawBufferPointer(rebasing: bytes[state.sentCount..<(state.sentCount + count)]))
                }
                state.sentCount += count
                return count
            }
            guard !state.isClosed else { return CMicroHTTPD_endOfStream() }
            guard let connection = state.connection else { return CMicroHTTPD_endWithError() }
            // Safe: this is the callback in which libmicrohttpd allows it; it does not ask again before the resume.
            unsafe MHD_suspend_connection(connection.pointer)
            state.isSuspended = true
            return 0
        }
    }
}

// The callbacks of libmicrohttpd.
// Safe throughout: the context is the stream, which `makeResponse` retained.

private func bodyIsWanted(
    _ context: UnsafeMutableRawPointer?, _ offset: UInt64, _ room: UnsafeMutablePointer<CChar>?, _ byteCount: Int
) -> Int {
    guard let context = unsafe context else { return CMicroHTTPD_endWithError() }
    let room = unsafe UnsafeMutableRawBufferPointer(start: room, count: byteCount)
    return unsafe Unmanaged<HTTPBodyStream>.fromOpaque(context).takeUnretainedValue().read(into: room)
}

private func bodyIsOver(_ context: UnsafeMutableRawPointer?) {
    guard let context = unsafe context else { return }
    unsafe Unmanaged<HTTPBodyStream>.fromOpaque(context).takeRetainedValue().abandon()
}
