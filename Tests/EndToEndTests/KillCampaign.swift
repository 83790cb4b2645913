import Files
import Foundation
import TestSupport
import Wire

/// Senders stream, compactions run, and the daemon or its child is killed again and again at random moments.
struct KillCampaign {
    struct Summary: CustomStringConvertible {
        var seed: UInt64
        var kills = 0
        var childKills = 0
        var killsDuringCompaction = 0
        var killsWhileStarting = 0
        var produced = 0
        var rows = 0
        var recoveries = 0
        var connections = 0
        var faults: [String] = []

        var description: String {
            """
            seed \(seed): \(kills) kills of the daemon, \(killsDuringCompaction) of them during a compaction, \
            \(killsWhileStarting) while it started; \(childKills) of the compaction child alone; \
            \(recoveries) recoveries; \(connections) connections; \(produced) events \
            acknowledged, \(rows) stored; \(faults.isEmpty ? "no fault" : faults.joined(separator: "; "))
            """
        }
    }

    let seed: UInt64
    let kills: Int
    let secondsMax: Int
    var senderCount = 3
    /// So that a long campaign does not fill the disk.
    var eventsMax = 400_000

    func run() throws -> Summary {
        var summary = Summary(seed: seed)
        var random = SeededRandom(seed: seed)
        let collector = CollectorProcess()
        try collector.start()
        let token = try collector.token()
        let senders = (0..<senderCount).map { index in
            Sender("s\(index)", token: token, seed: seed &+ UInt64(index), eventsMax: eventsMax) {
                index % 2 == 0 ? .unix(path: collector.socketPath) : .tcp(port: collector.port)
            }
        }
        for sender in senders { sender.start() }
        let publisher = Publishing(collector)
        let deadline = ContinuousClock.now + .seconds(secondsMax)
        for _ in 0..<kills where ContinuousClock.now < deadline {
            Thread.sleep(forTimeInterval: Double.random(in: 0.02...0.5, using: &random))
            if random.chance(0.3) {
                summary.childKills += killChild(of: collector, &random) ? 1 : 0
                Thread.sleep(forTimeInterval: Double.random(in: 0...0.2, using: &random))
            }
            if collector.childProcessID != nil { summary.killsDuringCompaction += 1 }
            guard collector.isRunning else {
                summary.faults.append("the daemon ended by itself: \(collector.log())")
                break
            }
            collector.kill(SIGKILL)
            summary.kills += 1
            while random.chance(0.25) {
                try collector.launch()
                Thread.sleep(forTimeInterval: Double.random(in: 0...0.06, using: &random))
                collector.kill(SIGKILL)
                summary.killsWhileStarting += 1
            }
            try collector.start()
            if collector.log().contains("log recovered") { summary.recoveries += 1 }
        }
        publisher.stop()
        for sender in senders where !sender.finish() {
            let progress = sender.progress
            summary.faults.append("\(sender.name) did not finish: \(progress.acked.count) of \(progress.produced)")
        }
        do { try judge(collector, senders, &summary) } catch {
            summary.faults.append("\(error); running: \(collector.isRunning); its log: \(collector.log())")
        }
        return summary
    }

    /// Waits a little for a child, and kills it at a random moment.
    private func killChild(of collector: CollectorProcess, _ random: inout SeededRandom) -> Bool {
        guard waitUntil(withinMillis: 1000, { collector.childProcessID != nil }), let child = collector.childProcessID
        else { return false }
        Thread.sleep(forTimeInterval: Double.random(in: 0...0.15, using: &random))
        guard collector.childProcessID == child else { return false }
        return Glibc.kill(child, SIGKILL) == 0
    }

    private func judge(_ collector: CollectorProcess, _ senders: [Sender], _ summary: inout Summary) throws {
        try check(collector, senders, &summary, when: "before the last compaction")
        let reply = try collector.admin("publish")
        if reply.status != .done { summary.faults.append("publish: \(reply.result)") }
        try check(collector, senders, &summary, when: "after the last compaction")
        let stored = try StoredEvents(data: collector.data)
        if stored.tailRowCount != 0 { summary.faults.append("\(stored.tailRowCount) rows are not compacted") }
        for sender in senders { try checkLedger(collector, sender, stored, &summary) }
        let exit = try collector.stop()
        if exit != .init(code: 0, wasSignalled: false) { summary.faults.append("it ended with \(exit)") }
        let torn = try Disk.posix.list(collector.data + "/wal").filter { $0.hasSuffix(".tmp") }
        if !torn.isEmpty { summary.faults.append("left over: \(torn)") }
        summary.produced = senders.reduce(0) { $0 + $1.progress.acked.count }
        summary.connections = senders.reduce(0) { $0 + $1.progress.connections }
        summary.rows = stored.rowCount
    }

    private func check(
        _ collector: CollectorProcess, _ senders: [Sender], _ summary: inout Summary, when: String
    ) throws {
        let stored = try StoredEvents(data: collector.data)
        var faults = senders.flatMap { stored.faults($0) }
        if stored.repeatedRows > 0 { faults.append("\(stored.repeatedRows) rows have the same source and sequence") }
        summary.faults += faults.map { "\(when): \($0)" }
    }

    /// The totals that the collector tells are those of the rows that are there.
    private func checkLedger(
        _ collector: CollectorProcess, _ sender: Sender, _ stored: StoredEvents, _ summary: inout Summary
    ) throws {
        let client = try FrameClient(.unix(path: collector.socketPath))
        guard case .helloAcknowledgement = client.hello(token: try collector.token()) else {
            summary.faults.append("\(sender.name): no HELLO_ACK")
            return
        }
        for (index, source) in sender.progress.sources.enumerated() {
            guard case .opened(let opened) = client.open(source, stream: UInt32(index + 1)) else {
                summary.faults.append("\(sender.name): not opened")
                continue
            }
            let rows = stored.rowsBySource["\(source)"] ?? 0
            let isWhole = opened.totals.sum == opened.durable && opened.totals.stored == UInt64(rows)
            guard !isWhole else { continue }
            summary.faults.append("\(sender.name): \(opened.totals), durable \(opened.durable), \(rows) rows")
        }
    }
}

/// Asks for a compaction again and again.
private final class Publishing: Sendable {
    private let collector: CollectorProcess
    private let isOver = DispatchSemaphore(value: 0)
    private let hasEnded = DispatchSemaphore(value: 0)

    init(_ collector: CollectorProcess) {
        self.collector = collector
        Thread { [self] in
            while isOver.wait(timeout: .now() + .milliseconds(100)) == .timedOut {
                // It may be killed under our hands.
                _ = try? self.collector.admin("publish")
            }
            hasEnded.signal()
        }.start()
    }

    func stop() {
        isOver.signal()
        hasEnded.wait()
    }
}
