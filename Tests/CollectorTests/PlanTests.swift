import Bytes
import Events
import Files
import Telemetry
import TestSupport
import Testing
import WAL
import Wire

@testable import Collector

/// What the plan makes of batches on their way into the log: protocol/frames.md §7.
@Suite struct PlanTests {
    let fixture = CommitterFixture()

    private static let types: [TrackingPlan.EventType] = [
        .init("feature_used", properties: [.init("feature_name"), .init("feature_version")]),
        .init("legacy", isEnabled: false),
    ]

    private func plan(_ mode: TrackingPlan.Mode) -> TrackingPlan { TrackingPlan(mode: mode, types: Self.types) }

    /// A good event, one with properties that nobody declared, one of a disabled type.
    private static func bytes(_ codec: BatchEncoder.Codec = .raw, secret: String = "how do I") throws -> [UInt8] {
        var events = ["feature_used", "feature_used", "legacy"].map { type in
            var event = Event(type: type, timestampMicros: TestBatch.now)
            event.userID = "u1"
            event.values = [EventValue(.property, "feature_name", .string("search"))]
            return event
        }
        events[1].values += [
            EventValue(.property, "query", .string(secret)), EventValue(.property, "results_count", .int64(3)),
        ]
        var encoder = BatchEncoder(codec: codec)
        return try encoder.encode(events)
    }

    private func checked(_ mode: TrackingPlan.Mode) throws -> CheckedBatch {
        TestBatch.checked(TestBatch.frame(5, count: 3, try Self.bytes()), plan(mode))
    }

    @Test(arguments: TrackingPlan.Mode.allCases)
    func eachModeHasItsOwnFateForAnEvent(mode: TrackingPlan.Mode) throws {
        let batch = try checked(mode)
        let dropped = Verdict(sequence: 7, count: 1, code: .schema)
        let both = Verdict(sequence: 6, count: 2, code: .schema)
        #expect(batch.verdicts == (mode == .reject ? [both] : [dropped]))
        #expect(batch.quarantinedCount == (mode == .quarantine ? 1 : 0))
        guard case .valid(let valid) = batch.outcome else {
            Issue.record("it was rejected")
            return
        }
        #expect((valid.rewritten != nil) == (mode == .strip))
        let kinds = valid.violations.map(\.kind)
        #expect(kinds == (mode == .off ? [.disabledType] : [.undeclaredProperty, .disabledType]))
    }

    @Test func withTrackingOffNothingIsKept() throws {
        var checker = BatchChecker(isTracking: false)
        let frame = TestBatch.frame(5, count: 3, try Self.bytes())
        let batch = checker.check(frame, isImport: false, nowMicros: TestBatch.now)
        #expect(batch.verdicts == [Verdict(sequence: 5, count: 3, code: .schema)] && batch.bodyBytes == 0)
    }

