import Foundation
import HTTPServer
import Synchronization
import Testing

/// Bodies that are written while they are sent.
@Suite struct StreamTests {
    /// A server whose every answer is a stream of the test's.
    private final class Fixture: Sendable {
        private final class Streams: Sendable { let list = Mutex<[HTTPBodyStream]>([]) }

        let server: HTTPServer
        private let made: Streams

        init(bufferBytesMax: Int = 1 << 20) throws {
            let streams = Streams()
            server = try HTTPServer(
                host: "127.0.0.1", port: 0,
                limits: HTTPLimits(
                    threadCount: 1, bodyBytesMax: 1000, headerBytesMax: 16_384, connectionsMax: 50,
                    connectionsPerAddressMax: nil, timeoutSeconds: 20),
                handler: { _, responder in
                    let stream = HTTPBodyStream(bufferBytesMax: bufferBytesMax)
                    streams.list.withLock { $0.append(stream) }
                    let headers = HTTPHeaders([("Content-Type", "text/event-stream")])
                    responder.respond(HTTPResponse(status: 200, headers: headers, body: [], stream: stream))
                })
            made = streams
        }

        func get(_ client: RawClient, _ method: String = "GET") throws -> (RawClient.Answer, HTTPBodyStream) {
            let count = made.list.withLock { $0.count }
            client.send("\(method) / HTTP/1.1\r\nHost: t\r\n\r\n")
            let answer = try client.receive(hasBody: false)
            let stream = try #require(made.list.withLock { $0.count > count ? $0.last : nil })
            return (answer, stream)
        }
    }

    @Test func whatIsWrittenArrivesAtOnceAndInOrder() throws {
        let fixture = try Fixture()
        defer { fixture.server.stop() }
        let client = try RawClient(port: fixture.server.boundPort)
        let (answer, stream) = try fixture.get(client)
        #expect(answer.status == 200 && answer.headers["transfer-encoding"] == "chunked")
        for number in 0..<50 {
            #expect(stream.write(Array("event \(number)\n".utf8)))
            #expect(client.receiveChunk() == Array("event \(number)\n".utf8))
        }
        #expect(stream.isOpen)
        stream.close()
        #expect(!stream.isOpen && !stream.write([1]))
        #expect(client.receiveChunk() == [])
        // The connection goes on.
        let (again, other) = try fixture.get(client)
        #expect(again.status == 200)
        other.close()
        #expect(client.receiveChunk() == [])
    }

    @Test func aLongBodyArrivesWhole() throws {
        let fixture = try Fixture(bufferBytesMax: 4 << 20)
        defer { fixture.server.stop() }
        let client = try RawClient(port: fixture.server.boundPort)
        let (_, stream) = try fixture.get(client)
        let body = (0..<(3 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 9) }
        for start in stride(from: 0, to: body.count, by: 100_000) {
            stream.write(Array(body[start..<min(start + 100_000, body.count)]))
        }
        stream.close()
        var received: [UInt8] = []
        while let chunk = client.receiveChunk(), !chunk.isEmpty { received += chunk }
        #expect(received == body)
    }

    @Test func aClientThatDoesNotReadIsCutOff() throws {
        let fixture = try Fixture(bufferBytesMax: 1 << 16)
        defer { fixture.server.stop() }
        let client = try RawClient(port: fixture.server.boundPort)
        let (_, stream) = try fixture.get(client)
        var writes = 0
        // The sockets' buffers take some megabytes first.
        while stream.write([UInt8](repeating: 0, count: 1 << 15)), writes < 10_000 {
            writes += 1
            usleep(200)
        }
        #expect(writes < 10_000 && !stream.isOpen)
    }

    @Test func aClientThatIsGoneIsNoticedWhenSomethingIsSent() throws {
        let fixture = try Fixture()
        defer { fixture.server.stop() }
        var client: RawClient? = try RawClient(port: fixture.server.boundPort)
        let (_, stream) = try fixture.get(try #require(client))
        #expect(stream.write([1]) && stream.isOpen)
        client = nil
        for _ in 0..<1000 where stream.isOpen {
            stream.write([1])
            usleep(5000)
        }
        #expect(!stream.isOpen)
    }

    @Test func stoppingEndsStreamsThatWait() throws {
        let fixture = try Fixture()
        let client = try RawClient(port: fixture.server.boundPort)
        let (_, stream) = try fixture.get(client)
        stream.write([1])
        #expect(client.receiveChunk() == [1])
        let started = Date()
        fixture.server.stop()
        #expect(Date().timeIntervalSince(started) < 5)
        #expect(client.receiveChunk() == [])
        #expect(!stream.write([2]))
    }

    /// libmicrohttpd aborts when a stream still waits at its end.
    @Test func aStreamThatBeginsWhileTheServerStopsEnds() throws {
        let isAnswered = DispatchSemaphore(value: 0)
        let limits = HTTPLimits(
            threadCount: 1, bodyBytesMax: 1000, headerBytesMax: 16_384, connectionsMax: 50,
            connectionsPerAddressMax: nil, timeoutSeconds: 20)
        let server = try HTTPServer(host: "127.0.0.1", port: 0, limits: limits) { _, responder in
            responder.respond(HTTPResponse(status: 200, headers: HTTPHeaders(), body: [], stream: HTTPBodyStream()))
            isAnswered.signal()
            // Answered, but nothing is sent before the handler returns.
            usleep(200_000)
        }
        let client = try RawClient(port: server.boundPort)
        client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n")
        isAnswered.wait()
        server.stop()
        #expect(try client.receive(hasBody: false).status == 200)
        #expect(client.receiveChunk() == [])
    }

    @Test func headHasNoBodyAndAbandonsTheStream() throws {
        let fixture = try Fixture()
        defer { fixture.server.stop() }
        let client = try RawClient(port: fixture.server.boundPort)
        let (answer, stream) = try fixture.get(client, "HEAD")
        #expect(answer.status == 200)
        for _ in 0..<1000 where stream.isOpen { usleep(1000) }
        #expect(!stream.isOpen)
    }
}
