import Synchronization

/// The duty to answer one request, from any thread. Dropped without an answer, it answers 500.
package final class HTTPResponder: Sendable {
    private let exchange: Exchange
    private let hasAnswered = Atomic(false)

    init(_ exchange: Exchange) { self.exchange = exchange }

    deinit {
        if !hasAnswered.load(ordering: .acquiring) { exchange.answer(.unanswered) }
    }

    /// Sends the answer. Called exactly once; without effect when the server has stopped meanwhile.
    package func respond(_ response: HTTPResponse) {
        let wasAnswered = hasAnswered.exchange(true, ordering: .acquiringAndReleasing)
        precondition(!wasAnswered, "a request is answered once")
        exchange.answer(response)
    }

    /// Whether the client has hung up, so that a long computation may be given up; two system calls at most. To be
    /// asked again and again: the first call after a hang-up may not see it yet. A client that only stopped sending is
    /// not gone.
    package var isClientGone: Bool { exchange.isClientGone }
}
