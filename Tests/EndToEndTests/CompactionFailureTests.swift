import Files
import Foundation
import TestSupport
import Testing
import Wire

@Suite struct CompactionFailureTests {
    /// The table cannot be written, and the log has more than `compact_bytes`: tried again, but not all the time.
    @Test func aCompactionThatKeepsFailingNeitherSpinsNorStopsIngest() throws {
        let collector = CollectorProcess(settings: ["compact_bytes: 1 MiB"])
        try collector.start()
        let events = collector.data + "/default/events"
        try Disk.posix.replace(events, with: Array("in the way".utf8))
        let client = try FrameClient(.unix(path: collector.socketPath))
        _ = client.hello(token: try collector.token())
        var random = SeededRandom(seed: 1)
        _ = client.open(.random(using: &random))
        var base: UInt64 = 1
        func send(_ count: Int) throws {
            for _ in 0..<count {
                let filler = (0..<2000).map { _ in "\(random.next())" }.joined()
                let bytes = try EventBatch.bytes("u\(base)", filler: filler)
                client.socket.send(EventBatch.frame(base, count: 1, bytes).encoded())
                guard case .acknowledgement(let answer) = client.next() else {
                    throw CollectorProcess.Failure(description: "no ACK: \(collector.log())")
                }
                #expect(answer.durable == base)
                base += 1
            }
        }
        func failures() -> Int { collector.log().split(separator: "\n").count { $0.contains("compaction failed") } }
        try send(100)
        #expect(waitUntil(withinMillis: 10_000) { failures() > 0 })
        Thread.sleep(forTimeInterval: 3)
        #expect(failures() <= 4, "\(failures()) attempts in three seconds")
        try send(3)
        let refused = try collector.admin("publish")
        #expect(refused.status == .failed)
        try Disk.posix.unlink(events)
        #expect(try collector.admin("publish").status == .done)
        let stored = try StoredEvents(data: collector.data)
        #expect(stored.rowCount == 103 && stored.tailRowCount == 0)
    }

    /// Whatever was in the log when the daemon stopped is compacted when it is due, also if nothing new comes.
    @Test func whatIsLeftFromBeforeARestartIsCompacted() throws {
        let collector = CollectorProcess(settings: ["compact_bytes: 1 GiB"])
        try collector.start()
        let sender = Sender("a", token: try collector.token(), seed: 3, eventsMax: 100, pause: .zero) {
            .unix(path: collector.socketPath)
        }
        sender.start()
        #expect(waitUntil(withinMillis: 10_000) { sender.progress.hasFinished })
        #expect(try collector.stop().code == 0)
        let again = CollectorProcess()
        try Disk.posix.replace(
            again.folder("due.yaml"), with: Array("collector:\n  compact_interval: 1s\n  segment_bytes: 1 MiB\n".utf8))
        try again.launch([
            "--config", again.folder("due.yaml"), "--data", collector.data, "--listen", "127.0.0.1:0", "--http",
            "127.0.0.1:0",
        ])
        try again.waitUntilReady()
        #expect(waitUntil(withinMillis: 10_000) { again.log().contains("compacted") }, "\(again.log())")
        let stored = try StoredEvents(data: collector.data)
        #expect(stored.rowCount == 100 && stored.tailRowCount == 0)
    }
}
