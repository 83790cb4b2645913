import Bytes
import Events
import Files
import Foundation
import JSON
import TestSupport
import Testing
import Wire

/// Starts, stops and what an operator sees.
@Suite struct DaemonTests {
    @Test func aTerminatedDaemonAnswersWhatItTookAndStartsCleanly() throws {
        let collector = CollectorProcess()
        try collector.start()
        let token = try collector.token()
        let sender = Sender("a", token: token, seed: 1, eventsMax: 400, pause: .zero) {
            .unix(path: collector.socketPath)
        }
        sender.start()
        #expect(waitUntil(withinMillis: 10_000) { sender.progress.acked.count > 50 })
        let client = try FrameClient(.tcp(port: collector.port))
        _ = client.hello(token: token)
        var random = SeededRandom(seed: 2)
        _ = client.open(.random(using: &random))
        let bytes = try EventBatch.bytes(count: 2)
        for base in stride(from: 1, to: 200, by: 2) {
            client.socket.send(EventBatch.frame(UInt64(base), count: 2, bytes).encoded())
        }
        collector.kill(SIGTERM)
        var durable: UInt64 = 0
        var goAways = 0
        var refusedFrom = UInt64.max
        while let message = client.next() {
            if case .acknowledgement(let answer) = message { durable = max(durable, answer.durable) }
            if case .negativeAcknowledgement(let answer) = message { refusedFrom = min(refusedFrom, answer.expected) }
            if case .goAway = message { goAways += 1 }
        }
        #expect(goAways == 1)
        #expect(durable == 200 || refusedFrom == durable + 1, "ACK to \(durable), NACK from \(refusedFrom)")
        #expect(try collector.stop(0) == .init(code: 0, wasSignalled: false))
        #expect(!FileManager.default.fileExists(atPath: collector.socketPath))
        try collector.start()
        #expect(!collector.log().contains("recovered"), "\(collector.log())")
        #expect(sender.finish())
        let stored = try StoredEvents(data: collector.data)
        #expect(stored.faults(sender) == [])
        #expect(stored.rowCount == sender.progress.produced + Int(durable))
        #expect(try collector.stop() == .init(code: 0, wasSignalled: false))
    }

    @Test func aPublishDuringADrainIsRefusedAndDoesNotHoldItUp() throws {
        let collector = CollectorProcess()
        try collector.start()
        let token = try collector.token("admin")
        let client = try FrameClient(.unix(path: collector.socketPath))
        _ = client.hello(token: token)
        collector.kill(SIGTERM)
        #expect(client.next().map { if case .goAway = $0 { true } else { false } } == true)
        client.socket.send(AdminRequest(number: 1, verb: "publish", argument: "").encoded())
        guard case .adminReply(let reply) = client.next() else {
            Issue.record("no reply")
            return
        }
        #expect(reply.status == .failed && reply.result.contains("stopping"))
        #expect(try collector.stop(0) == .init(code: 0, wasSignalled: false))
    }

    /// The first start makes the folder, the project, the tokens and the log; any of it may be cut short.
    @Test func aFirstStartThatWasKilledIsRepeated() throws {
        var random = SeededRandom(seed: 6)
        for _ in 0..<8 {
            let collector = CollectorProcess()
            for _ in 0..<2 {
                try collector.launch()
                Thread.sleep(forTimeInterval: Double.random(in: 0...0.06, using: &random))
                collector.kill(SIGKILL)
            }
            try collector.start()
            let client = try FrameClient(.unix(path: collector.socketPath))
            guard case .helloAcknowledgement = client.hello(token: try collector.token()) else {
                Issue.record("no HELLO_ACK: \(collector.log())")
                continue
            }
            #expect(try collector.admin("status").status == .done)
        }
    }

    @Test func theFolderHasOneDaemon() throws {
        let first = CollectorProcess()
        try first.start()
        let second = CollectorProcess()
        try second.launch(["--data", first.data, "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"])
        #expect(try second.stop(0) == .init(code: 1, wasSignalled: false))
        #expect(second.log().contains("another process holds the lock of this data folder"))
        #expect(try first.admin("status").status == .done)
    }

