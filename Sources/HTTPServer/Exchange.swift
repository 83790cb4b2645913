import CMicroHTTPD
import Glibc
import Synchronization

/// One request and its answer, from the first byte of the request until libmicrohttpd has done with it.
///
/// Everything but `phase` is touched only by the server thread that serves the connection. While the answer is awaited
/// the connection is suspended, so it costs no thread, and libmicrohttpd cannot end it: that is what keeps the
/// pointer in `.suspended` good.
final class Exchange: @unchecked Sendable {
    /// Safe: libmicrohttpd lets any thread resume a connection and ask for its socket.
    @safe
    private struct Suspended: @unchecked Sendable {
        let connection: OpaquePointer
        /// Whether an interim answer may be sent to see if anybody is there.
        var mayBeProbed: Bool
    }

    private enum Phase {
        /// The request is arriving, or its handler is running.
        case unanswered
        case suspended(Suspended)
        /// The answer waits for the server thread to take it.
        case answered(HTTPResponse)
        /// The answer was queued, or the connection is over.
        case done
    }

    private let phase = Mutex(Phase.unanswered)
    /// The body of the answer, if it is written while it is sent.
    private let stream = Mutex<HTTPBodyStream?>(nil)
    private let rawTarget: [UInt8]
    private var hasHeaders = false
    private var isHandled = false
    private var takesInterimAnswers = false
    private var headers = HTTPHeaders()
    private var body: [UInt8] = []
    private var receivedBytes = 0
    /// There was no room for the body.
    private var isCrowdedOut = false

    init(rawTarget: [UInt8]) { self.rawTarget = rawTarget }

    /// Takes the answer; the first one counts. From any thread.
    /// - Returns: false when another answer came first or nobody waits any more.
    @discardableResult
    func answer(_ response: HTTPResponse) -> Bool {
        phase.withLock { phase in
            switch phase {
            case .unanswered:
                phase = .answered(response)
            case .suspended(let suspended):
                phase = .answered(response)
                // Safe: a suspended connection lives until it is resumed, and this is the only place that resumes it.
                unsafe MHD_resume_connection(suspended.connection)
            case .answered, .done:
                response.stream?.abandon()
                return false
            }
            return true
        }
    }

    /// Whether the client is gone while we compute. From any thread.
    ///
    /// A client that has closed its socket looks like one that has only stopped sending and still waits: in both cases
    /// the end of its bytes has come. So it is sent an interim answer once: the host of a closed socket replies with a
    /// reset, which the next call sees. HTTP/1.0 knows no interim answers; there only a reset of its own tells.
    var isClientGone: Bool {
        phase.withLock { phase in
            guard case .suspended(var suspended) = phase else { return false }
            // Safe: under the lock the connection stays suspended, so its socket stays open.
            let socket = unsafe CMicroHTTPD_socket(suspended.connection)
            var request = pollfd(fd: socket, events: peerStoppedSending, revents: 0)
            guard unsafe poll(&request, 1, 0) > 0 else { return false }
            if request.revents & Int16(POLLHUP | POLLERR) != 0 { return true }
            if suspended.mayBeProbed {
                suspended.mayBeProbed = false
                phase = .suspended(suspended)
                // Safe: no byte of the answer is under way while the connection is suspended, and nothing blocks.
                _ = unsafe send(socket, interim, interim.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            }
            return false
        }
    }

    /// What libmicrohttpd calls last.
    func end(_ service: Service) {
        _ = takeBody(service)
        phase.withLock { phase in
            if case .answered(let response) = phase { response.stream?.abandon() }
            phase = .done
        }
    }

    /// Nobody is served any more: what was not answered is refused, what is being written ends.
    func stop() {
        answer(.stopping)
        stream.withLock { $0 }?.close()
    }
}

/// `POLLRDHUP` of poll(2), which Glibc's module leaves out: the peer will send no more. Errors are reported unasked.
private let peerStoppedSending: Int16 = 0x2000

/// RFC 2518 §10.1: the request is being worked on. Clients skip interim answers that they do not know (RFC 9110 §15.2).
private let interim = Array("HTTP/1.1 102 Processing\r\n\r\n".utf8)

// On the server's thread.
extension Exchange {
    /// One call of the access handler: headers, then pieces of the body, then the end, then once more after a resume.
    /// - Parameter uploadedCount: in: the bytes of `uploaded`; out: those left unread.
    func proceed(
        _ service: Service, _ connection: OpaquePointer, method: UnsafePointer<CChar>,
        version: UnsafePointer<CChar>, _ uploaded: UnsafePointer<CChar>?, _ uploadedCount: inout Int
    ) -> MHD_Result {
        // Safe: the connection and the texts are libmicrohttpd's, for this call.
        guard hasHeaders else { return unsafe receiveHeaders(service, connection) }
        if uploadedCount > 0 {
            defer { uploadedCount = 0 }
            // Safe: libmicrohttpd gives the pointer with its count, for this call.
            return unsafe receive(UnsafeRawBufferPointer(start: uploaded, count: uploadedCount), service)
        }
        if !isHandled {
            isHandled = true
            // Over TLS nothing may be sent past the library.
            takesInterimAnswers = unsafe !service.isSecure && String(cString: version) == "HTTP/1.1"
            unsafe handle(service, connection, method: String(cString: method))
        }
        return unsafe queueOrSuspend(connection)
    }

