import JSON
import Table
import Zones

/// Answers how many people use a feature: aggregates of its uses and of all activity.
struct AdoptionRun: Sendable {
    private let question: Question
    private let adoption: AdoptionQuestion
    private let snapshot: Snapshot
    private let execution: Execution

    private static let users = AggregateQuestion.Metric(
        measure: .countDistinct(.person), alias: "users", path: "")
    private static let count = AggregateQuestion.Metric(measure: .count, alias: "count", path: "")
    private static let day = AggregateQuestion.Column(name: "day", dimension: .time(.day))

    init(_ question: Question, _ adoption: AdoptionQuestion, _ snapshot: Snapshot, _ execution: Execution) {
        (self.question, self.adoption, self.snapshot, self.execution) = (question, adoption, snapshot, execution)
    }

    func answer() throws -> Answer {
        let used = question.filtered(by: adoption.usage)
        // A reserved type whose events are uses is activity here.
        let all = try groups(question.filtered(by: .any([.everything, adoption.usage])), [Self.users], by: [])
        let users = try groups(used, [Self.users, Self.count], by: [])
        let days = try groups(used, [Self.count], by: [Self.day])
        let (userCount, totalCount) = (number(users, 0, of: 0), number(all, 0, of: 0))
        let daily = days.groups.keys.indices.compactMap { group -> (day: CivilDate, count: Int64)? in
            guard case .integer(let start)? = days.groups.keys[group][0] else { return nil }
            return (question.zone.civilDate(atMicros: start), number(days, 0, of: group))
        }
        let usage = daily.sorted { $0.day < $1.day }.map { JSONObject.Member($0.day.description, .integer($0.count)) }
        let json: JSONValue = [
            "feature_name": adoption.featureName.json, "unique_users": .integer(userCount),
            "total_users": .integer(totalCount),
            "adoption_rate": .number(totalCount == 0 ? 0 : Double(userCount) / Double(totalCount)),
            "usage_count": .integer(number(users, 1, of: 0)), "daily_usage": .object(JSONObject(usage)),
        ]
        var report = all.report
        report.add(0, [], users.report.ambiguousNames)
        return Answer(
            kind: "adoption", rowsName: nil, columns: [], rows: [], totals: [JSONObject.Member("adoption", json)],
            meta: Answer.Meta(question, snapshot, report))
    }

    private func groups(
        _ question: Question, _ metrics: [AggregateQuestion.Metric], by groups: [AggregateQuestion.Column]
    ) throws -> AggregateResult {
        try AggregateRun(
            question, AggregateQuestion(metrics: metrics, groups: groups), snapshot, execution
        ).answer()
    }

    private func number(_ result: AggregateResult, _ metric: Int, of group: Int) -> Int64 {
        guard case .count(let count) = result.groups.states[metric][group] else { return 0 }
        return Int64(count)
    }
}
