import Config
import Foundation
import Query
import Table
import Telemetry

/// How questions are answered here: over whose snapshot, within what time and memory, from the cache if it has them.
struct Answering: Sendable {
    let config: QueryConfig
    let projects: ProjectReaders
    let cache: AnswerCache<Answer>
    let running = RunningQuestions()

    /// The newest instant of a project.
    func snapshot(_ project: String) throws -> Snapshot { try projects.reader(of: project).snapshot() }

    /// - Returns: the answer, and whether it was kept from an earlier call. Blocks until it is computed.
    /// - Throws: `QueryError`, and `Problem` if it takes too long or nobody waits any more.
    func answer(_ question: Question, _ snapshot: Snapshot, _ call: Call) throws -> (answer: Answer, isCached: Bool) {
        let key = AnswerCache<Answer>.Key(question.cacheKey, snapshot)
        if let key, !call.wantsFreshAnswer, let known = cache.value(key) { return (known, true) }
        let name = question.queryID.map {
            RunningQuestions.Name(tokenHash: call.principal.tokenHash, queryID: $0)
        }
        let limit = question.timeoutMillis.map { min(.milliseconds($0), config.timeout) } ?? config.timeout
        let answer = try bounded(call, name, limit) { try QueryEngine.answer(question, snapshot, $0) }
        if let key { cache.keep(answer, for: key) }
        return (answer, false)
    }

    /// Runs `compute` within this server's memory and the call's time.
    /// - Parameters:
    ///   - name: by which the caller can cancel it.
    ///   - limit: the server's if nil.
    func bounded<Result>(
        _ call: Call, _ name: RunningQuestions.Name? = nil, _ limit: Duration? = nil,
        _ compute: (Execution) throws -> Result
    ) throws -> Result {
        let limit = limit ?? config.timeout
        return try running.run(name) { ticket in
            do {
                return try compute(execution(call, limit, ticket))
            } catch QueryError.cancelled {
                if ticket.isCancelled { throw Problem.cancelled }
                throw call.isClientGone() ? Problem.clientGone : .timeout(limit)
            }
        }
    }

    private func execution(_ call: Call, _ limit: Duration, _ ticket: RunningQuestions.Ticket) -> Execution {
        let (seconds, attoseconds) = limit.components
        let deadlineMicros = call.arrivedMicros + seconds * 1_000_000 + attoseconds / 1_000_000_000_000
        return Execution(
            budgetBytes: config.memoryBudgetBytes,
            isCancelled: { ticket.isCancelled || Logger.systemClock() > deadlineMicros || call.isClientGone() },
            parallel: { count, body in DispatchQueue.concurrentPerform(iterations: count, execute: body) })
    }
}

extension Call {
    /// Whether the caller wants nothing from a cache (RFC 9111 §5.2.1.4).
    var wantsFreshAnswer: Bool {
        request.headers["Cache-Control"]?.lowercased().split(separator: ",")
            .contains { $0.filter { $0 != " " } == "no-cache" } ?? false
    }
}

extension Problem {
    init(_ error: QueryError) {
        switch error {
        case .invalid(let path, let reason, let allowed):
            self.init(
                status: 400, code: "invalid_query", message: reason, path: path.isEmpty ? nil : path, allowed: allowed)
        case .mixedCurrencies(let path, let currencies):
            self.init(
                status: 400, code: "mixed_currencies", message: error.reason, path: path, allowed: currencies)
        case .sumTooLarge(let path):
            self.init(status: 400, code: "sum_too_large", message: error.reason, path: path)
        case .overBudget:
            self.init(status: 413, code: "over_budget", message: error.reason)
        case .cancelled:
            self.init(status: 503, code: "unavailable", message: error.reason)
        }
    }
}
