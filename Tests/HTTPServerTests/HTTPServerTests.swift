import Foundation
import HTTPServer
import Synchronization
import TestSupport
import Testing

@Suite struct HTTPServerTests {
    private static let limits = HTTPLimits(
        threadCount: 2, bodyBytesMax: 100_000, headerBytesMax: 16_384, connectionsMax: 400,
        connectionsPerAddressMax: nil, timeoutSeconds: 20)

    private func serve(
        _ limits: HTTPLimits = limits, handler: @escaping HTTPServer.Handler
    ) throws -> HTTPServer {
        try HTTPServer(host: "127.0.0.1", port: 0, limits: limits, handler: handler)
    }

    /// Tells what it was asked.
    private static let describe: HTTPServer.Handler = { request, responder in
        let query = request.query.map { "\($0.name)=\($0.value)" }.joined(separator: ",")
        let size = request.body.count
        let tag = request.headers["x-tag"] ?? "-"
        responder.respond(.text("\(request.method)|\(request.path)|\(query)|\(size)|\(tag)|\(request.peerAddress)"))
    }

    @Test func aRequestArrivesDecodedOnce() throws {
        let server = try serve(handler: Self.describe)
        defer { server.stop() }
        let client = try RawClient(port: server.boundPort)
        client.send("GET /a%20b%252F/%C3%A9+?x=1&y=a+b%26&&z&x=2 HTTP/1.1\r\nHost: t\r\nX-TAG: Hi\r\n\r\n")
        let answer = try client.receive()
        #expect(answer.status == 200)
        #expect(answer.text == "GET|/a b%2F/é+|x=1,y=a b&,z=,x=2|0|Hi|127.0.0.1")
        #expect(answer.headers["content-type"] == "text/plain; charset=utf-8")
        #expect(answer.headers["x-content-type-options"] == "nosniff")
    }

    @Test(arguments: ["/%", "/%4", "/%zz", "/%ff", "/ok?a=%C3"])
    func aMalformedTargetIsRefused(target: String) throws {
        let server = try serve(handler: Self.describe)
        defer { server.stop() }
        let answer = try RawClient(port: server.boundPort).get(target)
        #expect(answer.status == 400)
        #expect(answer.text.contains(#""code":"bad_target""#))
    }

    @Test func aBodyInManyPacketsArrivesWhole() throws {
        var random = SeededRandom(seed: 11)
        let body = random.bytes(100_000)
        let server = try serve { request, responder in
            responder.respond(HTTPResponse(status: 201, contentType: "application/octet-stream", body: request.body))
        }
        defer { server.stop() }
        let client = try RawClient(port: server.boundPort)
        client.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: \(body.count)\r\n\r\n")
        for start in stride(from: 0, to: body.count, by: 20_000) {
            client.send(Array(body[start..<(start + 20_000)]))
            usleep(5000)
        }
        let answer = try client.receive()
        #expect(answer.status == 201)
        #expect(answer.body == body)
    }

