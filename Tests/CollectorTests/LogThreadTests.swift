import Bytes
import Foundation
import Synchronization
import TestSupport
import Testing
import WAL
import Wire

@testable import Collector

@Suite struct LogThreadTests {
    private final class Collected: Sendable {
        private let answers = Mutex<[LedgerAnswer]>([])
        func add(_ more: [LedgerAnswer]) { answers.withLock { $0 += more } }
        var all: [LedgerAnswer] { answers.withLock { $0 } }
        func waitUntil(_ condition: ([LedgerAnswer]) -> Bool) -> Bool {
            let deadline = ContinuousClock.now + .seconds(20)
            while ContinuousClock.now < deadline {
                if condition(all) { return true }
                Thread.sleep(forTimeInterval: 0.002)
            }
            return false
        }
    }

    private func start(_ fixture: CommitterFixture, _ collected: Collected) -> LogThread {
        let thread = LogThread()
        let (folder, metrics) = (fixture.logFolder, fixture.metrics)
        thread.start(
            make: {
                try GroupCommitter.open(
                    folder: folder, segmentBytes: 1 << 20, highestPublished: 0, disk: .unsynchronized,
                    clock: { 1_700_000_000_000_000 }, metrics: metrics
                ).0
            },
            opened: { failure in if let failure { Issue.record(failure) } }, answer: { collected.add($0) },
            failed: { Issue.record($0) })
        return thread
    }

    private func open(_ connection: UInt64) -> LogCommand {
        var random = SeededRandom(seed: connection)
        let open = Open(
            stream: 1, project: "default", source: .random(using: &random), kind: .live, acked: 0, lineageLastSeen: nil)
        return .open(connection: connection, open, tokenName: "t")
    }

    private func durable(_ answers: [LedgerAnswer], _ connection: UInt64) -> UInt64 {
        answers.reduce(0) { highest, answer in
            if case .acknowledged(connection, let message) = answer { max(highest, message.durable) } else { highest }
        }
    }

    /// A wake-up that is lost would leave a command without an answer for ever.
    @Test func everyCommandOfManySendersIsAnswered() throws {
        let fixture = CommitterFixture()
        let collected = Collected()
        let thread = start(fixture, collected)
        let bytes = try TestBatch.bytes(1, count: 1)
        let (senderCount, batchCount) = (8, 200)
        DispatchQueue.concurrentPerform(iterations: senderCount) { index in
            let connection = UInt64(index + 1)
            thread.send(open(connection))
            for base in 1...UInt64(batchCount) {
                let frame = TestBatch.frame(base, count: 1, bytes)
                thread.send(.batch(connection: connection, TestBatch.checked(frame)))
                // Lets the queue run empty again and again.
                if base % 20 == 0 { _ = collected.waitUntil { durable($0, connection) >= base } }
            }
        }
        for connection in 1...UInt64(senderCount) {
            #expect(collected.waitUntil { durable($0, connection) == UInt64(batchCount) })
        }
        #expect(thread.queuedBytes == 0)
        #expect(thread.stopAndWait() == nil)
        try CommitterFixture.checkIdentity(try fixture.entries())
    }

    @Test func stoppingCommitsAndAnswersAllThatWasQueued() throws {
        let fixture = CommitterFixture()
        let collected = Collected()
        let thread = start(fixture, collected)
        thread.send(open(1))
        for base in 1...100 as ClosedRange<UInt64> {
            let frame = TestBatch.frame(base, count: 1, try TestBatch.bytes(base, count: 1))
            thread.send(.batch(connection: 1, TestBatch.checked(frame)))
        }
        #expect(thread.stopAndWait() == nil)
        #expect(durable(collected.all, 1) == 100)
        #expect(try fixture.entries().count { $0.count > 0 } == 100)
        let (_, report) = try GroupCommitter.open(
            folder: fixture.logFolder, segmentBytes: 1 << 20, highestPublished: 0, disk: .unsynchronized, clock: { 1 },
            metrics: fixture.metrics)
        #expect(!report.wasUnclean)
    }

    @Test func aCommandWithoutABodyCountsAsMemoryToo() throws {
        let thread = LogThread()
        for connection in 0..<1000 as Range<UInt64> { thread.send(.disconnected(connection: connection)) }
        #expect(thread.queuedBytes >= 1000 * 64)
    }
}
