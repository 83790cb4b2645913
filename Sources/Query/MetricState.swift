import Table

typealias Measure = AggregateQuestion.Metric.Measure

/// What one metric knows of one group. States of parts of the rows merge to that of all, in any order.
enum MetricState: Sendable {
    case count(Int)
    case sum(ExactSum, count: Int)
    case least(Value?)
    case greatest(Value?)
    case distinct(Set<Value>)

    /// Of no rows. Distinct users are a count, taken from the users of each range of keys at the end.
    init(_ measure: Measure) {
        switch measure {
        case .count, .countDistinct(.person): self = .count(0)
        case .countDistinct: self = .distinct([])
        case .sum, .average: self = .sum(ExactSum(), count: 0)
        case .least: self = .least(nil)
        case .greatest: self = .greatest(nil)
        }
    }

    /// - Parameter other: a state of the same metric; a precondition.
    mutating func merge(_ other: MetricState) {
        switch (self, other) {
        case (.count(let own), .count(let new)): self = .count(own + new)
        case (.least(let own?), .least(let new?)): self = .least(new.compare(own) < 0 ? new : own)
        case (.greatest(let own?), .greatest(let new?)): self = .greatest(new.compare(own) > 0 ? new : own)
        case (.least(nil), .least), (.greatest(nil), .greatest): self = other
        case (.least, .least(nil)), (.greatest, .greatest(nil)): break
        case (.sum(var own, let count), .sum(let new, let newCount)):
            self = .count(0)  // Lets go of the digits, so that they change in place.
            own.add(new)
            self = .sum(own, count: count + newCount)
        case (.distinct(var own), .distinct(let new)):
            self = .count(0)
            own.formUnion(new)
            self = .distinct(own)
        default: preconditionFailure("states of different metrics do not merge")
        }
    }

    /// About what it holds in memory.
    var byteCount: Int {
        switch self {
        case .count, .least, .greatest: 48
        case .sum(let sum, _): 48 + sum.byteCount
        case .distinct(let values): 48 + values.count * 64
        }
    }

    /// What the metric says; nil where there is nothing to say: an average or a bound of no values.
    func result(_ measure: Measure) -> Value? {
        switch self {
        case .count(let count): return .integer(Int64(count))
        case .distinct(let values): return .integer(Int64(values.count))
        case .least(let value), .greatest(let value): return value
        case .sum(let sum, let count):
            guard case .average = measure else { return sum.integer.map { .integer($0) } ?? Value(sum.value) }
            return count == 0 ? nil : sum.average(of: count)
        }
    }

    /// Whether it is a sum past the largest double.
    func isTooLarge(_ measure: Measure) -> Bool {
        guard case .sum(let sum, _) = self, case .sum = measure else { return false }
        return sum.value.isInfinite
    }
}

extension ChunkView {
    /// A metric's states over the selected rows, one for each group.
    /// - Parameter skipped: grows by the values that are no numbers where numbers are wanted.
    func states(
        _ measure: Measure, _ rows: [UInt32], _ groups: [UInt32], groupCount: Int, skipped: inout Int
    ) throws -> [MetricState] {
        switch measure {
        case .count:
            var counts = [Int](repeating: 0, count: groupCount)
            var output = counts.mutableSpan
            for group in groups { output[Int(group)] &+= 1 }
            return counts.map { .count($0) }
        case .countDistinct(.person):
            return [MetricState](repeating: .count(0), count: groupCount)
        case .countDistinct(let field):
            return try distinctValues(field, rows, groups, groupCount).map { .distinct($0) }
        case .sum(let field), .average(let field):
            var sums = [ExactSum](repeating: ExactSum(), count: groupCount)
            var counts = [Int](repeating: 0, count: groupCount)
            try forEachNumber(field, rows, skipped: &skipped) { index, number in
                let group = Int(groups[index])
                switch number {
                case .double(let double): sums[group].add(double)
                case .integer(let integer): sums[group].add(integer)
                }
                counts[group] += 1
            }
            return zip(sums, counts).map { .sum($0, count: $1) }
        case .least(let field):
            return try bounds(field, rows, groups, groupCount, &skipped) { $0 < 0 }.map { .least($0) }
        case .greatest(let field):
            return try bounds(field, rows, groups, groupCount, &skipped) { $0 > 0 }.map { .greatest($0) }
        }
    }

    private func distinctValues(
        _ field: Field, _ rows: [UInt32], _ groups: [UInt32], _ groupCount: Int
    ) throws -> [Set<Value>] {
        var sets = [Set<Value>](repeating: [], count: groupCount)
        let column = try coded(field)
        var seen = Set<UInt64>()
        for (index, row) in rows.enumerated() {
            let code = column.codes[Int(row)]
            guard code != CodedColumn.null else { continue }
            guard seen.insert(UInt64(groups[index]) << 32 | UInt64(code)).inserted else { continue }
            sets[Int(groups[index])].insert(column.value(code))
        }
        return sets
    }

    private func bounds(
        _ field: Field, _ rows: [UInt32], _ groups: [UInt32], _ groupCount: Int, _ skipped: inout Int,
        isBetter: (Int) -> Bool
    ) throws -> [Value?] {
        var bounds = [Value?](repeating: nil, count: groupCount)
        try forEachNumber(field, rows, skipped: &skipped) { index, number in
            let value =
                switch number {
                case .double(let double): Value(double)
                case .integer(let integer): Value.integer(integer)
                }
            let group = Int(groups[index])
            if bounds[group].map({ isBetter(value.compare($0)) }) ?? true { bounds[group] = value }
        }
        return bounds
    }

    private enum Number {
        case double(Double)
        case integer(Int64)
    }

    /// Calls `body` with each number that a selected row has, and the row's place among the selected.
    private func forEachNumber(
        _ field: Field, _ rows: [UInt32], skipped: inout Int, _ body: (_ index: Int, Number) -> Void
    ) throws {
        let numbers = try numbers(field)
        for (index, row) in rows.enumerated() {
            if let own = numbers.own, numbers.validity?[Int(row)] ?? true {
                switch own {
                case .doubles(let doubles): body(index, .double(doubles[Int(row)]))
                case .integers(let integers): body(index, .integer(integers[Int(row)]))
                }
                continue
            }
            guard let others = numbers.others, others.codes[Int(row)] != CodedColumn.null else { continue }
            switch others.value(others.codes[Int(row)]) {
            case .integer(let number): body(index, .integer(number))
            case .fraction(let number): body(index, .double(number))
            case .bool, .text, .anonymous, .json: skipped += 1
            }
        }
    }
}
