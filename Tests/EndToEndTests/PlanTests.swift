import Bytes
import Events
import Files
import Foundation
import JSON
import TestSupport
import Testing
import Wire

/// The plan of `analytics:` at work in the daemon: verdicts, counts, and what is stored.
@Suite struct PlanTests {
    private static let seedsEvents = [
        "events:", "  feature_used:", "    enabled: true", "    properties: [feature_name, feature_version]",
        "  purchase:", "    properties:", "      - {name: amount, type: number, required: true}", "      - currency",
        "  legacy: {enabled: false}",
    ]

    /// The example of the SDK: `query` and `results_count` are not declared.
    private static func bytes() throws -> [UInt8] {
        var events = ["feature_used", "purchase", "purchase", "legacy", "unheard_of", "$set_traits"].map { type in
            var event = Event(type: type, timestampMicros: moment().clockMicros)
            event.userID = "user_123"
            return event
        }
        events[0].values = [
            EventValue(.property, "feature_name", .string("search")),
            EventValue(.property, "query", .string("analytics")), EventValue(.property, "results_count", .int64(42)),
        ]
        events[1].values = [EventValue(.property, "amount", .float64(9.99))]
        var encoder = BatchEncoder(codec: .raw)
        return try encoder.encode(events)
    }

    private func collector(_ tracking: String, events: [String] = seedsEvents) throws -> CollectorProcess {
        let collector = CollectorProcess(analytics: ["tracking: {\(tracking)}"] + events)
        try collector.start()
        return collector
    }

    /// Sends the events and hears the ACK.
    private func send(to collector: CollectorProcess) throws -> Acknowledgement {
        let client = try FrameClient(.unix(path: collector.socketPath))
        _ = client.hello(token: try collector.token())
        var random = SeededRandom(seed: 7)
        _ = client.open(.random(using: &random))
        client.socket.send(EventBatch.frame(1, count: 6, try Self.bytes()).encoded())
        guard case .acknowledgement(let message) = client.next() else {
            throw CollectorProcess.Failure(description: "no ACK: \(collector.log())")
        }
        return message
    }

    private func violations(_ collector: CollectorProcess) throws -> JSONValue? {
        try JSONValue(parsing: try collector.admin("status").result)["plan"]?["violations"]
    }

