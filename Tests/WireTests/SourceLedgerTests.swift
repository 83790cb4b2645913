import Bytes
import Testing

@testable import Wire

@Suite struct SourceLedgerTests {
    private static let lineage = [UInt8](repeating: 1, count: 16)
    private static let source = SourceID(bytes: [UInt8](repeating: 9, count: 10))

    /// A ledger and one stream of one source on connection 1.
    private struct Scene {
        var ledger = SourceLedger(lineage: SourceLedgerTests.lineage)
        var answers: [LedgerAnswer] = []
        let key: SourceKey

        init() throws {
            key = SourceKey(project: "shop", source: try #require(SourceLedgerTests.source))
            open(1, stream: 1)
        }

        mutating func open(_ connection: UInt64, stream: UInt32, acked: UInt64 = 0, token: String = "web") {
            let open = Open(
                stream: stream, project: key.project, source: key.source, kind: .live, acked: acked,
                lineageLastSeen: nil)
            answers += ledger.open(open, connection: connection, tokenName: token)
        }

        mutating func batch(
            _ base: UInt64, _ count: UInt32, fingerprint: UInt64 = 5, rewinds: Bool = false, connection: UInt64 = 1
        ) -> Judgement {
            ledger.judgeBatch(
                StreamKey(connection: connection, stream: 1), base: base, count: count, fingerprint: fingerprint,
                rewinds: rewinds)
        }

        mutating func group() throws -> UInt64 {
            let sealed = ledger.sealGroup()
            return try #require(sealed).number
        }

        mutating func store(_ base: UInt64, _ count: UInt32, fingerprint: UInt64 = 5) throws {
            #expect(batch(base, count, fingerprint: fingerprint) == .accepted)
            answers += ledger.groupDurable(try group())
        }
    }

    private func nack(
        _ code: NackCode, _ expected: UInt64, _ retry: RetryRule, after: UInt64 = 0, connection: UInt64 = 1,
        detail: String = ""
    ) -> LedgerAnswer {
        .refused(connection: connection, NegativeAcknowledgement(
            stream: 1, expected: expected, code: code, retry: retry, afterMilliseconds: after, detail: detail))
    }

    private func ack(_ durable: UInt64, _ totals: SourceTotals, _ verdicts: [Verdict] = []) -> LedgerAnswer {
        .acknowledged(
            connection: 1, Acknowledgement(stream: 1, durable: durable, totals: totals, verdicts: verdicts))
    }

    @Test func aBatchIsAcknowledgedOnlyWhenItsGroupIsDurable() throws {
        var scene = try Scene()
        scene.answers = []
        #expect(scene.batch(1, 3) == .accepted)
        let group = try scene.group()
        #expect(scene.answers.isEmpty)
        #expect(scene.ledger.groupDurable(group) == [ack(3, SourceTotals(stored: 3))])
    }

    @Test func aSourceNeverSeenMayBeginAnywhere() throws {
        var scene = try Scene()
        #expect(scene.batch(11, 2) == .accepted)
        #expect(scene.ledger.groupDurable(try scene.group()) == [ack(12, SourceTotals(unknownBefore: 10, stored: 2))])
    }

    @Test func aResendIsRecognisedInFlightAndWhenDurableWithItsVerdicts() throws {
        var scene = try Scene()
        let verdict = Verdict(sequence: 2, count: 1, code: .expired)
        #expect(scene.batch(1, 3) == .accepted)
        scene.ledger.exclude(StreamKey(connection: 1, stream: 1), verdicts: [verdict], quarantinedCount: 1)
        #expect(scene.batch(1, 3) == .answered([]))
        let answer = ack(3, SourceTotals(stored: 1, rejected: 1, quarantined: 1), [verdict])
        #expect(scene.ledger.groupDurable(try scene.group()) == [answer])
        #expect(scene.batch(1, 3) == .answered([answer]))
    }