    private func commit(_ batches: [CheckedBatch]) throws -> [LedgerAnswer] {
        let committer = try fixture.open()
        let source = SourceID(bytes: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])!
        let open = Open(stream: 1, project: "default", source: source, kind: .live, acked: 0, lineageLastSeen: nil)
        _ = try committer.take(.open(connection: 1, open, tokenName: "t"))
        for batch in batches { _ = try committer.take(.batch(connection: 1, batch)) }
        return try committer.commit()
    }

    @Test func aQuarantinedEventHasNoVerdictAndIsCounted() throws {
        let answers = try commit([try checked(.quarantine)])
        guard case .acknowledged(_, let message) = answers.first else {
            Issue.record("no ACK")
            return
        }
        #expect(message.verdicts == [Verdict(sequence: 7, count: 1, code: .schema)])
        #expect([message.totals.stored, message.totals.rejected, message.totals.quarantined] == [1, 1, 1])
        let entries = try fixture.entries()
        let exclusions = entries.flatMap { entry in
            if case .batch(let batch) = entry.kind { batch.exclusions } else { [Exclusion]() }
        }
        #expect(exclusions == [Exclusion(index: 1, code: 34), Exclusion(index: 2, code: 2)])
        try CommitterFixture.checkIdentity(entries)
        #expect(entries.last { $0.count > 0 }?.totals == message.totals)
    }

    @Test(arguments: [BatchEncoder.Codec.raw, .zstd(level: 1)])
    func strippedTextReachesNoFileAndResendsAreStillKnown(codec: BatchEncoder.Codec) throws {
        // Random, so that no compression hides it.
        var random = SeededRandom(seed: 4)
        let secret = Hex.encode(random.bytes(40))
        let bytes = try Self.bytes(codec, secret: secret)
        let batch = TestBatch.checked(TestBatch.frame(1, count: 3, bytes), plan(.strip))
        #expect(batch.fingerprint == XXH64.hash(bytes))
        let committer = try fixture.open()
        let source = SourceID(bytes: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])!
        let open = Open(stream: 1, project: "default", source: source, kind: .live, acked: 0, lineageLastSeen: nil)
        _ = try committer.take(.open(connection: 1, open, tokenName: "t"))
        #expect(try committer.take(.batch(connection: 1, batch)).isEmpty)
        _ = try committer.commit()
        let again = try committer.take(.batch(connection: 1, batch))
        guard case .acknowledged(_, let message) = again.first else {
            Issue.record("the resend is not known")
            return
        }
        #expect(message.verdicts == [Verdict(sequence: 3, count: 1, code: .schema)])
        let (bodies, fingerprints) = try fixture.bodies()
        #expect(fingerprints == [XXH64.hash(bytes)] && bodies.count == 1)
        var decoder = BatchDecoder()
        let body = try #require(bodies.first)
        let kept = try decoder.decode(body.rawSpan).events()
        #expect(kept.map { $0.values.map(\.name) } == [["feature_name"], ["feature_name"], ["feature_name"]])
        for name in try Disk.posix.list(fixture.logFolder) {
            let file = try Disk.posix.contents(fixture.logFolder + "/" + name)
            let holdsSecret = file.holds(secret.prefix(16)) || file.holds("query")
            #expect(!holdsSecret, "\(name)")
        }
        let joined = String(decoding: bodies.joined(), as: UTF8.self)
        #expect(!joined.contains(secret.prefix(16)) && !joined.contains("query"))
    }

    @Test func withoutStrippingTheSameTestFindsTheText() throws {
        var random = SeededRandom(seed: 4)
        let secret = Hex.encode(random.bytes(40))
        let bytes = try Self.bytes(.raw, secret: secret)
        _ = try commit([TestBatch.checked(TestBatch.frame(1, count: 3, bytes), plan(.warn))])
        let joined = String(decoding: try fixture.bodies().bodies.joined(), as: UTF8.self)
        #expect(joined.contains(secret))
    }

    @Test func violationsAreCountedWhenABatchIsTakenByTypeAndKind() throws {
        let first = TestBatch.checked(TestBatch.frame(1, count: 3, try Self.bytes()), plan(.warn))
        _ = try commit([first, first, TestBatch.checked(TestBatch.frame(4, count: 3, try Self.bytes()), plan(.warn))])
        let json = fixture.metrics.planViolations.json.description
        #expect(json == #"{"feature_used":{"undeclared_property":2},"legacy":{"disabled_type":2}}"#)
    }

    @Test func theSeriesAreBounded() {
        let registry = MetricsRegistry()
        let violations = PlanViolations(registry)
        for index in 0..<1000 {
            let count = PlanJudgement.Count(eventType: "t\(index)", kind: .wrongType, events: 1)
            violations.add([count, PlanJudgement.Count(eventType: nil, kind: .undeclaredType, events: 2)])
        }
        let lines = registry.text().split(separator: "\n").filter { $0.hasPrefix("tidemark_plan") }
        #expect(lines.count == PlanViolations.typesMax + 2)
        func has(_ type: String, _ kind: String, _ value: Int) -> Bool {
            lines.contains("tidemark_plan_violations_total{event_type=\"\(type)\",kind=\"\(kind)\"} \(value)")
        }
        #expect(has("(others)", "wrong_type", 800) && has("(undeclared)", "undeclared_type", 2000))
        #expect(has("t0", "wrong_type", 1))
    }
}

extension [UInt8] {
    fileprivate func holds(_ text: some StringProtocol) -> Bool {
        let wanted = Array(text.utf8)
        guard count >= wanted.count else { return false }
        return (0...(count - wanted.count)).contains { start in
            self[start] == wanted[0] && self[start..<(start + wanted.count)].elementsEqual(wanted)
        }
    }
}
