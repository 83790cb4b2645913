import Foundation
import Synchronization

/// Runs questions on a fixed number of threads; so many may wait, and no more.
final class QuestionPool: Sendable {
    /// Questions that may wait for a thread.
    static let waitingMax = 256

    private let queue: OperationQueue
    private let underWay = Atomic<Int>(0)
    private let limit: Int

    init(threadCount: Int) {
        queue = OperationQueue()
        queue.maxConcurrentOperationCount = threadCount
        limit = threadCount + Self.waitingMax
    }

    /// - Returns: false if too many wait already; then `body` will not run.
    func submit(_ body: @escaping @Sendable () -> Void) -> Bool {
        let (_, count) = underWay.add(1, ordering: .relaxed)
        guard count <= limit else {
            underWay.subtract(1, ordering: .relaxed)
            return false
        }
        queue.addOperation { [self] in
            body()
            underWay.subtract(1, ordering: .relaxed)
        }
        return true
    }
}