    /// Whoever cannot have the socket must not take it from its owner at the end either.
    @Test func aSocketInUseStaysItsOwners() throws {
        let first = CollectorProcess()
        try first.start()
        let second = CollectorProcess(settings: ["socket: \(first.socketPath)"])
        try second.launch()
        #expect(try second.stop(0) == .init(code: 1, wasSignalled: false))
        #expect(second.log().contains("EADDRINUSE"), "\(second.log())")
        #expect(try first.admin("status").status == .done)
    }

    @Test func aPortInUseIsNamed() throws {
        let first = CollectorProcess()
        try first.start()
        let second = CollectorProcess()
        try second.launch(
            ["--data", second.data, "--listen", "127.0.0.1:\(first.port)", "--http", "127.0.0.1:0"])
        #expect(try second.stop(0) == .init(code: 1, wasSignalled: false))
        #expect(second.log().contains("127.0.0.1:\(first.port)"))
    }

    @Test func aBrokenTokenFileIsNamed() throws {
        let collector = CollectorProcess()
        try Disk.posix.makeFolder(collector.data)
        try Disk.posix.replace(collector.data + "/tokens", with: Array("{\"format\": 0,".utf8))
        try collector.launch()
        #expect(try collector.stop(0) == .init(code: 1, wasSignalled: false))
        #expect(collector.log().contains(collector.data + "/tokens"), "\(collector.log())")
    }

