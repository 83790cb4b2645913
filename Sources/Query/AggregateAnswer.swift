import JSON
import Table
import Zones

extension Answer {
    /// Rows of groups: ordered, cut at the limit, with dates for buckets.
    init(_ question: Question, _ aggregate: AggregateQuestion, _ snapshot: Snapshot, _ result: AggregateResult) {
        let table = GroupRows(question, aggregate, clockMicros: snapshot.clockMicros, groups: result.groups)
        kind = "aggregate"
        rowsName = "rows"
        columns =
            aggregate.shown.map { aggregate.groups[$0].name } + (table.hasBuckets ? ["complete"] : [])
            + aggregate.metrics.map(\.alias)
        rows = table.ordered.map { table.row($0) }
        totals = []
        meta = Meta(question, snapshot, result.report)
    }
}

/// The groups of an aggregate as rows.
private struct GroupRows {
    let question: Question
    let aggregate: AggregateQuestion
    let clockMicros: Int64
    let groups: GroupTable

    init(_ question: Question, _ aggregate: AggregateQuestion, clockMicros: Int64, groups: GroupTable) {
        (self.question, self.aggregate, self.clockMicros, self.groups) = (question, aggregate, clockMicros, groups)
    }

    var hasBuckets: Bool {
        aggregate.groups.contains { if case .time = $0.dimension { true } else { false } }
    }

    /// The groups in order, as many as the question wants. Ties stand by the groups' values. O(n log n).
    var ordered: [Int] {
        let results = aggregate.metrics.indices.map { metric in
            groups.states[metric].map { $0.result(aggregate.metrics[metric].measure) }
        }
        let order = groups.keys.indices.sorted { left, right in
            for key in aggregate.order {
                let difference =
                    switch key.key {
                    case .metric(let metric): compare(results[metric][left], results[metric][right], key.isDescending)
                    case .group(let group):
                        compare(groups.keys[left][group], groups.keys[right][group], key.isDescending)
                    }
                if difference != 0 { return difference < 0 }
            }
            for group in aggregate.groups.indices {
                let difference = compare(groups.keys[left][group], groups.keys[right][group], false)
                if difference != 0 { return difference < 0 }
            }
            return false
        }
        return Array(order.prefix(aggregate.limit ?? order.count))
    }

    /// What is missing stands last in either direction.
    private func compare(_ left: Value?, _ right: Value?, _ isDescending: Bool) -> Int {
        switch (left, right) {
        case (nil, nil): 0
        case (nil, _): 1
        case (_, nil): -1
        case (let left?, let right?): isDescending ? right.compare(left) : left.compare(right)
        }
    }

    func row(_ group: Int) -> [JSONValue] {
        let key = groups.keys[group]
        var row = aggregate.shown.map { index -> JSONValue in
            guard let value = key[index] else { return nil }
            guard case .time(let unit) = aggregate.groups[index].dimension, case .integer(let start) = value else {
                return value.json
            }
            return .string(name(of: start, unit))
        }
        if hasBuckets { row.append(.bool(isComplete(key))) }
        for (metric, definition) in aggregate.metrics.enumerated() {
            row.append(json(groups.states[metric][group].result(definition.measure), of: definition.measure))
        }
        return row
    }

    /// A bucket of days by its first local day, an hour by its first instant.
    private func name(of start: Int64, _ unit: BucketUnit) -> String {
        guard unit != .hour else { return ISO8601.format(micros: start) }
        return question.zone.civilDate(atMicros: start).description
    }

    /// Whether every bucket of the group is over at the snapshot's clock, and wholly within the question's range.
    private func isComplete(_ key: [Value?]) -> Bool {
        zip(aggregate.groups, key).allSatisfy { column, value in
            guard case .time(let unit) = column.dimension, case .integer(let start)? = value else { return true }
            let end = question.zone.bucketEnd(of: start, unit: unit, weekStart: question.weekStart)
            return end <= clockMicros && start >= question.range.from && end <= question.range.to
        }
    }

    private func json(_ value: Value?, of measure: Measure) -> JSONValue {
        guard let value else { return nil }
        switch measure {
        case .least(let field) where field.isTime, .greatest(let field) where field.isTime:
            guard case .integer(let micros) = value else { return value.json }
            return .string(ISO8601.format(micros: micros))
        default: return value.json
        }
    }
}
