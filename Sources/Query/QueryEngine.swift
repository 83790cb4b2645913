import Table

/// Answers questions over snapshots. Any thread; the answer depends on nothing but its arguments.
package enum QueryEngine {
    /// Exact, or an error: never an approximation.
    /// - Throws: `QueryError`, and what reading the table throws.
    package static func answer(
        _ question: Question, _ snapshot: Snapshot, _ execution: Execution = Execution()
    ) throws -> Answer {
        switch question.body {
        case .aggregate(let aggregate):
            let result = try AggregateRun(question, aggregate, snapshot, execution).answer()
            return Answer(question, aggregate, snapshot, result)
        case .funnel(let funnel):
            let result = try FunnelRun(question, funnel, snapshot, execution).answer()
            return Answer(question, funnel, snapshot, result)
        }
    }
}