    private func receiveHeaders(_ service: Service, _ connection: OpaquePointer) -> MHD_Result {
        hasHeaders = true
        // Safe: the iterator runs, and borrows the exchange, only during the call.
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        _ = unsafe MHD_get_connection_values(connection, .HEADER_KIND, headerWasRead, context)
        if let name = headers.contradiction {
            isHandled = true
            // Answered before the body, libmicrohttpd closes the connection: nobody knows where a next request begins.
            answer(.failure(status: 400, code: "bad_request", "the header field \(name) contradicts another one"))
            return unsafe queueOrSuspend(connection)
        }
        guard let declared = headers["Content-Length"].flatMap({ Int($0) }) else { return .YES }
        // A client that asks first, or that would send without end, is refused before it sends. Others are let finish,
        // since closing with unread input resets the connection, and the reset could destroy the answer.
        let isRefusedEarly = headers["Expect"] != nil || declared > service.limits.drainBytesMax
        guard declared > service.limits.bodyBytesMax && isRefusedEarly else { return .YES }
        isHandled = true
        answer(.bodyTooLarge(limit: service.limits.bodyBytesMax))
        return unsafe queueOrSuspend(connection)
    }

    fileprivate func addHeader(_ name: String, _ value: String) { headers.append(name, value) }

    private func receive(_ bytes: UnsafeRawBufferPointer, _ service: Service) -> MHD_Result {
        receivedBytes += bytes.count
        if receivedBytes <= service.limits.bodyBytesMax, !isCrowdedOut, service.takeRoom(bytes.count) {
            // Safe: the bytes are copied before the call returns.
            unsafe body.append(contentsOf: bytes)
        } else {
            isCrowdedOut = isCrowdedOut || receivedBytes <= service.limits.bodyBytesMax
            _ = takeBody(service)
            // Here libmicrohttpd takes no answer, so the connection is closed without one.
            if receivedBytes > service.limits.drainBytesMax { return .NO }
        }
        return .YES
    }

    /// The body, which arrives no more.
    private func takeBody(_ service: Service) -> [UInt8] {
        defer { body = [] }
        service.giveRoomBack(body.count)
        return body
    }

    private func handle(_ service: Service, _ connection: OpaquePointer, method: String) {
        guard receivedBytes <= service.limits.bodyBytesMax else {
            answer(.bodyTooLarge(limit: service.limits.bodyBytesMax))
            return
        }
        guard !isCrowdedOut else {
            answer(.crowded)
            return
        }
        guard let target = RequestTarget(rawTarget) else {
            answer(.failure(status: 400, code: "bad_target", "the request target is not valid percent-encoded UTF-8"))
            return
        }
        guard service.register(self) else {
            answer(.stopping)
            return
        }
        // Safe: the address is good as long as the connection, and is copied.
        let request = unsafe HTTPRequest(
            method: method, path: target.path, segments: target.segments, query: target.query, headers: headers,
            body: takeBody(service), peerAddress: numericAddress(CMicroHTTPD_address(connection)))
        service.handler(request, HTTPResponder(self))
    }