    @Test(arguments: [(UInt64(1), UInt32(3), UInt64(6)), (1, 2, 5), (2, 2, 5), (3, 4, 5)])
    func anyOtherOverlapClosesTheStream(base: UInt64, count: UInt32, fingerprint: UInt64) throws {
        for isDurable in [false, true] {
            var scene = try Scene()
            #expect(scene.batch(1, 3) == .accepted)
            if isDurable { _ = scene.ledger.groupDurable(try scene.group()) }
            let judgement = scene.batch(base, count, fingerprint: fingerprint)
            #expect(judgement == .answered([nack(.sequenceConflict, 4, .newSource)]))
            #expect(scene.batch(4, 1) == .answered([]))
        }
    }

    @Test func afterAGapEverythingIsDiscardedUntilTheRewind() throws {
        var scene = try Scene()
        try scene.store(1, 3)
        #expect(scene.batch(6, 1) == .answered([nack(.sequenceGap, 4, .now)]))
        #expect(scene.batch(4, 1) == .answered([]))
        #expect(scene.batch(5, 1, rewinds: true) == .answered([]))
        #expect(scene.batch(4, 1, rewinds: true) == .accepted)
        #expect(scene.batch(5, 1) == .accepted)
    }

    @Test func aSkipIsJudgedLikeABatch() throws {
        var scene = try Scene()
        try scene.store(1, 3)
        let skip = Skip(stream: 1, base: 4, count: 6, reason: .droppedBySender, rewinds: false)
        #expect(scene.ledger.judgeSkip(skip, connection: 1) == .accepted)
        #expect(scene.ledger.groupDurable(try scene.group()) == [ack(9, SourceTotals(skipped: 6, stored: 3))])
        let again = scene.ledger.judgeSkip(skip, connection: 1)
        #expect(again == .answered([ack(9, SourceTotals(skipped: 6, stored: 3))]), "and so is its resend")
    }

    @Test func aFailedGroupUndoesItselfAndEverythingAfterIt() throws {
        var scene = try Scene()
        try scene.store(1, 3)
        #expect(scene.batch(4, 1) == .accepted)
        let failing = try scene.group()
        #expect(scene.batch(5, 2) == .accepted)
        _ = try scene.group()
        #expect(scene.batch(7, 1) == .accepted)
        let answers = scene.ledger.groupFailed(failing, .storage, afterMilliseconds: 9)
        #expect(answers == [nack(.storage, 4, .after, after: 9)])
        #expect(scene.ledger.sealGroup() == nil)
        #expect(scene.batch(7, 1) == .answered([]))
        #expect(scene.batch(4, 1, fingerprint: 77, rewinds: true) == .accepted)
        #expect(scene.ledger.groupDurable(try scene.group()) == [ack(4, SourceTotals(stored: 4))])
    }

    @Test func theFirstBatchOfASourceThatFailsIsExpectedAgainAtItsBase() throws {
        var scene = try Scene()
        #expect(scene.batch(11, 2) == .accepted)
        let answers = scene.ledger.groupFailed(try scene.group(), .diskFull, afterMilliseconds: 9)
        #expect(answers == [nack(.diskFull, 11, .after, after: 9)])
        #expect(scene.batch(11, 2, rewinds: true) == .accepted)
        #expect(scene.ledger.groupDurable(try scene.group()) == [ack(12, SourceTotals(unknownBefore: 10, stored: 2))])
    }

    @Test func openedWaitsForWhatWasAcceptedBeforeAndListsIt() throws {
        var scene = try Scene()
        try scene.store(1, 3)
        #expect(scene.batch(4, 2, fingerprint: 8) == .accepted)
        let group = try scene.group()
        scene.answers = []
        scene.open(2, stream: 1, acked: 3)
        #expect(scene.answers == [nack(.fenced, 6, .newSource)])
        let opened = Opened(
            stream: 1, durable: 5, lineage: Self.lineage, totals: SourceTotals(stored: 5),
            fingerprints: [BatchFingerprint(base: 4, count: 2, fingerprint: 8)])
        #expect(scene.ledger.groupDurable(group) == [.opened(connection: 2, opened)])
        #expect(scene.batch(6, 1) == .answered([]), "the older stream is fenced")
        #expect(scene.batch(6, 1, connection: 2) == .accepted)
    }

