import EventLoop
import Glibc
import Testing
import TestSupport

@Suite struct StreamTests {
    private let folder = TemporaryFolder()

    private func places() -> [Place] { [.tcp, .unix(folder("socket"))] }

    @Test(arguments: [1, 1000])
    func everyConnectionGetsItsOwnBytesBack(count: Int) throws {
        raiseDescriptorLimit()
        for place in places() {
            var answers: [Int: [UInt8]] = [:]
            var closed = 0
            try withLoop { loop in
                let listener = try place.listen(loop, onAccept: echo)
                for index in 0..<count {
                    place.connect(loop, to: listener) { client in
                        client.startReading(
                            onBytes: { answers[index, default: []] += copy($0) },
                            onEnd: { client.close() })
                        client.onClosed = { error in
                            #expect(error == nil)
                            closed += 1
                            if closed == count { loop.stop() }
                        }
                        client.write(Array("message \(index)".utf8))
                        client.endWrites()
                    }
                }
            }
            #expect(closed == count)
            for index in 0..<count { #expect(answers[index] == Array("message \(index)".utf8)) }
        }
    }

    @Test func aPeerThatHasEndedStillGetsTheAnswer() throws {
        for place in places() {
            var answer: [UInt8] = []
            try withLoop { loop in
                let listener = try place.listen(loop) { server in
                    var received: [UInt8] = []
                    server.startReading(
                        onBytes: { received += copy($0) },
                        onEnd: {
                            server.write(received.reversed())
                            server.closeAfterWrites(withinMillis: 10_000)
                        })
                }
                place.connect(loop, to: listener) { client in
                    client.startReading(onBytes: { answer += copy($0) }, onEnd: { client.close() })
                    client.onClosed = { _ in loop.stop() }
                    client.write([1, 2])
                    client.write([3])
                    client.endWrites()
                }
            }
            #expect(answer == [3, 2, 1])
        }
    }

    @Test func aResetByThePeerIsReportedOnce() throws {
        var errors: [EventLoopError?] = []
        try withLoop { loop in
            var peer: Int32 = -1
            let listener = try Place.tcp.listen(loop) { server in
                server.startReading(onBytes: { _ in }, onEnd: { Issue.record("a reset is no orderly end") })
                server.onClosed = { error in
                    errors.append(error)
                    loop.stop()
                }
                reset(peer)
            }
            peer = try connectRaw(port: listener.boundPort)
        }
        #expect(errors.map { $0?.name } == ["ECONNRESET"])
    }

    @Test func aConnectionResetBeforeItIsAcceptedIsReported() throws {
        var name: String?
        try withLoop { loop in
            let listener = try Listener(loop, host: "127.0.0.1", port: 0, backlog: 1) { result in
                if case .failure(let error) = result { name = error.name }
                loop.stop()
            }
            reset(try connectRaw(port: listener.boundPort))
        }
        #expect(name == "ENOTCONN")
    }

    @Test func whatTheKernelDoesNotTakeIsQueuedAndSentInOrder() throws {
        let total = 24 << 20
        var random = SeededRandom(seed: 7)
        let pattern = random.bytes(1 << 20)
        for place in places() {
            var queuedAtFirst = 0
            var queuedAtLast = -1
            var received: [UInt8] = []
            try withLoop { loop in
                let listener = try place.listen(loop) { server in
                    server.onDrained = {
                        queuedAtLast = server.queuedBytes
                        server.closeAfterWrites(withinMillis: 10_000)
                    }
                    for _ in 0..<(total / pattern.count) { server.write(pattern) }
                    queuedAtFirst = server.queuedBytes
                }
                place.connect(loop, to: listener) { client in
                    received.reserveCapacity(total)
                    client.startReading(onBytes: { received += copy($0) }, onEnd: { client.close() })
                    client.onClosed = { _ in loop.stop() }
                    client.pauseReading()
                    let pause = Timer(loop)
                    pause.start(afterMillis: 50) {
                        #expect(received.isEmpty)
                        #expect(queuedAtFirst > 0)
                        client.resumeReading()
                        pause.close()
                    }
                }
            }
            #expect(queuedAtLast == 0)
            #expect(received.count == total)
            let isIntact = stride(from: 0, to: received.count, by: pattern.count).allSatisfy { start in
                received[start..<(start + pattern.count)].elementsEqual(pattern)
            }
            #expect(isIntact)
        }
    }

    @Test func lastWordsReachAPeerThatIsStillSending() throws {
        for place in places() {
            var answer: [UInt8] = []
            var failure: EventLoopError?
            try withLoop { loop in
                let listener = try place.listen(loop) { server in
                    // Says goodbye without having read a byte.
                    server.write(Array("goodbye".utf8))
                    server.closeAfterWrites(withinMillis: 10_000)
                }
                place.connect(loop, to: listener) { client in
                    client.startReading(onBytes: { answer += copy($0) }, onEnd: { client.close() })
                    client.onClosed = { error in
                        failure = error
                        loop.stop()
                    }
                    client.pauseReading()
                    for _ in 0..<64 { client.write([UInt8](repeating: 1, count: 1 << 16)) }
                    let pause = Timer(loop)
                    pause.start(afterMillis: 100) {
                        client.resumeReading()
                        pause.close()
                    }
                }
            }
            #expect(answer == Array("goodbye".utf8))
            #expect(failure == nil)
        }
    }

    @Test func aPeerThatNeverReadsIsLeftAtTheDeadline() throws {
        var wasClosed = false
        try withLoop { loop in
            let listener = try Place.tcp.listen(loop) { server in
                server.onClosed = { error in
                    wasClosed = error == nil
                    loop.stop()
                }
                server.write([UInt8](repeating: 0, count: 32 << 20))
                server.closeAfterWrites(withinMillis: 50)
            }
            Place.tcp.connect(loop, to: listener) { _ in }
        }
        #expect(wasClosed)
    }

    @Test func closingInsideAnyCallbackIsSafe() throws {
        for place in places() {
            var closed = 0
            weak var leaked: Stream?
            try withLoop { loop in
                var listener: Listener?
                listener = try place.listen(loop) { server in
                    leaked = server
                    server.startReading(
                        onBytes: { bytes in
                            server.write(copy(bytes))
                            server.close()
                            server.close()
                            server.write([1])
                        },
                        onEnd: { Issue.record("a closed stream is silent") })
                    server.onClosed = { _ in
                        server.close()
                        server.write([1])
                        closed += 1
                        loop.stop()
                    }
                    listener?.close()
                    listener = nil
                }
                if let listener {
                    place.connect(loop, to: listener) { client in
                        client.onDrained = { client.close() }
                        client.startReading(onBytes: { _ in client.close() }, onEnd: { client.close() })
                        client.write([UInt8](repeating: 1, count: 8 << 20))
                    }
                }
            }
            #expect(closed == 1)
            #expect(leaked == nil)
        }
    }

    @Test func peersAreNamed() throws {
        for place in places() {
            try withLoop { loop in
                let listener = try place.listen(loop) { server in
                    switch (place, server.peer) {
                    case (.tcp, .tcp(let address, let port)):
                        #expect(address == "127.0.0.1")
                        #expect(port > 0)
                        #expect(!server.isUnix)
                    case (.unix, .unix): #expect(server.isUnix)
                    default: Issue.record("wrong kind of peer: \(server.peer)")
                    }
                    loop.stop()
                }
                place.connect(loop, to: listener) { $0.write([1]) }
            }
        }
    }

    /// Closes a socket so that its peer sees a reset.
    private func reset(_ socket: Int32) {
        var linger = linger(l_onoff: 1, l_linger: 0)
        _ = unsafe setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        close(socket)
    }

    private func connectRaw(port: Int) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = unsafe withUnsafeBytes(of: address) { bytes in
            let pointer = unsafe bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
            return unsafe connect(descriptor, pointer, socklen_t(bytes.count))
        }
        try #require(status == 0)
        return descriptor
    }
}
