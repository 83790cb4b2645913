import Bytes
import Events
import Files
import Glibc
import Synchronization
import TestSupport
import Testing
import WAL
import Wire

@testable import Collector

@Suite struct GroupCommitterTests {
    let fixture = CommitterFixture()
    let source = SourceID(bytes: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])!

    private func open(_ committer: GroupCommitter, acked: UInt64 = 0, connection: UInt64 = 1) throws -> Opened? {
        let open = Open(
            stream: 1, project: "default", source: source, kind: .live, acked: acked, lineageLastSeen: nil)
        let answers = try committer.take(.open(connection: connection, open, tokenName: "t"))
        return answers.compactMap { if case .opened(_, let opened) = $0 { opened } else { nil } }.last
    }

    private func send(
        _ committer: GroupCommitter, _ base: UInt64, count: Int = 2, _ bytes: [UInt8]? = nil, connection: UInt64 = 1
    ) throws -> [LedgerAnswer] {
        let bytes = try bytes ?? TestBatch.bytes(base, count: count)
        let frame = TestBatch.frame(base, count: count, bytes)
        return try committer.take(.batch(connection: connection, TestBatch.checked(frame)))
    }

    private func durable(_ answers: [LedgerAnswer]) -> [UInt64] {
        answers.compactMap { if case .acknowledged(_, let message) = $0 { message.durable } else { nil } }
    }

    private func verdicts(_ answers: [LedgerAnswer]) -> [Verdict] {
        answers.flatMap { if case .acknowledged(_, let message) = $0 { message.verdicts } else { [Verdict]() } }
    }

    @Test func whatIsAcceptedIsAcknowledgedWhenItsGroupIsDurable() throws {
        let committer = try fixture.open()
        _ = try open(committer)
        #expect(try send(committer, 1).isEmpty)
        #expect(try send(committer, 3).isEmpty)
        #expect(try fixture.entries().isEmpty)
        #expect(durable(try committer.commit()) == [4])
        let entries = try fixture.entries()
        #expect(entries.filter { $0.count > 0 }.map(\.base) == [1, 3])
        try CommitterFixture.checkIdentity(entries)
        #expect(try committer.commit().isEmpty)
    }

    @Test func aResendInFlightIsAnsweredOnceWithItsGroup() throws {
        let committer = try fixture.open()
        _ = try open(committer)
        _ = try send(committer, 1)
        #expect(try send(committer, 1).isEmpty)
        #expect(durable(try committer.commit()) == [2])
        #expect(durable(try send(committer, 1)) == [2])
        #expect(try fixture.entries().count { $0.count > 0 } == 1)
    }

    @Test func aResendAfterARestartIsAcknowledgedAndStoredOnce() throws {
        do {
            let committer = try fixture.open()
            _ = try open(committer)
            _ = try send(committer, 1)
            _ = try committer.commit()
        }
        for _ in 0..<3 {
            let committer = try fixture.open()
            let opened = try open(committer)
            #expect(opened?.durable == 2 && opened?.fingerprints.count == 1)
            #expect(durable(try send(committer, 1)) == [2])
        }
        #expect(try fixture.entries().count { $0.count > 0 } == 1)
    }

    @Test func aRejectedBatchKeepsItsVerdictAcrossRestartsAndSegments() throws {
        let expected = [Verdict(sequence: 3, count: 2, code: .malformed)]
        do {
            let committer = try fixture.open()
            _ = try open(committer)
            _ = try send(committer, 1)
            _ = try send(committer, 3, [1, 2, 3])
            #expect(verdicts(try committer.commit()) == expected)
        }
        do {
            let committer = try fixture.open()
            _ = try open(committer)
            #expect(verdicts(try send(committer, 3, [1, 2, 3])) == expected)
            _ = try committer.take(.rotate(then: { _ in }))
            try committer.seal()
        }
        let committer = try fixture.open()
        let opened = try open(committer)
        #expect(opened?.totals == Totals(stored: 2, rejected: 2))
        #expect(verdicts(try send(committer, 3, [1, 2, 3])) == expected)
        try CommitterFixture.checkIdentity(try fixture.entries())
    }

    /// A sender that says milliseconds for microseconds: every event is refused, by one verdict.
    @Test func aBatchOfRefusedEventsIsOneVerdictAlsoAfterARestart() throws {
        var encoder = BatchEncoder(codec: .raw)
        let bytes = try encoder.encode((0..<500).map { Event(type: "tick", timestampMicros: 1_700_000_000 + $0) })
        let expected = [Verdict(sequence: 1, count: 500, code: .future)]
        do {
            let committer = try fixture.open()
            _ = try open(committer)
            _ = try send(committer, 1, count: 500, bytes)
            #expect(verdicts(try committer.commit()) == expected)
        }
        for _ in 0..<2 {
            let committer = try fixture.open()
            _ = try open(committer)
            #expect(verdicts(try send(committer, 1, count: 500, bytes)) == expected)
            _ = try committer.take(.rotate(then: { _ in }))
        }
    }

    @Test func skipsAreWrittenAndCounted() throws {
        let committer = try fixture.open()
        _ = try open(committer)
        _ = try send(committer, 1)
        let skip = Skip(stream: 1, base: 3, count: 1000, reason: .droppedBySender, rewinds: false)
        #expect(try committer.take(.skip(connection: 1, skip)).isEmpty)
        _ = try send(committer, 1003)
        #expect(durable(try committer.commit()) == [1004])
        let entries = try fixture.entries()
        try CommitterFixture.checkIdentity(entries)
        #expect(entries.last { $0.count > 0 }?.totals == SourceTotals(skipped: 1000, stored: 4))
    }

    @Test func aClockThatJumpsBackDoesNotTurnTheLogsTimeBack() throws {
        let times = Mutex<[Int64]>([50, 40, 30, 20, 10])
        let clock: () -> Int64 = { times.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] } }
        let committer = try fixture.open(clock: clock)
        _ = try open(committer)
        for base in [1, 3, 5] as [UInt64] {
            _ = try send(committer, base)
            #expect(durable(try committer.commit()) == [base + 1])
        }
        _ = try committer.take(.rotate(then: { _ in }))
        let reader = LogReader(folder: fixture.logFolder, disk: .posix)
        let mark = try #require(try reader.refresh())
        var commitTimes: [Int64] = []
        try reader.forEachRecord(after: reader.firstAvailable - 1, through: mark.sequence) {
            commitTimes.append($0.commitMicros)
        }
        #expect(commitTimes.count == 3 && commitTimes == commitTimes.sorted())
        #expect(mark.commitMicros == commitTimes.last)
    }

    @Test func aSourceThatBeginsAboveOneIsMarkedForRecheck() throws {
        let committer = try fixture.open()
        _ = try open(committer)
        _ = try send(committer, 101)
        _ = try committer.commit()
        let batch = try fixture.entries().first { $0.count > 0 }
        #expect(batch?.flags == .recheck && batch?.totals == SourceTotals(unknownBefore: 100, stored: 2))
    }

    @Test func freeingNeverTakesTheSegmentThatTheMarkNames() throws {
        let committer = try fixture.open()
        _ = try open(committer)
        _ = try send(committer, 1)
        _ = try committer.commit()
        _ = try committer.take(.rotate(then: { _ in }))
        _ = try committer.take(.free(published: ["default": .max]))
        _ = try committer.take(.free(published: ["default": .max]))
        _ = try send(committer, 3)
        #expect(durable(try committer.commit()) == [4])
        try committer.seal()
        let again = try fixture.open()
        #expect(try open(again)?.durable == 4)
    }

    /// The failed record is nowhere, so its project must not keep the segment that did not get it.
    @Test func aRecordThatFailedDoesNotKeepItsSegment() throws {
        let isBroken = Switch()
        let disk = Disk { operation, _ in
            guard operation == .synchronize || operation == .synchronizeFolder else { return nil }
            return isBroken.isOn ? .fail(EIO) : .skip
        }
        let committer = try fixture.open(disk)
        _ = try open(committer)
        _ = try send(committer, 1)
        _ = try committer.commit()
        let other = Open(
            stream: 1, project: "other", source: source, kind: .live, acked: 0, lineageLastSeen: nil)
        _ = try committer.take(.open(connection: 2, other, tokenName: "t"))
        isBroken.isOn = true
        _ = try send(committer, 1, connection: 2)
        #expect(durable(try committer.commit()).isEmpty)
        isBroken.isOn = false
        _ = try send(committer, 3)
        _ = try committer.commit()
        _ = try committer.take(.free(published: ["default": 1]))
        let left = try Disk.posix.list(fixture.logFolder).filter { $0.hasSuffix(".wal") }
        #expect(left.count == 1, "\(left)")
    }

    /// A compaction while the disk is full must not end the daemon: senders wait, and what is durable stays readable.
    @Test func aFullDiskAtRotationIsSurvived() throws {
        let isFull = Switch()
        let disk = Disk { operation, _ in
            if operation == .allocate && isFull.isOn { return .fail(ENOSPC) }
            return operation == .synchronize || operation == .synchronizeFolder ? .skip : nil
        }
        let committer = try fixture.open(disk)
        _ = try open(committer)
        _ = try send(committer, 1)
        _ = try committer.commit()
        isFull.isOn = true
        let rotated = Switch()
        _ = try committer.take(.rotate(then: { _ in rotated.isOn = true }))
        #expect(rotated.isOn)
        _ = try committer.take(.free(published: ["default": .max]))
        _ = try send(committer, 3)
        let refusals = try committer.commit().compactMap { answer in
            if case .refused(_, let refusal) = answer { refusal } else { nil }
        }
        #expect(refusals.map(\.code) == [.diskFull] && refusals.map(\.expected) == [3])
        #expect(try fixture.entries().filter { $0.count > 0 }.map(\.base) == [1])
        let left = try Disk.posix.list(fixture.logFolder).filter { $0.hasSuffix(".tmp") }
        #expect(left.isEmpty, "space is held by \(left)")
        isFull.isOn = false
        let frame = TestBatch.frame(3, count: 2, try TestBatch.bytes(3, count: 2), rewinds: true)
        _ = try committer.take(.batch(connection: 1, TestBatch.checked(frame)))
        #expect(durable(try committer.commit()) == [4])
    }

    /// The segment got its name, its folder was not synced; the next attempt gets as far as another sources file.
    @Test func aSegmentThatFailedBehindItsRenameDoesNotStopTheNextStart() throws {
        let isArmed = Switch()
        let isNamed = Switch()
        let isDead = Switch()
        let disk = Disk { operation, path in
            if isDead.isOn && path.hasSuffix(".wal.tmp") { return .fail(EIO) }
            if operation == .rename && path.hasSuffix(".wal") && isArmed.isOn { isNamed.isOn = true }
            guard operation == .synchronizeFolder || operation == .synchronize else { return nil }
            return operation == .synchronizeFolder && isNamed.isOn && !isDead.isOn ? .fail(EIO) : .skip
        }
        do {
            let committer = try fixture.open(disk)
            _ = try open(committer)
            _ = try send(committer, 1)
            _ = try committer.commit()
            isArmed.isOn = true
            _ = try committer.take(.rotate(then: { _ in }))
            isDead.isOn = true
            // What the sender has heard of is forgotten, so the sources are other bytes now.
            _ = try open(committer, acked: 2, connection: 2)
            _ = try send(committer, 3, connection: 2)
            _ = try committer.commit()
        }
        let committer = try fixture.open()
        #expect(try open(committer)?.durable == 2)
    }

    @Test func aMarkThatCannotBeWrittenMakesTheLogUnusable() throws {
        let isBroken = Switch()
        let disk = Disk { operation, path in
            if operation == .write && path.hasSuffix("durable.mark") && isBroken.isOn { return .fail(EIO) }
            return operation == .synchronize || operation == .synchronizeFolder ? .skip : nil
        }
        do {
            let committer = try fixture.open(disk)
            _ = try open(committer)
            _ = try send(committer, 1)
            isBroken.isOn = true
            #expect(throws: GroupCommitter.Unusable.self) { try committer.commit() }
        }
        let committer = try fixture.open()
        #expect(try open(committer)?.durable == 2)
    }

    /// A body of sixteen MiB that is a few KiB on the wire; what counts is what a reader makes of it.
    @Test func aGroupHoldsFewBatchesThatBecomeMuch() throws {
        let committer = try fixture.open(segmentBytes: 1 << 20)
        _ = try open(committer)
        var encoder = BatchEncoder(codec: .zstd(level: 1))
        var event = Event(type: "tick", timestampMicros: TestBatch.now)
        event.values = (0..<3).map { EventValue(.property, "v\($0)", .string(String(repeating: "x", count: 1 << 20))) }
        let bytes = try encoder.encode([event])
        #expect(bytes.count < 10_000)
        var answers: [LedgerAnswer] = []
        for base in 1...50 as ClosedRange<UInt64> { answers += try send(committer, base, count: 1, bytes) }
        #expect(durable(answers) == [21, 42])
        #expect(durable(try committer.commit()) == [50])
    }

    /// Refused batches have no body, so only their number bounds the record.
    @Test func aFloodOfRejectedBatchesAndSkipsFitsTheLimitsOfARecord() throws {
        let committer = try fixture.open(segmentBytes: 1 << 20)
        var answered = 0
        for connection in 1...700 as ClosedRange<UInt64> {
            var random = SeededRandom(seed: connection)
            let open = Open(
                stream: 1, project: "default", source: .random(using: &random), kind: .live, acked: 0,
                lineageLastSeen: nil)
            _ = try committer.take(.open(connection: connection, open, tokenName: "t"))
            for base in 1...100 as ClosedRange<UInt64> {
                answered += try send(committer, base, count: 1, [0], connection: connection).count
            }
        }
        #expect(answered > 0, "a group closes when it has many entries")
        _ = try committer.commit()
        #expect(try fixture.entries().count { $0.count > 0 } == 70_000)
    }
}
