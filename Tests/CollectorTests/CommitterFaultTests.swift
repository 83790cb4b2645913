import Files
import Glibc
import TestSupport
import Testing
import WAL
import Wire

@testable import Collector

/// Every disk operation of a short life of the committer fails once, in each way, while senders resend what is refused.
@Suite struct CommitterFaultTests {
    enum Way: String, CaseIterable, CustomTestStringConvertible {
        case error, full, short, crash
        var kind: FaultyDisk.Kind {
            switch self {
            case .error: .error(EIO)
            case .full: .error(ENOSPC)
            case .short: .shortWrite(20)
            case .crash: .crash
            }
        }
        var testDescription: String { rawValue }
    }

    @Test(arguments: Way.allCases) func nothingAcknowledgedIsLostAndNothingIsDoubled(way: Way) throws {
        let fresh = try (1...2).map { try TestSender(connection: $0, batchCount: 6, padding: 12_000) }
        for ordinal in 0... {
            let fixture = CommitterFixture()
            let faulty = FaultyDisk(failing: ordinal, kind: way.kind)
            var senders = fresh
            do {
                try live(fixture, faulty.disk, &senders)
                try live(fixture, .unsynchronized, &senders)
                try judge(fixture, senders)
            } catch {
                Issue.record("ordinal \(ordinal): \(error)")
            }
            if !faulty.didFail { return }
        }
    }

    /// One start of the daemon: until all is acknowledged, the log is unusable, or nothing moves any more.
    private func live(_ fixture: CommitterFixture, _ disk: Disk, _ senders: inout [TestSender]) throws {
        for index in senders.indices { senders[index].disconnect() }
        let committer: GroupCommitter
        do { committer = try fixture.open(disk) } catch {
            // A start that fails is repeated by whoever runs the daemon.
            return
        }
        do {
            for round in 0..<24 {
                for index in senders.indices { try senders[index].step(committer) }
                var answers = round == 4 ? try committer.take(.rotate(then: { _ in })) : []
                answers += try committer.commit()
                for index in senders.indices { try senders[index].hear(answers) }
                if senders.allSatisfy(\.isDone) { break }
            }
            try committer.seal()
        } catch is GroupCommitter.Unusable {
            return
        } catch is WALError {
            // Only the footer is missing.
        }
    }

    private func judge(_ fixture: CommitterFixture, _ senders: [TestSender]) throws {
        let entries = try fixture.entries()
        try CommitterFixture.checkIdentity(entries)
        for sender in senders {
            let stored = entries.filter { $0.source == sender.source && $0.count > 0 }.map(\.base)
            guard sender.isDone else {
                throw CommitterFixture.Broken(reason: "stopped at \(sender.acked) of \(stored)")
            }
            guard stored == sender.items.map(\.base) else { throw CommitterFixture.Broken(reason: "stored: \(stored)") }
        }
    }
}
