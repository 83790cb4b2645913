import Synchronization

/// What an answer may use.
package struct Execution: Sendable {
    /// Calls `body` with 0..<count, each once, on any threads, and returns when all calls have.
    package typealias Parallel = @Sendable (_ count: Int, _ body: @Sendable (Int) -> Void) -> Void

    package let budgetBytes: Int
    /// Asked between pieces of a few milliseconds.
    package let isCancelled: @Sendable () -> Bool
    package let parallel: Parallel

    /// - Parameters:
    ///   - budgetBytes: for what the question gathers, not for the chunks that each thread decodes on the way.
    ///   - parallel: nil runs everything on the caller's thread.
    package init(
        budgetBytes: Int = 256 << 20, isCancelled: @escaping @Sendable () -> Bool = { false }, parallel: Parallel? = nil
    ) {
        self.budgetBytes = budgetBytes
        self.isCancelled = isCancelled
        self.parallel = parallel ?? { count, body in for index in 0..<count { body(index) } }
    }

    /// Goes on only while the answer is wanted.
    func check() throws(QueryError) { if isCancelled() { throw .cancelled } }

    /// What is read one by one, between two checks.
    private static let partCount = 1024

    /// Calls `body` with some of the elements after the others, in order.
    func forEachPart<Element>(of elements: [Element], _ body: ([Element]) throws -> Void) throws {
        for start in stride(from: 0, to: elements.count, by: Self.partCount) {
            try check()
            try body(Array(elements[start..<min(start + Self.partCount, elements.count)]))
        }
    }

    /// Makes `count` results and hands each to `take`, one at a time, in any order. The first error ends it.
    func forEach<Result: Sendable>(
        _ count: Int, make: @Sendable (Int) throws -> Result, take: @Sendable (Int, Result) throws -> Void
    ) throws {
        let failure = Mutex<(any Error)?>(nil)
        let taking = Mutex<Void>(())
        parallel(count) { index in
            guard failure.withLock({ $0 == nil }) else { return }
            do {
                try check()
                let result = try make(index)
                try taking.withLock { _ in try take(index, result) }
            } catch {
                failure.withLock { $0 = $0 ?? error }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
    }
}