    @Test func aFolderThatCannotBeWrittenIsNamed() throws {
        let collector = CollectorProcess()
        try collector.launch(["--data", "/proc/nowhere", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"])
        #expect(try collector.stop(0) == .init(code: 1, wasSignalled: false))
        #expect(collector.log().contains("/proc/nowhere"), "\(collector.log())")
    }

    @Test func theAdminVerbsWork() throws {
        let collector = CollectorProcess()
        try collector.start()
        let sender = Sender("a", token: try collector.token(), seed: 3, eventsMax: 100, pause: .zero) {
            .tcp(port: collector.port)
        }
        sender.start()
        #expect(sender.finish() || sender.progress.hasFinished)
        func ask(_ verb: String, _ argument: String = "") throws -> (AdminStatus, JSONValue) {
            let reply = try collector.admin(verb, argument)
            return (reply.status, try JSONValue(parsing: reply.result))
        }
        let (status, state) = try ask("status")
        #expect(status == .done && state["ready"] == .bool(true))
        #expect(state["events_durable"]?.asInteger == Int64(sender.progress.produced))
        let (published, report) = try ask("publish", "{\"project\": \"default\"}")
        #expect(published == .done && report["rows"]?.asInteger == Int64(sender.progress.produced))
        #expect(try ask("create_project", "{\"project\": \"shop\"}").0 == .done)
        #expect(try ask("status").1["projects"] == ["default", "shop"])
        #expect(try ask("create_project", "{\"project\": \"shop\"}").0 == .failed)
        #expect(try ask("create_project", "{\"project\": \"No Such Name\"}").0 == .failed)
        #expect(try ask("create_project").0 == .failed)
        #expect(try ask("reload_tokens").0 == .done)
        for (verb, argument) in [
            ("nonsense", ""), ("publish", "{"), ("publish", "[1]"), ("publish", "5"), ("publish", "{\"project\": 5}"),
            ("publish", "{\"project\": \"unknown\"}"),
        ] {
            let (status, result) = try ask(verb, argument)
            #expect(status == .failed && result["error"] != nil, "\(verb) \(argument): \(result)")
        }
    }

    @Test func aReloadThatFailsSaysSoAndKeepsTheTokens() throws {
        let collector = CollectorProcess()
        try collector.start()
        try Disk.posix.replace(collector.data + "/tokens", with: Array("{".utf8))
        let reply = try collector.admin("reload_tokens")
        #expect(reply.status == .failed && reply.result.contains("tokens"))
        #expect(try collector.admin("status").status == .done)
        collector.kill(SIGHUP)
        #expect(waitUntil(withinMillis: 5000) { collector.log().contains("the old ones stay in force") })
        #expect(try collector.admin("status").status == .done)
    }

    @Test func adminNeedsItsTokenAndTheUnixSocket() throws {
        let collector = CollectorProcess()
        try collector.start()
        let asSender = try collector.admin("publish", token: "default")
        #expect(asSender.status == .failed && asSender.result.contains("not allowed"))
        let overTCP = try collector.admin("publish", place: .tcp(port: collector.port))
        #expect(overTCP.status == .failed && overTCP.result.contains("not allowed"))
    }

    @Test func healthAndMetricsAreServed() throws {
        let collector = CollectorProcess()
        try collector.start()
        for path in ["/healthz", "/readyz"] {
            let (status, body) = try collector.get(path)
            #expect(status == 200 && body == "ok\n")
        }
        #expect(try collector.get("/nonsense").status == 404)
        let sender = Sender("a", token: try collector.token(), seed: 4, eventsMax: 50, pause: .zero) {
            .unix(path: collector.socketPath)
        }
        sender.start()
        #expect(waitUntil(withinMillis: 10_000) { sender.progress.hasFinished })
        let (status, text) = try collector.get("/metrics")
        #expect(status == 200)
        let samples = try MetricsText.parse(text)
        #expect(samples["tidemark_events_durable_total"] == Double(sender.progress.produced))
        #expect(samples["tidemark_commit_seconds_count"].map { $0 > 0 } == true)
        #expect(samples["tidemark_connections"] != nil)
    }

    /// A relay whose project is missing would ask again at once, for ever, if it were told to take a new source.
    @Test func anUnknownProjectIsRefusedForAWhile() throws {
        let collector = CollectorProcess()
        try collector.start()
        let tokens = try Disk.posix.contents(collector.data + "/tokens")
        let text = try JSONValue(parsing: tokens).description
            .replacingOccurrences(
                of: "\"role\":\"ingest\",\"projects\":[\"default\"]",
                with: "\"role\":\"relay\",\"projects\":[\"default\",\"gone\"]")
        #expect(text.contains("relay"))
        try Disk.posix.replace(collector.data + "/tokens", with: Array(text.utf8))
        #expect(try collector.admin("reload_tokens").status == .done)
        let client = try FrameClient(.tcp(port: collector.port))
        _ = client.hello(token: try collector.token())
        var random = SeededRandom(seed: 5)
        guard case .negativeAcknowledgement(let answer) = client.open(.random(using: &random), project: "gone") else {
            Issue.record("it was not refused")
            return
        }
        #expect(answer.code == .notAllowed && answer.retry == .after && answer.afterMilliseconds >= 1000)
    }
}

/// Batches for clients that speak frames themselves.
enum EventBatch {
    static func bytes(count: Int, type: String = "tick") throws -> [UInt8] {
        var encoder = BatchEncoder(codec: .raw)
        return try encoder.encode((0..<count).map { _ in Event(type: type, timestampMicros: moment().clockMicros) })
    }

    /// One event with a long property.
    static func bytes(_ user: String, filler: String) throws -> [UInt8] {
        var event = Event(type: "tick", timestampMicros: moment().clockMicros)
        event.userID = user
        event.values = [EventValue(.property, "filler", .string(filler))]
        var encoder = BatchEncoder(codec: .raw)
        return try encoder.encode([event])
    }

    static func frame(
        _ base: UInt64, count: Int, _ bytes: [UInt8], stream: UInt32 = 1, rewinds: Bool = false
    ) -> BatchFrame {
        BatchFrame(
            stream: stream, base: base, eventCount: UInt32(count), rewinds: rewinds, clockOffsetMicros: 0, batch: bytes)
    }
}

/// A strict reader of the Prometheus text format, version 0.0.4.
enum MetricsText {
    struct Fault: Error { let line: String }

    /// Every sample's value by its name and labels.
    static func parse(_ text: String) throws -> [String: Double] {
        guard text.hasSuffix("\n") else { throw Fault(line: "no newline at the end") }
        var types: [String: String] = [:]
        var samples: [String: Double] = [:]
        for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.hasPrefix("# HELP ") { continue }
            if line.hasPrefix("# TYPE ") {
                let words = line.split(separator: " ")
                guard words.count == 4, ["counter", "gauge", "histogram"].contains(words[3]),
                    types[String(words[2])] == nil
                else { throw Fault(line: line) }
                types[String(words[2])] = String(words[3])
                continue
            }
            guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else {
                throw Fault(line: line)
            }
            let name = String(line[..<space])
            let family = String(name.prefix { $0 != "{" })
            let ending = ["_bucket", "_sum", "_count"].first { family.hasSuffix($0) }
            let base = ending.map { String(family.dropLast($0.count)) }
            guard types[family] != nil || base.flatMap({ types[$0] }) == "histogram", samples[name] == nil else {
                throw Fault(line: line)
            }
            samples[name] = value
        }
        return samples
    }
}
