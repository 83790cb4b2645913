import Bytes
import Events
import Foundation
import TestSupport
import Testing
import Wire
import Zstd

/// Clients that send nonsense, too much or nothing: the daemon stays up and serves the others.
@Suite struct HostileTests {
    let collector: CollectorProcess

    init() throws {
        collector = CollectorProcess()
        try collector.start()
    }

    private var place: Socket.Place { .tcp(port: collector.port) }

    /// A sender of good events is served, and the daemon did not restart or die.
    private func expectItServes(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let before = try StoredEvents(data: collector.data).rowCount
        let sender = Sender("good", token: try collector.token(), seed: 1, eventsMax: 40, pause: .zero) { [collector] in
            .tcp(port: collector.port)
        }
        sender.start()
        let isServed = waitUntil(withinMillis: 15_000) { sender.progress.hasFinished }
        #expect(isServed && collector.isRunning, "\(collector.log())", sourceLocation: sourceLocation)
        #expect(try StoredEvents(data: collector.data).rowCount == before + 40, sourceLocation: sourceLocation)
    }

    private func expectError(
        _ client: FrameClient, _ code: ErrorCode, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        guard case .error(let error) = client.next() else {
            Issue.record("no ERROR", sourceLocation: sourceLocation)
            return
        }
        #expect(error.code == code, sourceLocation: sourceLocation)
        #expect(client.next() == nil, sourceLocation: sourceLocation)
    }

    private func running() throws -> FrameClient {
        let client = try FrameClient(place)
        guard case .helloAcknowledgement = client.hello(token: try collector.token()) else {
            throw CollectorProcess.Failure(description: "no HELLO_ACK")
        }
        return client
    }

    private func opened(_ seed: UInt64) throws -> FrameClient {
        let client = try running()
        var random = SeededRandom(seed: seed)
        guard case .opened = client.open(.random(using: &random)) else {
            throw CollectorProcess.Failure(description: "not opened")
        }
        return client
    }

    @Test func garbageAndOtherProtocolsAreCutOff() throws {
        var random = SeededRandom(seed: 11)
        var starts = (0..<50).map { _ in random.bytes(200) }
        starts.append(Array("GET /events HTTP/1.1\r\nHost: test\r\n\r\n".utf8))
        starts.append([0x16, 0x03, 0x01, 0x02, 0x00, 0x01])
        for start in starts {
            let socket = try Socket(place)
            socket.send(start)
            #expect(socket.receiveAll(withinMillis: 5000) == [])
        }
        try expectItServes()
    }

    @Test func aHugeLengthIsRefusedBeforeAnythingIsStored() throws {
        let client = try running()
        var header = FrameHeader(type: .batch, stream: 1, base: 1, eventCount: 1, payload: [UInt8]().rawSpan)
        header.payloadBytes = UInt32.max
        client.socket.send(Array(header.encoded(before: [UInt8]().rawSpan)))
        expectError(client, .frameTooBig)
        let early = try FrameClient(place)
        header = FrameHeader(type: .hello, payload: [UInt8]().rawSpan)
        header.payloadBytes = 1 << 20
        early.socket.send(Preamble.ours.encoded() + header.encoded(before: [UInt8]().rawSpan))
        expectError(early, .frameTooBig)
        try expectItServes()
    }

    @Test func aWrongTokenIsRefused() throws {
        for token in ["", "tdm_ingest_0", String(repeating: "x", count: 256)] {
            let client = try FrameClient(place)
            guard case .error(let error) = client.hello(token: token) else {
                Issue.record("no ERROR")
                continue
            }
            #expect(error.code == .authentication)
        }
        try expectItServes()
    }

