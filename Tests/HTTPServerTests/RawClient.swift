import Glibc
import Testing

/// A blocking HTTP client that shows every byte: a socket with a timeout of 20 seconds.
final class RawClient {
    struct Answer {
        let status: Int
        let headers: [String: String]
        let body: [UInt8]
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    struct Refused: Error {
        let port: Int
        let code: Int32
    }

    private let descriptor: Int32
    private var unread: [UInt8] = []

    init(port: Int, host: String = "127.0.0.1") throws {
        var list: UnsafeMutablePointer<addrinfo>?
        let found = unsafe getaddrinfo(host, String(port), nil, &list)
        guard found == 0, let info = unsafe list else { throw Refused(port: port, code: found) }
        defer { unsafe freeaddrinfo(info) }
        descriptor = socket(unsafe info.pointee.ai_family, Int32(SOCK_STREAM.rawValue), 0)
        var timeout = timeval(tv_sec: 20, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, size)
        let status = unsafe connect(descriptor, info.pointee.ai_addr, info.pointee.ai_addrlen)
        if status != 0 { throw Refused(port: port, code: errno) }
    }

    deinit { close(descriptor) }

    func send(_ text: String) { send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.send(descriptor, buffer.baseAddress! + sent, buffer.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return }
            sent += count
        }
    }

    /// Closes the sending half only.
    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    func get(_ target: String) throws -> Answer {
        send("GET \(target) HTTP/1.1\r\nHost: test\r\n\r\n")
        return try receive()
    }

    /// Reads one answer.
    /// - Parameter hasBody: false after HEAD, whose answer only tells the length.
    func receive(hasBody: Bool = true) throws -> Answer {
        let blank = Array("\r\n\r\n".utf8)
        var headEnd: Int?
        while headEnd == nil {
            let starts = 0..<max(0, unread.count - 3)
            headEnd = starts.first { unread[$0..<($0 + 4)].elementsEqual(blank) }
            if headEnd == nil { try #require(fill(), "the connection ended inside a header") }
        }
        let end = try #require(headEnd)
        let lines = String(decoding: unread[..<end], as: UTF8.self).split(separator: "\r\n")
        unread.removeFirst(end + 4)
        let status = try #require(lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) })
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = String(parts[1].drop(while: { $0 == " " }))
        }
        let length = hasBody ? headers["content-length"].flatMap { Int($0) } ?? 0 : 0
        while unread.count < length { try #require(fill(), "the connection ended inside a body") }
        defer { unread.removeFirst(length) }
        return Answer(status: status, headers: headers, body: Array(unread[..<length]))
    }

    /// Reads one chunk of a body whose length is not known (RFC 9112 §7.1).
    /// - Returns: nil if the connection ended; no bytes at the body's end.
    func receiveChunk() -> [UInt8]? {
        let lineEnd = Array("\r\n".utf8)
        func line() -> [UInt8]? {
            while true {
                if let end = unread.firstIndex(of: lineEnd[1]) {
                    defer { unread.removeFirst(end + 1) }
                    return Array(unread[..<end].dropLast())
                }
                if !fill() { return nil }
            }
        }
        guard let head = line(), let size = Int(String(decoding: head, as: UTF8.self), radix: 16) else { return nil }
        while unread.count < size + 2 { if !fill() { return nil } }
        defer { unread.removeFirst(size + 2) }
        return Array(unread[..<size])
    }

    /// Whether the server has closed and sent nothing more.
    func isAtEnd() -> Bool { unread.isEmpty && !fill() }

    private func fill() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { return false }
        unread += buffer[..<count]
        return true
    }
}
