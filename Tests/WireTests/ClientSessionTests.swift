import Bytes
import Testing

@testable import Wire

@Suite struct ClientSessionTests {
    private static let now = Moment(elapsedMicros: 0, clockMicros: 1)
    private static let later = Moment(elapsedMicros: 20_000_000, clockMicros: 1)
    private static let lineage = [UInt8](repeating: 3, count: 16)

    private func session() -> ClientSession {
        ClientSession(ClientSession.Settings(token: "t", project: "shop"), now: Self.now) { 41 }
    }

    private func sent(_ actions: [ClientSession.Action]) throws -> [Message] {
        try actions.flatMap { action -> [Message] in
            guard case .send(let bytes) = action else { return [] }
            return try decodeAll(bytes.first == 0xF7 ? Array(bytes[8...]) : bytes, pieceBytes: .max)
        }
    }

    private func receive(_ session: inout ClientSession, _ message: Message) -> [ClientSession.Action] {
        session.receive(message.encoded().rawSpan, now: Self.now)
    }

    /// After OPENED of the stream it asked for.
    private func open(
        _ session: inout ClientSession, durable: UInt64 = 0, fingerprints: [BatchFingerprint] = []
    ) throws -> [ClientSession.Action] {
        _ = session.connected(now: Self.now)
        _ = session.receive(Preamble.ours.encoded().rawSpan, now: Self.now)
        let answer = HelloAcknowledgement(
            role: .ingest, project: "shop", limits: ConnectionLimits(), clockMicros: 1, features: 0)
        let opens = try sent(receive(&session, .helloAcknowledgement(answer)))
        guard case .open(let open) = try #require(opens.first) else { throw WireError.magic }
        return receive(&session, opened(open.stream, durable, fingerprints))
    }

    private func opened(_ stream: UInt32, _ durable: UInt64, _ list: [BatchFingerprint] = []) -> Message {
        .opened(Opened(
            stream: stream, durable: durable, lineage: Self.lineage, totals: SourceTotals(stored: durable),
            fingerprints: list))
    }

    private func batch(_ base: UInt64, _ bytes: [UInt8], stream: UInt32 = 1, rewinds: Bool = false) -> Message {
        .batch(BatchFrame(
            stream: stream, base: base, eventCount: 2, rewinds: rewinds, clockOffsetMicros: 0, batch: bytes))
    }

    private func nack(_ code: NackCode, _ expected: UInt64, _ retry: RetryRule, after: UInt64 = 0) -> Message {
        .negativeAcknowledgement(NegativeAcknowledgement(
            stream: 1, expected: expected, code: code, retry: retry, afterMilliseconds: after))
    }

    /// Three batches of two events each, sent: sequences 1 to 6.
    private func streaming() throws -> ClientSession {
        var session = session()
        for byte in UInt8(1)...3 { _ = session.enqueue(batch: [byte], eventCount: 2, now: Self.now) }
        #expect(try sent(try open(&session)) == [batch(1, [1]), batch(3, [2]), batch(5, [3])])
        return session
    }

