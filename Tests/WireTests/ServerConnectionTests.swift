import Bytes
import Testing

@testable import Wire

@Suite struct ServerConnectionTests {
    private static func moment(_ milliseconds: Int64) -> Moment {
        Moment(elapsedMicros: milliseconds * 1000, clockMicros: 1_000_000_000 + milliseconds * 1000)
    }

    private static let start = moment(0)
    private static let source = SourceID(bytes: [UInt8](repeating: 9, count: 10))

    private func hello(clockMicros: Int64 = 0) -> [UInt8] {
        Hello(token: "t", sdkName: "s", sdkVersion: "1", features: 0, clockMicros: clockMicros).encoded()
    }

    private func open(_ stream: UInt32, project: String = "shop") throws -> Open {
        Open(
            stream: stream, project: project, source: try #require(Self.source), kind: .live, acked: 0,
            lineageLastSeen: nil)
    }

    private func batch(_ base: UInt64, stream: UInt32 = 1, rewinds: Bool = false, offset: Int64 = 0) -> BatchFrame {
        BatchFrame(
            stream: stream, base: base, eventCount: 1, rewinds: rewinds, clockOffsetMicros: offset, batch: [1, 2, 3])
    }

    /// A connection after HELLO_ACK.
    private func running(
        _ grant: Grant = .ingest(project: "shop"), takesAdmin: Bool = false, clockMicros: Int64 = 0,
        change: (inout ServerConnection.Settings) -> Void = { _ in }
    ) -> ServerConnection {
        var settings = ServerConnection.Settings(takesAdmin: takesAdmin)
        change(&settings)
        var connection = ServerConnection(settings, now: Self.start)
        let bytes = Preamble.ours.encoded() + hello(clockMicros: clockMicros)
        _ = connection.receive(bytes.rawSpan, now: Self.start)
        _ = connection.authenticated(grant, now: Self.start)
        return connection
    }

    /// The same with stream 1 open.
    private func streaming(clockMicros: Int64 = 0, unackedBatchesMax: Int = 256) throws -> ServerConnection {
        var connection = running(clockMicros: clockMicros) { $0.limits.unackedBatchesMax = unackedBatchesMax }
        let open = try open(1)
        #expect(connection.receive(open.encoded().rawSpan, now: Self.start) == [.open(open)])
        let opened = Opened(
            stream: 1, durable: 0, lineage: [UInt8](repeating: 0, count: 16), totals: Totals(), fingerprints: [])
        #expect(connection.opened(opened) == [.send(opened.encoded())])
        return connection
    }

    private func receive(_ connection: inout ServerConnection, _ bytes: [UInt8]) -> [ServerConnection.Action] {
        connection.receive(bytes.rawSpan, now: Self.start)
    }

    /// The ERROR code the actions send before they close.
    private func errorCode(_ actions: [ServerConnection.Action]) throws -> ErrorCode? {
        guard case .close = actions.last, case .send(let bytes) = actions.dropLast().last else { return nil }
        guard case .error(let message) = try decodeAll(bytes, pieceBytes: .max).first else { return nil }
        return message.code
    }

    @Test func aTokenIsAskedForAfterPreambleAndHelloInAnyPieces() {
        var connection = ServerConnection(ServerConnection.Settings(takesAdmin: false), now: Self.start)
        var actions: [ServerConnection.Action] = []
        for byte in Preamble.ours.encoded() + hello() { actions += receive(&connection, [byte]) }
        let expected = Hello(token: "t", sdkName: "s", sdkVersion: "1", features: 0, clockMicros: 0)
        #expect(actions == [.send(Preamble.ours.encoded()), .authenticate(expected)])
    }

    @Test func whatIsNoPreambleIsClosedWithoutAWord() {
        var connection = ServerConnection(ServerConnection.Settings(takesAdmin: false), now: Self.start)
        #expect(receive(&connection, Array("G".utf8)) == [.close(.magic)])
        #expect(receive(&connection, Array("ET /".utf8)).isEmpty)
    }

    @Test func helloHasFiveSeconds() throws {
        var connection = ServerConnection(ServerConnection.Settings(takesAdmin: false), now: Self.start)
        _ = receive(&connection, Preamble.ours.encoded())
        #expect(connection.tick(now: Self.moment(4999)).isEmpty)
        #expect(try errorCode(connection.tick(now: Self.moment(5000))) == .timeout)
    }

