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
        case .events(let events):
            return try EventsAnswer(question, events, snapshot, execution).answer()
        case .user(let user):
            return try UserRun(question, user, snapshot, execution).answer()
        case .adoption(let adoption):
            return try AdoptionRun(question, adoption, snapshot, execution).answer()
        case .segment(let segment):
            return try SegmentRun(question, segment, snapshot, execution).answer()
        }
    }
}
