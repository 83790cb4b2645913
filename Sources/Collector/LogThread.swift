import Foundation
import Synchronization
import Wire

/// The thread that owns the log. Commands go in through a queue; answers come out through a callback.
///
/// A group closes when the sync before it returns: whatever came meanwhile is the next group. The queue's bytes are
/// what the loop bounds by not reading from sockets.
final class LogThread: Sendable {
    private struct Queue {
        var commands: [LogCommand] = []
        var byteCount = 0
    }

    private let condition = NSCondition()
    private let queue = Mutex(Queue())
    private let finished = DispatchSemaphore(value: 0)
    /// When the work in hand began, in nanoseconds that never go back; 0: none.
    private let busySinceNanos = Atomic<UInt64>(0)
    private let sealFailure = Mutex<String?>(nil)

    /// Starts the thread.
    /// - Parameters:
    ///   - make: opens the log on the thread that will own it.
    ///   - opened: called once, with nil or the failure.
    ///   - answer: called with answers to send; must only hand them over.
    ///   - failed: the log is unusable and the thread has ended.
    func start(
        make: @escaping @Sendable () throws -> GroupCommitter, opened: @escaping @Sendable ((any Error)?) -> Void,
        answer: @escaping @Sendable ([LedgerAnswer]) -> Void, failed: @escaping @Sendable (any Error) -> Void
    ) {
        let thread = Thread { [self] in
            defer { finished.signal() }
            do {
                let committer = try make()
                opened(nil)
                do { try run(committer, answer) } catch { failed(error) }
            } catch {
                opened(error)
            }
        }
        thread.name = "log"
        thread.stackSize = 4 << 20
        thread.start()
    }

    /// Queues a command. Any thread.
    func send(_ command: LogCommand) {
        let wasEmpty = queue.withLock { queue in
            queue.commands.append(command)
            queue.byteCount += command.byteCount
            return queue.commands.count == 1
        }
        guard wasEmpty else { return }
        condition.lock()
        condition.signal()
        condition.unlock()
    }

    /// Bytes of batches that wait.
    var queuedBytes: Int { queue.withLock { $0.byteCount } }

    /// How long the thread has been in one piece of work: 0 while it waits.
    var stuckMicros: Int64 {
        let since = busySinceNanos.load(ordering: .relaxed)
        let now = DispatchTime.now().uptimeNanoseconds
        return since == 0 || now < since ? 0 : Int64((now - since) / 1000)
    }

    /// Commits what is queued, seals the log and ends the thread; returns when that is done.
    /// - Returns: why the log could not be sealed: nothing is lost, but the next start recovers it.
    func stopAndWait() -> String? {
        send(.stop)
        finished.wait()
        return sealFailure.withLock { $0 }
    }

    private func run(_ committer: GroupCommitter, _ answer: ([LedgerAnswer]) -> Void) throws {
        committer.showMetrics()
        while true {
            let commands = next()
            busySinceNanos.store(DispatchTime.now().uptimeNanoseconds, ordering: .relaxed)
            var isStopping = false
            for command in commands {
                if case .stop = command { isStopping = true }
                deliver(try committer.take(command), answer)
            }
            deliver(try committer.commit(), answer)
            committer.showMetrics()
            busySinceNanos.store(0, ordering: .relaxed)
            if isStopping { return seal(committer) }
        }
    }

    private func seal(_ committer: GroupCommitter) {
        do { try committer.seal() } catch { sealFailure.withLock { $0 = "\(error)" } }
    }

    private func deliver(_ answers: [LedgerAnswer], _ answer: ([LedgerAnswer]) -> Void) {
        if !answers.isEmpty { answer(answers) }
    }

    /// Waits until there is something to do.
    private func next() -> [LogCommand] {
        while true {
            let commands = queue.withLock { queue in
                defer {
                    queue.commands = []
                    queue.byteCount = 0
                }
                return queue.commands
            }
            if !commands.isEmpty { return commands }
            condition.lock()
            // A sender that found the queue empty signals under this lock, so it cannot slip between look and wait.
            if queue.withLock({ $0.commands.isEmpty }) { condition.wait() }
            condition.unlock()
        }
    }
}