    @Test func whatIsAcknowledgedLeavesWithItsVerdicts() throws {
        var session = try streaming()
        let verdict = Verdict(sequence: 3, count: 1, code: .schema)
        let answer = Acknowledgement(
            stream: 1, durable: 4, totals: SourceTotals(stored: 3, rejected: 1), verdicts: [verdict])
        #expect(receive(&session, .acknowledgement(answer)) == [
            .settled(ticket: 1, .acknowledged([])), .settled(ticket: 2, .acknowledged([verdict])),
        ])
        #expect(session.queuedCount == 1)
    }

    @Test func onlyListedBatchesAreDroppedAfterOpened() throws {
        var session = try streaming()
        _ = session.disconnected(now: Self.now)
        let list = [BatchFingerprint(base: 1, count: 2, fingerprint: XXH64.hash([1]))]
        let actions = try open(&session, durable: 2, fingerprints: list)
        #expect(actions.first == .settled(ticket: 1, .listed))
        #expect(try sent(actions) == [batch(3, [2]), batch(5, [3])])
    }

    @Test func anUnlistedDurableBatchGoesToANewSourceWithTheSameBytes() throws {
        var session = try streaming()
        _ = session.disconnected(now: Self.now)
        let list = [BatchFingerprint(base: 1, count: 2, fingerprint: 99)]
        let messages = try sent(try open(&session, durable: 2, fingerprints: list))
        guard case .close = messages.first, case .open(let next) = messages.last else {
            Issue.record("\(messages)")
            return
        }
        #expect(next.stream == 2 && next.acked == 0 && next.source == session.currentSource)
        #expect(try sent(receive(&session, opened(2, 0))) == [
            batch(1, [1], stream: 2), batch(3, [2], stream: 2), batch(5, [3], stream: 2),
        ])
    }

    @Test func aNackRewindsAtOnceOrAfterItsTime() throws {
        var session = try streaming()
        #expect(try sent(receive(&session, nack(.sequenceGap, 3, .now))) == [
            batch(3, [2], rewinds: true), batch(5, [3]),
        ])
        #expect(try sent(receive(&session, nack(.storage, 1, .after, after: 10))).isEmpty)
        #expect(session.tick(now: Moment(elapsedMicros: 9_999, clockMicros: 1)).isEmpty)
        let ready = session.tick(now: Moment(elapsedMicros: 10_000, clockMicros: 1))
        #expect(try sent(ready) == [batch(1, [1], rewinds: true), batch(3, [2]), batch(5, [3])])
    }

    @Test func aServerThatForgotIsToldWhatWasAcknowledgedBefore() throws {
        var session = try streaming()
        let answer = Acknowledgement(stream: 1, durable: 4, totals: SourceTotals(stored: 4), verdicts: [])
        _ = receive(&session, .acknowledgement(answer))
        let skip = Message.skip(
            Skip(stream: 1, base: 2, count: 3, reason: .acknowledgedBefore, rewinds: true))
        #expect(try sent(receive(&session, nack(.sequenceGap, 2, .now))) == [skip, batch(5, [3])])
        _ = session.disconnected(now: Self.now)
        let messages = try sent(try open(&session, durable: 3))
        let rest = Message.skip(
            Skip(stream: 1, base: 2, count: 3, reason: .acknowledgedBefore, rewinds: false))
        #expect(!messages.contains(rest), "a skip that straddles the durable sequence is not sent again")
    }

    @Test func openedBelowTheOldestIsFilledByASkip() throws {
        var session = try streaming()
        let answer = Acknowledgement(stream: 1, durable: 4, totals: SourceTotals(stored: 4), verdicts: [])
        _ = receive(&session, .acknowledgement(answer))
        _ = session.disconnected(now: Self.now)
        let skip = Message.skip(
            Skip(stream: 1, base: 2, count: 3, reason: .acknowledgedBefore, rewinds: false))
        #expect(try sent(try open(&session, durable: 1)) == [skip, batch(5, [3])])
    }

    @Test(arguments: [UInt64(2), 100])
    func aSequenceThatWasNeverABatchsFirstLeadsToANewSource(expected: UInt64) throws {
        var session = try streaming()
        _ = receive(&session, nack(.sequenceGap, expected, .now))
        let before = session.currentSource
        guard case .open(let open) = try #require(try sent(session.tick(now: Self.later)).first) else {
            Issue.record("no OPEN")
            return
        }
        #expect(open.source == before && open.stream == 2, "what is durable is asked for first")
        let list = [BatchFingerprint(base: 1, count: 2, fingerprint: XXH64.hash([1]))]
        let actions = receive(&session, opened(2, 2, list))
        #expect(actions.first == .settled(ticket: 1, .listed) && session.nextSequence == 5)
    }

    @Test func aSenderFencedWhileItOpensAsksAgainBeforeItMoves() throws {
        var session = session()
        _ = session.enqueue(batch: [1], eventCount: 2, now: Self.now)
        _ = try open(&session)
        _ = session.disconnected(now: Self.now)
        _ = session.connected(now: Self.now)
        let answer = HelloAcknowledgement(
            role: .ingest, project: "shop", limits: ConnectionLimits(), clockMicros: 1, features: 0)
        _ = session.receive((Preamble.ours.encoded() + answer.encoded()).rawSpan, now: Self.now)
        let source = session.currentSource
        _ = receive(&session, nack(.fenced, 0, .newSource))
        guard case .open(let open) = try #require(try sent(session.tick(now: Self.later)).first) else {
            Issue.record("no OPEN")
            return
        }
        #expect(open.source == source && open.stream == 2)
    }

    @Test func aNewSourceKnowsNothingOfWhatWasAcknowledgedUnderTheOld() throws {
        var session = try streaming()
        let answer = Acknowledgement(stream: 1, durable: 4, totals: SourceTotals(stored: 4), verdicts: [])
        _ = receive(&session, .acknowledgement(answer))
        _ = receive(&session, nack(.sequenceGap, 2, .now))  // puts a skip before the oldest
        _ = receive(&session, nack(.sequenceConflict, 2, .newSource))
        _ = session.tick(now: Self.later)
        _ = receive(&session, opened(2, 3))
        #expect(session.queuedCount == 1 && session.nextSequence == 3)
    }

    @Test func theWindowsHold() throws {
        var settings = ClientSession.Settings(token: "t", project: "shop")
        settings.unackedBatchesMax = 3
        settings.unackedBytesMax = 10
        var session = ClientSession(settings, now: Self.now) { 41 }
        for _ in 0..<5 { _ = session.enqueue(batch: [1, 2, 3, 4, 5, 6], eventCount: 2, now: Self.now) }
        #expect(try sent(try open(&session)).count == 1)
        var small = ClientSession(settings, now: Self.now) { 41 }
        for _ in 0..<5 { _ = small.enqueue(batch: [1], eventCount: 2, now: Self.now) }
        #expect(try sent(try open(&small)).count == 3)
    }

    @Test func goAwayWaitsForWhatWasSentThenReconnects() throws {
        var session = try streaming()
        let goAway = Message.goAway(GoAway(reason: .draining, reconnectAfterMilliseconds: 700))
        #expect(receive(&session, goAway).isEmpty)
        let answer = Acknowledgement(stream: 1, durable: 6, totals: SourceTotals(stored: 6), verdicts: [])
        let actions = receive(&session, .acknowledgement(answer))
        #expect(actions.suffix(2) == [.disconnect, .connect(afterMilliseconds: 700)])
    }

    @Test func errorsThatWillNotPassStopTheSession() throws {
        for code in ErrorCode.allCases {
            var session = try streaming()
            let message = ErrorMessage(code: code, detail: "x")
            let actions = receive(&session, .error(message))
            let isPermanent = [.version, .authentication, .protocolViolation, .frameTooBig].contains(code)
            #expect(actions.contains(.failed(message)) == isPermanent)
            #expect(session.disconnected(now: Self.now).isEmpty == isPermanent)
        }
    }

    @Test func reconnectsWaitLongerUpToTheMaximum() {
        var session = session()
        var last: UInt64 = 0
        for attempt in 0..<20 {
            guard case .connect(let delay) = session.disconnected(now: Self.now).first else {
                Issue.record("no connect")
                return
            }
            if attempt < 8 { #expect(delay > last) }
            #expect(delay <= 30_000)
            last = delay
        }
    }

    @Test func finishClosesWhenAllIsSettled() throws {
        var session = try streaming()
        #expect(session.finish(final: true, now: Self.now).isEmpty)
        let answer = Acknowledgement(stream: 1, durable: 6, totals: SourceTotals(stored: 6), verdicts: [])
        let actions = receive(&session, .acknowledgement(answer))
        #expect(try sent(actions) == [.close(Close(stream: 1, acked: 6, final: true))])
        #expect(actions.suffix(2) == [.disconnect, .finished])
    }

    @Test func anAdminSessionSendsWhenItMayAndHandsOutReplies() throws {
        var admin = AdminSession(token: "t", now: Self.now)
        #expect(admin.request(verb: "status", argument: "{}").1.isEmpty)
        _ = admin.connected(now: Self.now)
        let answer = HelloAcknowledgement(
            role: .admin, project: "", limits: ConnectionLimits(), clockMicros: 1, features: 0)
        let request = AdminRequest(number: 1, verb: "status", argument: "{}")
        let reply = AdminReply(number: 1, status: .done, result: "{}")
        let bytes = Preamble.ours.encoded() + answer.encoded() + reply.encoded()
        #expect(admin.receive(bytes.rawSpan, now: Self.now) == [.send(request.encoded()), .replied(reply)])
        let error = ErrorMessage(code: .authentication, detail: "no")
        #expect(admin.receive(error.encoded().rawSpan, now: Self.now) == [.failed(error)])
    }
}