    @Test func anotherTokenMayNotUseTheSource() throws {
        var scene = try Scene()
        scene.answers = []
        scene.open(2, stream: 1, token: "other")
        #expect(scene.answers == [
            nack(.notAllowed, 0, .newSource, connection: 2, detail: "source of another token")
        ])
        #expect(scene.batch(1, 1) == .accepted, "the first stream lives on")
    }

    @Test func aStreamHasAtMost256UnackedBatches() throws {
        var scene = try Scene()
        for base in UInt64(1)...256 { #expect(scene.batch(base, 1) == .accepted) }
        let refusal = nack(.unackedLimit, 257, .after, after: SourceLedger.retryMilliseconds)
        #expect(scene.batch(257, 1) == .answered([refusal]))
    }

    @Test func theShellCanRefuse() throws {
        var scene = try Scene()
        var refusal = ServerConnection.Refusal(
            stream: 1, base: 6, rewinds: false, code: .rate, afterMilliseconds: 70)
        let answer = nack(.rate, 6, .after, after: 70)
        #expect(scene.ledger.refuse(refusal, connection: 1) == [answer])
        #expect(scene.ledger.refuse(refusal, connection: 1).isEmpty)
        refusal.rewinds = true
        #expect(scene.ledger.refuse(refusal, connection: 1) == [answer], "a refused rewind is answered")
        #expect(scene.batch(6, 1, rewinds: true) == .accepted)
    }

    @Test func theLogOrASnapshotRestoresTheSameLedger() throws {
        var scene = try Scene()
        var updates: [SourceUpdate] = []
        for base in UInt64(1)...300 {
            #expect(scene.batch(base, 1, fingerprint: base) == .accepted)
            let sealed = scene.ledger.sealGroup()
            let group = try #require(sealed)
            updates += group.updates
            _ = scene.ledger.groupDurable(group.number)
        }
        #expect(updates[0].tokenName == "web" && updates[1].tokenName == nil)
        var fromLog = SourceLedger(lineage: Self.lineage)
        for update in updates { fromLog.restore(update) }
        var fromBoth = SourceLedger(lineage: Self.lineage)
        for update in scene.ledger.snapshot() + updates { fromBoth.restore(update) }
        #expect(scene.ledger.snapshot()[0].batches.count == 256)
        #expect(fromLog.snapshot() == scene.ledger.snapshot())
        #expect(fromBoth.snapshot() == scene.ledger.snapshot())
    }

    @Test func aRetiredSourceKeepsItsWatermarkUntilItExpires() throws {
        var scene = try Scene()
        try scene.store(1, 3)
        scene.ledger.expire(scene.key)
        #expect(scene.ledger.snapshot().count == 1, "it is in use")
        scene.ledger.close(Close(stream: 1, acked: 0, final: true), connection: 1)
        let kept = SourceUpdate(key: scene.key, tokenName: "web", totals: SourceTotals(stored: 3), batches: [])
        #expect(scene.ledger.snapshot() == [kept])
        scene.ledger.expire(scene.key)
        #expect(scene.ledger.snapshot().isEmpty)
    }

    @Test func closeAndOpenForgetWhatTheSenderHasHeardOf() throws {
        var scene = try Scene()
        try scene.store(1, 3, fingerprint: 1)
        try scene.store(4, 3, fingerprint: 2)
        scene.ledger.close(Close(stream: 1, acked: 3, final: false), connection: 1)
        #expect(scene.ledger.snapshot()[0].batches.map(\.batch.base) == [4])
        scene.open(2, stream: 1, acked: 6)
        #expect(scene.ledger.snapshot()[0].batches.isEmpty)
    }
}