    @Test func beforeHelloAckFramesAreSmallAndNothingButHelloIsTaken() throws {
        var connection = ServerConnection(ServerConnection.Settings(takesAdmin: false), now: Self.start)
        _ = receive(&connection, Preamble.ours.encoded())
        let big = BatchFrame(
            stream: 1, base: 1, eventCount: 1, rewinds: false, clockOffsetMicros: 0,
            batch: [UInt8](repeating: 0, count: 5000))
        #expect(try errorCode(receive(&connection, Array(big.encoded()[0..<32]))) == .frameTooBig)
        var eager = ServerConnection(ServerConnection.Settings(takesAdmin: false), now: Self.start)
        let bytes = Preamble.ours.encoded() + hello() + (try open(1)).encoded()
        #expect(try errorCode(receive(&eager, bytes)) == .protocolViolation)
    }

    @Test func aBadTokenEndsTheConnection() throws {
        var connection = ServerConnection(ServerConnection.Settings(takesAdmin: false), now: Self.start)
        _ = receive(&connection, Preamble.ours.encoded() + hello())
        #expect(try errorCode(connection.authenticationFailed(detail: "unknown token")) == .authentication)
    }

    @Test func everyRoleOpensOnlyItsProjects() throws {
        let cases: [(Grant, String, Bool)] = [
            (.ingest(project: "shop"), "shop", true), (.ingest(project: "shop"), "blog", false),
            (.relay(projects: ["shop", "blog"]), "blog", true), (.relay(projects: ["shop"]), "blog", false),
            (.admin, "shop", false),
        ]
        for (grant, project, isAllowed) in cases {
            var connection = running(grant)
            let open = try open(1, project: project)
            let actions = receive(&connection, open.encoded())
            let refusal = NegativeAcknowledgement(
                stream: 1, expected: 0, code: .notAllowed, retry: .after, afterMilliseconds: 60_000)
            #expect(actions == [isAllowed ? .open(open) : .send(refusal.encoded())])
        }
    }

    @Test func adminIsForAdminsOnTheUnixSocket() {
        let request = AdminRequest(number: 3, verb: "status", argument: "{}")
        for (grant, takesAdmin) in [(Grant.admin, true), (.admin, false), (.ingest(project: "shop"), true)] {
            var connection = running(grant, takesAdmin: takesAdmin)
            let refusal = AdminReply(number: 3, status: .failed, result: #"{"error":"not allowed"}"#)
            let isAllowed = grant == .admin && takesAdmin
            #expect(
                receive(&connection, request.encoded()) == [isAllowed ? .admin(request) : .send(refusal.encoded())])
        }
    }

    @Test func streamNumbersRise() throws {
        var connection = try streaming()
        _ = receive(&connection, Close(stream: 1, acked: 0, final: false).encoded())
        #expect(receive(&connection, batch(1).encoded()).isEmpty, "discarded: the stream was closed")
        let unknown = NegativeAcknowledgement(
            stream: 2, expected: 0, code: .streamUnknown, retry: .openAgain)
        #expect(receive(&connection, batch(1, stream: 2).encoded()) == [.send(unknown.encoded())])
        #expect(try errorCode(receive(&connection, (try open(1)).encoded())) == .protocolViolation)
    }

    @Test func aConnectionHasAtMostItsStreams() throws {
        var connection = running { $0.streamsMax = 2 }
        for stream in UInt32(1)...2 {
            #expect(receive(&connection, (try open(stream)).encoded()) == [.open(try open(stream))])
        }
        #expect(try errorCode(receive(&connection, (try open(3)).encoded())) == .protocolViolation)
    }

    @Test func batchesBeforeOpenedAreAnError() throws {
        var connection = running()
        _ = receive(&connection, (try open(1)).encoded())
        #expect(try errorCode(receive(&connection, batch(1).encoded())) == .protocolViolation)
    }

    @Test func unackedBatchesAreCountedAndRefusedOverTheLimit() throws {
        var connection = try streaming(unackedBatchesMax: 2)
        #expect(receive(&connection, batch(1).encoded()) == [.batch(batch(1))])
        #expect(receive(&connection, batch(2).encoded()) == [.batch(batch(2))])
        let refusal = ServerConnection.Action.refuse(ServerConnection.Refusal(
            stream: 1, base: 3, rewinds: false, code: .unackedLimit, afterMilliseconds: 100))
        #expect(receive(&connection, batch(3).encoded()) == [refusal])
        _ = connection.acknowledged(Acknowledgement(
            stream: 1, durable: 1, totals: Totals(stored: 1), verdicts: []))
        #expect(connection.unackedCount == 1)
        _ = connection.refused(NegativeAcknowledgement(stream: 1, expected: 2, code: .storage, retry: .now))
        #expect(connection.unackedCount == 0)
        #expect(receive(&connection, batch(4).encoded()) == [.batch(batch(4))])
        #expect(receive(&connection, batch(2, rewinds: true).encoded()) == [.batch(batch(2, rewinds: true))])
        #expect(connection.unackedCount == 1)
    }