    private func queueOrSuspend(_ connection: OpaquePointer) -> MHD_Result {
        // Safe: the connection lives at least until it is resumed.
        let suspended = unsafe Suspended(connection: connection, mayBeProbed: takesInterimAnswers)
        let response: HTTPResponse? = phase.withLock { phase in
            switch phase {
            case .answered(let response):
                phase = .done
                return response
            case .unanswered:
                // Safe: this is the access handler's thread, the one place where libmicrohttpd allows it.
                unsafe MHD_suspend_connection(suspended.connection)
                phase = .suspended(suspended)
                return nil
            case .suspended, .done:
                return nil
            }
        }
        guard let response else { return .YES }
        stream.withLock { $0 = response.stream }
        return unsafe response.queue(on: connection)
    }
}

private func headerWasRead(
    _ context: UnsafeMutableRawPointer?, _ kind: MHD_ValueKind, _ name: UnsafePointer<CChar>?,
    _ value: UnsafePointer<CChar>?
) -> MHD_Result {
    guard let context = unsafe context, let name = unsafe name else { return .YES }
    let value = unsafe value.map { unsafe String(cString: $0) } ?? ""
    // Safe: `receiveHeaders` passed its exchange; the strings end with zero.
    unsafe Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue().addHeader(String(cString: name), value)
    return .YES
}

extension HTTPHeaders {
    /// Fields that mean something only when they stand once.
    private static let single = ["host", "content-length", "authorization", "origin", "sec-fetch-site"]

    /// The name of a field of which two readers could see different things: it stands twice, or the body has two
    /// lengths (RFC 9112 §3.2, §6.3).
    fileprivate var contradiction: String? {
        let repeated = Self.single.first { name in fields.count { $0.name == name } > 1 }
        if let repeated { return repeated }
        return self["Transfer-Encoding"] != nil && self["Content-Length"] != nil ? "content-length" : nil
    }
}

extension HTTPResponse {
    static func failure(status: Int, code: String, _ message: String) -> HTTPResponse {
        .json(Array(#"{"error":{"code":"\#(code)","message":"\#(message)"}}"#.utf8), status: status)
    }

    static func bodyTooLarge(limit: Int) -> HTTPResponse {
        failure(status: 413, code: "body_too_large", "the body may have at most \(limit) bytes")
    }

    static var crowded: HTTPResponse {
        var response = failure(status: 503, code: "overloaded", "too many bodies are arriving already")
        response.headers.append("Retry-After", "1")
        return response
    }

    static var stopping: HTTPResponse { failure(status: 503, code: "stopping", "the server is stopping") }

    static var unanswered: HTTPResponse { failure(status: 500, code: "internal", "the request was not answered") }

    fileprivate func queue(on connection: OpaquePointer) -> MHD_Result {
        // Safe: libmicrohttpd copies body and strings, and counts references to its response.
        let made =
            unsafe stream.map { unsafe $0.makeResponse(for: connection) }
            ?? body.withUnsafeBytes({ bytes in
                unsafe MHD_create_response_from_buffer(
                    bytes.count, UnsafeMutableRawPointer(mutating: bytes.baseAddress), .RESPMEM_MUST_COPY)
            })
        guard let response = unsafe made else {
            stream?.abandon()
            return .NO
        }
        defer { unsafe MHD_destroy_response(response) }
        _ = unsafe MHD_add_response_header(response, "X-Content-Type-Options", "nosniff")
        for (name, value) in headers.fields {
            // Refused are line breaks and such: sending the rest without the field would hide the fault.
            if unsafe MHD_add_response_header(response, name, value) == .NO {
                return unsafe HTTPResponse.badHeader.queue(on: connection)
            }
        }
        return unsafe MHD_queue_response(connection, UInt32(status), response)
    }

    private static var badHeader: HTTPResponse {
        failure(status: 500, code: "internal", "the answer has a header field that cannot be sent")
    }
}