    @Test func underWarnTheExampleOfTheSDKIsStoredAndCounted() throws {
        let collector = try collector("enabled: true")
        let message = try send(to: collector)
        #expect(message.verdicts == [Verdict(sequence: 4, count: 1, code: .schema)])
        #expect([message.totals.stored, message.totals.rejected, message.totals.quarantined] == [5, 1, 0])
        #expect(
            try StoredEvents(data: collector.data).types == [
                "feature_used": 1, "purchase": 2, "unheard_of": 1, "$set_traits": 1,
            ])
        let metrics = try collector.get("/metrics").body
        for line in [
            #"event_type="feature_used",kind="undeclared_property"} 1"#,
            #"event_type="purchase",kind="missing_property"} 1"#, #"event_type="legacy",kind="disabled_type"} 1"#,
        ] {
            #expect(metrics.contains("tidemark_plan_violations_total{\(line)"), "\(metrics)")
        }
        #expect(try violations(collector)?["purchase"]?["missing_property"]?.asInteger == 1)
    }

    @Test func rejectAndStrictCostTheEventsThemselves() throws {
        let collector = try collector("plan: reject, strict: true")
        let message = try send(to: collector)
        #expect(
            message.verdicts == [
                Verdict(sequence: 1, count: 1, code: .schema), Verdict(sequence: 3, count: 3, code: .schema),
            ])
        #expect(try StoredEvents(data: collector.data).types == ["purchase": 1, "$set_traits": 1])
        #expect(try violations(collector)?["(undeclared)"]?["undeclared_type"]?.asInteger == 1)
    }

    @Test func quarantineGoesIntoATableOfItsOwn() throws {
        let collector = try collector("plan: quarantine")
        let message = try send(to: collector)
        #expect([message.totals.stored, message.totals.rejected, message.totals.quarantined] == [3, 1, 2])
        let expected = ["purchase": 1, "unheard_of": 1, "$set_traits": 1]
        #expect(try StoredEvents(data: collector.data).types == expected)
        let reply = try collector.admin("publish")
        #expect(reply.status == .done && reply.result.contains(#""rows":3"#), "\(reply.result)")
        let after = try StoredEvents(data: collector.data)
        #expect(after.types == expected && after.tailRowCount == 0)
        let commit = collector.data + "/default/quarantine/_delta_log/00000000000000000000.json"
        let text = String(decoding: try Disk.posix.contents(commit), as: UTF8.self)
        #expect(text.contains(#"\"numRecords\":2"#), "\(text)")
    }

    @Test func stripKeepsTheEventAndNotTheProperty() throws {
        let collector = try collector("plan: strip")
        let message = try send(to: collector)
        #expect([message.totals.stored, message.totals.rejected, message.totals.quarantined] == [5, 1, 0])
        #expect(try collector.stop() == .init(code: 0, wasSignalled: false))
        for name in try Disk.posix.list(collector.data + "/wal") {
            let bytes = try Disk.posix.contents(collector.data + "/wal/" + name)
            #expect(!String(decoding: bytes, as: UTF8.self).contains("results_count"), "\(name)")
        }
    }

    /// What a plan once made of a batch stays so, whatever the plan is when it is sent again: after a crash, under
    /// another plan, and from the tables.
    @Test func aResendHasTheFateThatTheFirstCopyHad() throws {
        let folder = TemporaryFolder()
        var random = SeededRandom(seed: 7)
        let source = SourceID.random(using: &random)
        let bytes = try Self.bytes()
        func acknowledge(_ plan: String, bases: [UInt64], publishes: Bool = false) throws -> [Acknowledgement] {
            let collector = CollectorProcess(
                data: folder("data"), analytics: ["tracking: {plan: \(plan), strict: true}"] + Self.seedsEvents)
            try collector.start()
            let client = try FrameClient(.unix(path: collector.socketPath))
            _ = client.hello(token: try collector.token())
            _ = client.open(source)
            let messages = try bases.map { base in
                client.socket.send(EventBatch.frame(base, count: 6, bytes).encoded())
                guard case .acknowledgement(let message) = client.next() else {
                    throw CollectorProcess.Failure(description: "no ACK: \(collector.log())")
                }
                return message
            }
            if publishes { #expect(try collector.admin("publish").status == .done) }
            collector.kill(SIGKILL)
            return messages
        }
        let first = try acknowledge("quarantine", bases: [1])
        #expect(first[0].verdicts == [Verdict(sequence: 4, count: 1, code: .schema)])
        #expect([first[0].totals.stored, first[0].totals.rejected, first[0].totals.quarantined] == [2, 1, 3])
        let refused = [Verdict(sequence: 7, count: 1, code: .schema), Verdict(sequence: 9, count: 3, code: .schema)]
        let second = try acknowledge("reject", bases: [1, 7], publishes: true)
        #expect(second[0].verdicts == first[0].verdicts && second[0].totals == first[0].totals)
        #expect(second[1].verdicts == refused)
        #expect([second[1].totals.stored, second[1].totals.rejected, second[1].totals.quarantined] == [4, 5, 3])
        let third = try acknowledge("strip", bases: [1, 7, 13], publishes: true)
        #expect(third[0].verdicts == first[0].verdicts && third[1].verdicts == refused)
        #expect(third[2].verdicts == [Verdict(sequence: 16, count: 1, code: .schema)])
        #expect([third[2].totals.stored, third[2].totals.rejected, third[2].totals.quarantined] == [9, 6, 3])
        #expect(try StoredEvents(data: folder("data")).rowCount == 9)
        let commits = try Disk.posix.list(folder("data/default/quarantine/_delta_log"))
        #expect(commits == ["00000000000000000000.json"])
    }

    @Test func withTrackingOffEverythingIsRefusedAndTheStartSaysSo() throws {
        let collector = try collector("enabled: false")
        let message = try send(to: collector)
        #expect(message.verdicts == [Verdict(sequence: 1, count: 6, code: .schema)])
        #expect(try StoredEvents(data: collector.data).rowCount == 0)
        #expect(collector.log().contains("analytics.tracking.enabled is false"))
    }

    @Test func theStartNamesWhatIsNotActedOn() throws {
        // `batch_size` is for the SDKs.
        let collector = try collector("batch_size: 50", events: ["privacy: {anonymize_ip: true, hash_user_id: false}"])
        let line = collector.log().split(separator: "\n").first { $0.contains("no daemon of this version acts on") }
        let keys = try line.map { try JSONValue(parsing: String($0)) }?["keys"]
        #expect(keys == ["analytics.privacy.anonymize_ip"])
    }
}