    @Test func aZipBombIsOneRejectedBatch() throws {
        let client = try opened(12)
        var compressor = Compressor(level: 19)
        let bomb = try compressor.compress([UInt8](repeating: 0, count: 256 << 20).rawSpan)
        for declared in [1 << 10, 16 << 20, 256 << 20] {
            var writer = ByteWriter()
            writer.append(0)
            writer.append(1)
            writer.append(fixed: UInt16(0))
            writer.append(fixed: UInt32(5))
            writer.append(fixed: UInt32(declared))
            writer.append(bomb)
            let base = UInt64(declared == 1 << 10 ? 1 : declared == 16 << 20 ? 6 : 11)
            client.socket.send(EventBatch.frame(base, count: 5, writer.bytes).encoded())
            guard case .acknowledgement(let answer) = client.next() else {
                Issue.record("no ACK for \(declared)")
                continue
            }
            #expect(answer.durable == base + 4 && answer.verdicts.map(\.count) == [5])
        }
        #expect(collector.residentBytes < 300 << 20, "\(collector.residentBytes >> 20) MiB")
        try expectItServes()
    }

    @Test func flippedBitsEndTheirConnectionOnly() throws {
        var random = SeededRandom(seed: 13)
        let bytes = try EventBatch.bytes(count: 3)
        let frame = EventBatch.frame(1, count: 3, bytes).encoded()
        for seed in 100..<140 as Range<UInt64> {
            let client = try opened(seed)
            var damaged = frame
            let bit = Int.random(in: 0..<(frame.count * 8), using: &random)
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            client.socket.send(damaged + frame)
            expectError(client, .checksum)
        }
        #expect(try StoredEvents(data: collector.data).rowCount == 0)
        try expectItServes()
    }

    /// Who does not say HELLO in five seconds is cut off, however slowly it sends.
    @Test func aSlowHelloIsCutOff() throws {
        let silent = try Socket(place)
        let slow = try Socket(place)
        let start = ContinuousClock.now
        let bytes = Preamble.ours.encoded() + [UInt8](repeating: 0, count: 31)
        for byte in bytes.prefix(20) {
            slow.send([byte])
            Thread.sleep(forTimeInterval: 0.2)
        }
        #expect(silent.receiveAll(withinMillis: 8000) != nil && slow.receiveAll(withinMillis: 8000) != nil)
        #expect(ContinuousClock.now - start < .seconds(9))
        try expectItServes()
    }

    @Test func idleConnectionsCostLittle() throws {
        let before = collector.residentBytes
        let clients = try (0..<300).map { _ in try running() }
        let silent = try (0..<100).map { _ in try Socket(place) }
        try expectItServes()
        let each = (collector.residentBytes - before) / (clients.count + silent.count)
        print("resident: \(before >> 10) KiB at first, \(each) bytes more a connection")
        #expect(each < 64 << 10)
    }

    /// PINGs are answered at once, so answers that nobody reads must not pile up.
    @Test func aClientThatReadsNoAnswersIsNotReadFrom() throws {
        let client = try running()
        var pings: [UInt8] = []
        for number in 0..<2000 as Range<UInt64> { pings += Ping(number: number, clockMicros: 1).encoded() }
        var sent = 0
        let deadline = ContinuousClock.now + .seconds(6)
        var rest = pings[...]
        while ContinuousClock.now < deadline, sent < 64 << 20 {
            if rest.isEmpty { rest = pings[...] }
            guard let count = client.socket.sendWithoutWaiting(Array(rest)) else { break }
            if count == 0 { Thread.sleep(forTimeInterval: 0.01) }
            rest = rest.dropFirst(count)
            sent += count
        }
        #expect(sent < 48 << 20, "\(sent >> 20) MiB were taken")
        #expect(collector.residentBytes < 200 << 20, "\(collector.residentBytes >> 20) MiB")
        try expectItServes()
    }
}

