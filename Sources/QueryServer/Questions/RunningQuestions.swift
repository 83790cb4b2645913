import Synchronization

/// Questions under way that their askers gave a name to, so that they can be cancelled. Any thread.
final class RunningQuestions: Sendable {
    /// An asker's name for a question; nobody else can name it.
    struct Name: Hashable, Sendable {
        let tokenHash: [UInt8]
        let queryID: String
    }

    /// Whether one question was cancelled.
    final class Ticket: Sendable {
        private let flag = Atomic<Bool>(false)
        var isCancelled: Bool { flag.load(ordering: .relaxed) }
        func cancel() { flag.store(true, ordering: .relaxed) }
    }

    /// An asker may use one name for several questions at a time.
    private let running = Mutex<[Name: [Ticket]]>([:])

    /// Runs `body`, which can be cancelled by `name` meanwhile; nil: it cannot.
    func run<Result>(_ name: Name?, _ body: (Ticket) throws -> Result) rethrows -> Result {
        let ticket = Ticket()
        guard let name else { return try body(ticket) }
        running.withLock { $0[name, default: []].append(ticket) }
        defer {
            running.withLock { running in
                running[name]?.removeAll { $0 === ticket }
                if running[name]?.isEmpty == true { running[name] = nil }
            }
        }
        return try body(ticket)
    }

    /// - Returns: false if no question of that name runs.
    func cancel(_ name: Name) -> Bool {
        let tickets = running.withLock { $0[name] ?? [] }
        for ticket in tickets { ticket.cancel() }
        return !tickets.isEmpty
    }
}