    @Test func aChunkedBodyArrivesWhole() throws {
        let server = try serve { request, responder in responder.respond(.json(request.body)) }
        defer { server.stop() }
        let client = try RawClient(port: server.boundPort)
        client.send("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
        for chunk in ["{\"a\":", "1}"] { client.send("\(String(chunk.utf8.count, radix: 16))\r\n\(chunk)\r\n") }
        client.send("0\r\n\r\n")
        #expect(try client.receive().text == #"{"a":1}"#)
    }

    @Test func aBodyOverTheLimitIsRefusedHoweverItComes() throws {
        let server = try serve { _, responder in
            Issue.record("the handler was called")
            responder.respond(.text(""))
        }
        defer { server.stop() }
        let excess = [UInt8](repeating: 65, count: 100_001)

        let plain = try RawClient(port: server.boundPort)
        plain.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: \(excess.count)\r\n\r\n")
        plain.send(excess)
        let answer = try plain.receive()
        #expect(answer.status == 413)
        let message = "the body may have at most 100000 bytes"
        #expect(answer.text == #"{"error":{"code":"body_too_large","message":"\#(message)"}}"#)

        let chunked = try RawClient(port: server.boundPort)
        chunked.send("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunked.send("\(String(excess.count, radix: 16))\r\n")
        chunked.send(excess)
        chunked.send("\r\n0\r\n\r\n")
        #expect(try chunked.receive().status == 413)

        let polite = try RawClient(port: server.boundPort)
        polite.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 100001\r\nExpect: 100-continue\r\n\r\n")
        #expect(try polite.receive().status == 413)

        let enormous = try RawClient(port: server.boundPort)
        enormous.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 99999999999\r\n\r\n")
        #expect(try enormous.receive().status == 413)

        let endless = try RawClient(port: server.boundPort)
        endless.send("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in 0..<10 {
            endless.send("\(String(excess.count, radix: 16))\r\n")
            endless.send(excess)
            endless.send("\r\n")
        }
        #expect(endless.isAtEnd())
    }

    @Test func headersOverTheLimitAreRefused() throws {
        let server = try serve(handler: Self.describe)
        defer { server.stop() }
        let client = try RawClient(port: server.boundPort)
        client.send("GET / HTTP/1.1\r\nHost: t\r\nX-Long: \(String(repeating: "x", count: 40_000))\r\n\r\n")
        #expect([413, 431].contains(try client.receive().status))
    }

    @Test func aConnectionServesManyRequests() throws {
        let server = try serve(handler: Self.describe)
        defer { server.stop() }
        let client = try RawClient(port: server.boundPort)
        for number in 0..<50 {
            #expect(try client.get("/\(number)").text == "GET|/\(number)||0|-|127.0.0.1")
        }
        client.send("GET /a HTTP/1.1\r\nHost: t\r\n\r\nGET /b HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
        #expect(try client.receive().text.hasPrefix("GET|/a"))
        #expect(try client.receive().text.hasPrefix("GET|/b"))
        #expect(client.isAtEnd())
    }

    @Test func theAnswerToHeadHasNoBody() throws {
        let server = try serve(handler: Self.describe)
        defer { server.stop() }
        let client = try RawClient(port: server.boundPort)
        client.send("HEAD /x HTTP/1.1\r\nHost: t\r\n\r\n")
        let answer = try client.receive(hasBody: false)
        #expect(answer.status == 200)
        #expect(answer.headers["content-length"] == "\("HEAD|/x||0|-|127.0.0.1".utf8.count)")
        // A body would be taken for the head of this answer.
        #expect(try client.get("/y").status == 200)
    }

    @Test func aHundredRequestsAreAnsweredInAnyOrderByOtherThreads() throws {
        let waiting = Mutex<[(HTTPRequest, HTTPResponder)]>([])
        let server = try serve { request, responder in
            let all = waiting.withLock { waiting in
                waiting.append((request, responder))
                return waiting.count == 100 ? waiting : nil
            }
            guard let all else { return }
            Thread.detachNewThread {
                var random = SeededRandom(seed: 3)
                for (request, responder) in all.shuffled(using: &random) { responder.respond(.text(request.path)) }
            }
        }
        defer { server.stop() }
        let clients = try (0..<100).map { _ in try RawClient(port: server.boundPort) }
        for (number, client) in clients.enumerated() { client.send("GET /\(number) HTTP/1.1\r\nHost: t\r\n\r\n") }
        for (number, client) in clients.enumerated() { #expect(try client.receive().text == "/\(number)") }
    }

    @Test func aSlowAnswerHoldsNobodyElse() throws {
        let slow = Mutex<[HTTPResponder]>([])
        let server = try serve { request, responder in
            if request.path == "/slow" {
                slow.withLock { $0.append(responder) }
            } else {
                responder.respond(.text("fast"))
            }
        }
        defer { server.stop() }
        // More than there are threads.
        let patient = try (0..<10).map { _ in try RawClient(port: server.boundPort) }
        for client in patient { client.send("GET /slow HTTP/1.1\r\nHost: t\r\n\r\n") }
        for _ in 0..<20 { #expect(try RawClient(port: server.boundPort).get("/").text == "fast") }
        try wait { slow.withLock { $0.count == 10 } }
        for responder in slow.withLock({ $0 }) { responder.respond(.text("slow")) }
        for client in patient { #expect(try client.receive().text == "slow") }
    }

    @Test func aClientThatHangsUpIsNoticedAndItsAnswerDropped() throws {
        let waiting = Mutex<HTTPResponder?>(nil)
        let server = try serve { request, responder in
            if request.path == "/" { responder.respond(.text("")) } else { waiting.withLock { $0 = responder } }
        }
        defer { server.stop() }
        var client: RawClient? = try RawClient(port: server.boundPort)
        client?.send("GET /wait HTTP/1.1\r\nHost: t\r\n\r\n")
        try wait { waiting.withLock { $0 != nil } }
        let responder = try #require(waiting.withLock { $0.take() })
        #expect(!responder.isClientGone)
        client = nil
        try wait { responder.isClientGone }
        responder.respond(.text("too late"))
        // Half a request, then gone.
        client = try RawClient(port: server.boundPort)
        client?.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 50\r\n\r\nabc")
        usleep(20_000)
        client = nil
        #expect(try RawClient(port: server.boundPort).get("/").status == 200)
    }

    @Test func aClientThatOnlyStoppedSendingGetsItsAnswer() throws {
        let waiting = Mutex<HTTPResponder?>(nil)
        let server = try serve { _, responder in waiting.withLock { $0 = responder } }
        defer { server.stop() }
        for version in ["1.1", "1.0"] {
            let client = try RawClient(port: server.boundPort)
            client.send("GET /wait HTTP/\(version)\r\nHost: t\r\n\r\n")
            try wait { waiting.withLock { $0 != nil } }
            let responder = try #require(waiting.withLock { $0.take() })
            client.finishSending()
            for _ in 0..<20 {
                #expect(!responder.isClientGone)
                usleep(5000)
            }
            responder.respond(.text("patience"))
            var answer = try client.receive()
            if answer.status == 102 { answer = try client.receive() }
            #expect(answer.text == "patience")
        }
    }

    @Test func aResponderThatIsDroppedAnswers500() throws {
        let server = try serve { _, _ in }
        defer { server.stop() }
        #expect(try RawClient(port: server.boundPort).get("/").status == 500)
    }

    @Test func aHeaderThatWouldSplitTheAnswerIsNotSent() throws {
        let server = try serve { _, responder in
            var response = HTTPResponse.text("hello")
            response.headers.append("X-Name", "a\r\nSet-Cookie: b")
            responder.respond(response)
        }
        defer { server.stop() }
        let answer = try RawClient(port: server.boundPort).get("/")
        #expect(answer.status == 500)
        #expect(answer.headers["set-cookie"] == nil)
    }

    @Test func stoppingAnswersWhatIsPending() throws {
        let waiting = Mutex<[HTTPResponder]>([])
        let server = try serve { _, responder in waiting.withLock { $0.append(responder) } }
        let clients = try (0..<20).map { _ in try RawClient(port: server.boundPort) }
        for client in clients { client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n") }
        try wait { waiting.withLock { $0.count == 20 } }
        server.stop()
        server.stop()
        for client in clients { #expect(try client.receive().status == 503) }
        // Nobody waits any more; a dropped responder is harmless too.
        for responder in waiting.withLock({ Array($0.dropFirst()) }) { responder.respond(.text("late")) }
        waiting.withLock { $0 = [] }
        #expect(throws: RawClient.Refused.self) { _ = try RawClient(port: server.boundPort) }
    }

    @Test func stoppingUnderLoadIsSafe() throws {
        for round in 0..<10 {
            let server = try serve { _, responder in
                Thread.detachNewThread { responder.respond(.text("ok")) }
            }
            let clients = try (0..<4).map { _ in try RawClient(port: server.boundPort) }
            for client in clients { client.send(String(repeating: "GET / HTTP/1.1\r\nHost: t\r\n\r\n", count: 50)) }
            usleep(UInt32(round) * 500)
            server.stop()
            // Answers, then the end: 200 while it ran, 503 for what was under way.
            for client in clients {
                while !client.isAtEnd() { #expect([200, 503].contains(try client.receive().status)) }
            }
        }
    }

    @Test func aServerThatIsDroppedStops() throws {
        var server: HTTPServer? = try serve(handler: Self.describe)
        let port = try #require(server?.boundPort)
        #expect(try RawClient(port: port).get("/").status == 200)
        server = nil
        #expect(throws: RawClient.Refused.self) { _ = try RawClient(port: port) }
    }

    @Test func aPortInUseIsRefusedWithItsReason() throws {
        let server = try serve(handler: Self.describe)
        defer { server.stop() }
        let port = server.boundPort
        #expect(throws: HTTPServerError.cannotListen(host: "127.0.0.1", port: port, code: EADDRINUSE)) {
            _ = try HTTPServer(host: "127.0.0.1", port: port, limits: Self.limits, handler: Self.describe)
        }
    }

    @Test func nothingThatIsAlmostARequestDoesHarm() throws {
        let server = try serve(handler: Self.describe)
        defer { server.stop() }
        let request = Array("POST /a%20b?c=%41 HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc".utf8)
        for end in 0..<request.count { try RawClient(port: server.boundPort).send(Array(request[..<end])) }
        for bit in 0..<(request.count * 8) {
            var damaged = request
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            try RawClient(port: server.boundPort).send(damaged)
        }
        let client = try RawClient(port: server.boundPort)
        client.send(request)
        #expect(try client.receive().text == "POST|/a b|c=A|3|-|127.0.0.1")
    }

    /// Nobody has shown who they are before the body is there.
    @Test func bodiesThatNeverEndTakeNoMoreThanTheirShareOfMemory() throws {
        let server = try serve(handler: Self.describe)
        defer { server.stop() }
        let whole =
            "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 100000\r\n\r\n" + String(repeating: "x", count: 100_000)
        var slow: [RawClient] = []
        for _ in 0..<70 {
            slow.append(try RawClient(port: server.boundPort))
            slow.last?.send(Array(whole.utf8.dropLast()))
        }
        func status() throws -> Int {
            let client = try RawClient(port: server.boundPort)
            client.send(whole)
            return try client.receive().status
        }
        #expect(try eventually { try status() == 503 })
        // What needs no body is served.
        #expect(try RawClient(port: server.boundPort).get("/").status == 200)
        slow = []
        #expect(try eventually { try status() == 200 })
    }

    private func eventually(_ condition: () throws -> Bool) throws -> Bool {
        for _ in 0..<200 {
            if try condition() { return true }
            usleep(10_000)
        }
        return false
    }

    /// Two readers could take different ones for the right one (RFC 9112 §3.2, §6.3).
    @Test(arguments: [
        "Host: u", "Content-Length: 3\r\nContent-Length: 3", "Content-Length: 3\r\nContent-Length: 0",
        "Content-Length: 3\r\nTransfer-Encoding: chunked", "Authorization: Bearer a\r\nAuthorization: Bearer b",
        "Origin: http://t\r\norigin: http://u", "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site",
    ])
    func aRequestThatSaysItTwiceIsRefused(fields: String) throws {
        let server = try serve(handler: Self.describe)
        defer { server.stop() }
        let client = try RawClient(port: server.boundPort)
        client.send("POST / HTTP/1.1\r\nHost: t\r\n\(fields)\r\n\r\nabcGET /next HTTP/1.1\r\nHost: t\r\n\r\n")
        let answer = try client.receive()
        #expect(answer.status == 400 && answer.text.contains(#""code":"bad_request""#))
        #expect(client.isAtEnd())
    }

    @Test func anIPv6AddressIsServed() throws {
        let server: HTTPServer
        do {
            server = try HTTPServer(host: "::1", port: 0, limits: Self.limits, handler: Self.describe)
        } catch HTTPServerError.cannotListen(_, _, code: EADDRNOTAVAIL) {
            return  // this machine has no IPv6
        }
        defer { server.stop() }
        #expect(try RawClient(port: server.boundPort, host: "::1").get("/").text == "GET|/||0|-|::1")
    }

    @Test func answeringTwiceIsABug() async {
        await #expect(processExitsWith: .failure) {
            let server = try HTTPServer(host: "127.0.0.1", port: 0, limits: Self.limits) { _, responder in
                responder.respond(.text("one"))
                responder.respond(.text("two"))
            }
            _ = try RawClient(port: server.boundPort).get("/")
            sleep(5)
            server.stop()
        }
    }

    @Test func aClientMayNotTakeMoreThanItsShareOfConnections() throws {
        var limits = Self.limits
        limits.connectionsPerAddressMax = 2
        let server = try serve(limits, handler: Self.describe)
        defer { server.stop() }
        let first = try RawClient(port: server.boundPort)
        let second = try RawClient(port: server.boundPort)
        #expect(try first.get("/").status == 200)
        #expect(try second.get("/").status == 200)
        #expect(try RawClient(port: server.boundPort).isAtEnd())
    }

    private func wait(_ condition: () -> Bool) throws {
        for _ in 0..<4000 {
            if condition() { return }
            usleep(5000)
        }
        Issue.record("waited 20 seconds in vain")
    }
}