/// More connections than descriptors.
@Suite struct DescriptorTests {
    @Test func runningOutOfDescriptorsCostsConnectionsOnly() throws {
        let collector = CollectorProcess(launcher: ["/usr/bin/prlimit", "--nofile=96:96", "--"])
        try collector.start()
        let admin = try FrameClient(.unix(path: collector.socketPath))
        _ = admin.hello(token: try collector.token("admin"))
        do {
            let crowd = try (0..<200).map { _ in try Socket(.tcp(port: collector.port)) }
            Thread.sleep(forTimeInterval: 0.5)
            // The log and its compaction still have descriptors.
            #expect(collector.isRunning)
            #expect(try collector.get("/healthz").status == 200)
            admin.socket.send(AdminRequest(number: 1, verb: "publish", argument: "").encoded())
            // Sooner than the silent crowd is cut off.
            guard case .adminReply(let reply) = admin.next(withinMillis: 3500) else {
                Issue.record("no reply: \(collector.log())")
                return
            }
            #expect(reply.status == .done, "\(reply.result)")
            withExtendedLifetime(crowd) {}
        }
        let sender = Sender("good", token: try collector.token(), seed: 1, eventsMax: 40, pause: .zero) {
            .tcp(port: collector.port)
        }
        sender.start()
        #expect(waitUntil(withinMillis: 15_000) { sender.progress.hasFinished }, "\(collector.log())")
        #expect(try collector.admin("publish").status == .done)
        #expect(try StoredEvents(data: collector.data).faults(sender) == [])
    }
}

/// Many at once.
@Suite struct CrowdTests {
    /// Each sends without reading, so that ACKs and NACKs wait for it; others are served meanwhile.
    @Test func manySlowReadersCostBoundedMemory() throws {
        let collector = CollectorProcess()
        try collector.start()
        let token = try collector.token()
        let bytes = try EventBatch.bytes(count: 1)
        let before = collector.residentBytes
        var clients: [FrameClient] = []
        for seed in 0..<300 as Range<UInt64> {
            let client = try FrameClient(.tcp(port: collector.port))
            _ = client.hello(token: token)
            var random = SeededRandom(seed: seed)
            _ = client.open(.random(using: &random))
            clients.append(client)
        }
        for base in 1...64 as ClosedRange<UInt64> {
            let frame = EventBatch.frame(base, count: 1, bytes).encoded()
            for client in clients { client.socket.send(frame) }
        }
        let sender = Sender("good", token: token, seed: 1, eventsMax: 40, pause: .zero) { .tcp(port: collector.port) }
        sender.start()
        #expect(waitUntil(withinMillis: 15_000) { sender.progress.hasFinished })
        #expect(try waitUntil(withinMillis: 15_000) {
            try StoredEvents(data: collector.data).rowCount == 300 * 64 + 40
        })
        let each = (collector.residentBytes - before) / clients.count
        print("\(each >> 10) KiB more a sender that does not read")
        #expect(each < 256 << 10)
        for client in clients {
            var durable: UInt64 = 0
            while durable < 64, case .acknowledgement(let answer) = client.next() { durable = answer.durable }
            #expect(durable == 64)
        }
    }

    /// A sender with all the bandwidth there is must not keep a small one waiting.
    @Test func aFloodDoesNotStarveASmallSender() throws {
        let collector = CollectorProcess()
        try collector.start()
        let token = try collector.token()
        let flood = try FrameClient(.tcp(port: collector.port))
        _ = flood.hello(token: token)
        var random = SeededRandom(seed: 9)
        _ = flood.open(.random(using: &random))
        let filler = (0..<20_000).map { _ in "\(random.next())" }.joined()
        let bytes = try EventBatch.bytes("flood", filler: filler)
        var base: UInt64 = 1
        var durable: UInt64 = 0
        let small = Sender("small", token: token, seed: 1, eventsMax: 300) { .tcp(port: collector.port) }
        small.start()
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline, !small.progress.hasFinished {
            while base - durable < 200 {
                flood.socket.send(EventBatch.frame(base, count: 1, bytes).encoded())
                base += 1
            }
            if case .acknowledgement(let answer) = flood.next() { durable = answer.durable }
        }
        #expect(small.progress.hasFinished, "after \(durable) batches of the flood")
        #expect(collector.residentBytes < 600 << 20, "\(collector.residentBytes >> 20) MiB")
    }
}