    @Test func skipsShareTheUnackedLimit() throws {
        var connection = try streaming(unackedBatchesMax: 2)
        func skip(_ base: UInt64) -> Skip {
            Skip(stream: 1, base: base, count: 3, reason: .droppedBySender, rewinds: false)
        }
        #expect(receive(&connection, batch(1).encoded()) == [.batch(batch(1))])
        #expect(receive(&connection, skip(2).encoded()) == [.skip(skip(2))])
        #expect(connection.unackedCount == 2)
        let refusal = ServerConnection.Action.refuse(ServerConnection.Refusal(
            stream: 1, base: 5, rewinds: false, code: .unackedLimit, afterMilliseconds: 100))
        #expect(receive(&connection, skip(5).encoded()) == [refusal])
        #expect(receive(&connection, batch(5).encoded()) == [refusal])
        _ = connection.acknowledged(Acknowledgement(
            stream: 1, durable: 4, totals: Totals(skipped: 3, stored: 1), verdicts: []))
        #expect(receive(&connection, skip(5).encoded()) == [.skip(skip(5))])
    }

    @Test(arguments: [(Int64(2_000_000), Int64(0)), (2_000_001, 2_000_001), (-2_000_001, -2_000_001)])
    func aClockOffsetCountsOnlyBeyondTwoSeconds(behind: Int64, inForce: Int64) throws {
        var connection = try streaming(clockMicros: Self.start.clockMicros - behind)
        let expected = batch(1, offset: 7 + inForce)
        #expect(receive(&connection, batch(1, offset: 7).encoded()) == [.batch(expected)])
        let ping = Ping(number: 4, clockMicros: Self.start.clockMicros - behind - 1_000_000)
        let pong = Pong(number: 4, clockMicros: Self.start.clockMicros)
        #expect(receive(&connection, ping.encoded()) == [.send(pong.encoded())])
    }

    @Test func extremeClocksDoNotTrap() throws {
        for clock in [Int64.min, Int64.max] {
            var connection = try streaming(clockMicros: clock)
            for other in [Int64.max, Int64.min] {
                _ = receive(&connection, Ping(number: 0, clockMicros: other).encoded())
                _ = receive(&connection, batch(1, offset: other).encoded())
            }
        }
    }

    @Test func silenceIsAskedAboutOnceAndEndsTheConnectionAfterTwoPeriods() throws {
        var connection = running { $0.limits.keepaliveSeconds = 10 }
        #expect(connection.tick(now: Self.moment(9_999)).isEmpty)
        let now = Self.moment(10_000)
        #expect(connection.tick(now: now) == [.send(Ping(number: 0, clockMicros: now.clockMicros).encoded())])
        #expect(connection.tick(now: Self.moment(11_000)).isEmpty)
        #expect(try errorCode(connection.tick(now: Self.moment(20_000))) == .timeout)
    }

    @Test func aDrainedConnectionAnswersWhatItTookAndRefusesTheRest() throws {
        var connection = try streaming()
        _ = receive(&connection, batch(1).encoded())
        let goAway = GoAway(reason: .draining, reconnectAfterMilliseconds: 500)
        #expect(connection.drain(reconnectAfterMilliseconds: 500, now: Self.start) == [.send(goAway.encoded())])
        let refusal = ServerConnection.Action.refuse(ServerConnection.Refusal(
            stream: 1, base: 2, rewinds: false, code: .draining, afterMilliseconds: 100))
        #expect(receive(&connection, batch(2).encoded()) == [refusal])
        #expect(connection.tick(now: Self.moment(2000)).isEmpty, "one batch is not answered")
        let answer = Acknowledgement(stream: 1, durable: 1, totals: Totals(stored: 1), verdicts: [])
        #expect(connection.acknowledged(answer) == [.send(answer.encoded())])
        #expect(connection.tick(now: Self.moment(2000)) == [.close(nil)])
    }

    @Test func answersForAClosedStreamGoNowhere() throws {
        var connection = try streaming()
        let fenced = NegativeAcknowledgement(stream: 1, expected: 1, code: .fenced, retry: .newSource)
        #expect(connection.refused(fenced) == [.send(fenced.encoded())])
        #expect(connection.refused(fenced).isEmpty)
        let answer = Acknowledgement(stream: 1, durable: 1, totals: Totals(stored: 1), verdicts: [])
        #expect(connection.acknowledged(answer).isEmpty)
    }
}
