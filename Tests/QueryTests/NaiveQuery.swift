import Events
import JSON
import Zones

@testable import Query

/// The rules of docs/questions.md read off a list of events, one obvious loop each. Slow.
struct NaiveQuery {
    /// In order of arrival.
    let events: [Event]
    let clockMicros: Int64
    static let source = TableFixture.source

    /// Who an event is of; nil for nobody.
    static func person(_ event: Event) -> String? {
        event.userID.map { "u" + $0 } ?? event.anonymousID.map { "a" + $0 }
    }

    // MARK: Values

    private static func value(_ value: EventValue.Value) -> Value? {
        switch value {
        case .bool(let bool): return .bool(bool)
        case .int64(let integer): return .integer(integer)
        case .float64(let number):
            let isWhole = number == number.rounded() && abs(number) < 1e15
            return isWhole ? .integer(Int64(number)) : .fraction(number)
        case .string(let text): return .text(Array(text.utf8))
        case .json(let text):
            switch try? JSONValue(parsing: text) {
            case .null?, nil: return nil
            case .bool(let bool)?: return .bool(bool)
            case .integer(let integer)?: return .integer(integer)
            case .number(let number)?: return self.value(.float64(number))
            case .string(let string)?: return .text(Array(string.utf8))
            case .array?, .object?: return .json(Array(text.utf8))
            }
        }
    }

    private static func value(_ scope: EventValue.Scope, _ name: [UInt8], of event: Event) -> Value? {
        for value in event.values where value.scope == scope && Array(value.name.utf8) == name {
            return self.value(value.value)
        }
        return nil
    }

    func value(_ field: Field, of event: Event) -> Value? {
        func text(_ string: String?) -> Value? { string.map { .text(Array($0.utf8)) } }
        switch field {
        case .person:
            return text(event.userID) ?? event.anonymousID.map { .anonymous(Array($0.utf8)) }
        case .fixed(.eventType): return text(event.type)
        case .fixed(.anonymousID): return text(event.anonymousID)
        case .fixed(.sessionID): return text(event.sessionID)
        case .fixed(.groupKey): return text(event.groupKey)
        case .fixed(.timestamp): return .integer(event.timestampMicros)
        case .fixed(.consent): return event.consent == .unknown ? nil : text("\(event.consent)")
        case .fixed(.serverSide): return event.isServerSide ? .bool(true) : nil
        case .fixed: return nil
        case .value(let scope, let name): return Self.value(scope, name, of: event)
        case .bare(let name):
            for scope in [EventValue.Scope.property, .device, .location, .context] {
                if let value = Self.value(scope, name, of: event) { return value }
            }
            return nil
        }
    }

    // MARK: Filters

    func passes(_ predicate: Predicate, _ event: Event) -> Bool {
        switch predicate {
        case .all(let parts): return parts.allSatisfy { passes($0, event) }
        case .any(let parts): return parts.contains { passes($0, event) }
        case .not(let part): return !passes(part, event)
        case .test(.person, let test):
            return [event.userID, event.anonymousID].contains { id in
                id.map { Self.holds(test, .text(Array($0.utf8))) } ?? false
            }
        case .test(let field, let test): return value(field, of: event).map { Self.holds(test, $0) } ?? false
        }
    }

    private static func holds(_ test: Predicate.Test, _ value: Value) -> Bool {
        func place(_ bound: Value) -> Int? { rank(value) == rank(bound) ? difference(value, bound) : nil }
        func text() -> [UInt8]? { if case .text(let bytes) = value { bytes } else { nil } }
        switch test {
        case .isIn(let values): return values.contains { place($0) == 0 }
        case .isBelow(let bound): return place(bound).map { $0 < 0 } ?? false
        case .isAtMost(let bound): return place(bound).map { $0 <= 0 } ?? false
        case .isAbove(let bound): return place(bound).map { $0 > 0 } ?? false
        case .isAtLeast(let bound): return place(bound).map { $0 >= 0 } ?? false
        case .startsWith(let prefix): return text().map { Array($0.prefix(prefix.count)) == prefix } ?? false
        case .contains(let part):
            guard let text = text() else { return false }
            return text.indices.contains { Array(text[$0...].prefix(part.count)) == part } || part.isEmpty
        case .exists: return true
        }
    }

    /// The order of types: booleans, numbers, texts, anonymous ids, then arrays and objects.
    private static func rank(_ value: Value) -> Int {
        switch value {
        case .bool: 1
        case .integer, .fraction: 2
        case .text: 3
        case .anonymous: 4
        case .json: 5
        }
    }

    /// Below, at or above 0 as `left` stands before, at or after `right`. The tests' numbers are doubles.
    private static func difference(_ left: Value, _ right: Value) -> Int {
        func sign<T: Comparable>(_ left: T, _ right: T) -> Int { left < right ? -1 : left > right ? 1 : 0 }
        func number(_ value: Value) -> Double {
            switch value {
            case .bool(let bool): bool ? 1 : 0
            case .integer(let integer): Double(integer)
            case .fraction(let fraction): fraction
            case .text, .anonymous, .json: 0
            }
        }
        func bytes(_ value: Value) -> [UInt8] {
            switch value {
            case .text(let bytes), .anonymous(let bytes), .json(let bytes): bytes
            case .bool, .integer, .fraction: []
            }
        }
        guard rank(left) == rank(right) else { return sign(rank(left), rank(right)) }
        let (first, second) = (bytes(left), bytes(right))
        if first.lexicographicallyPrecedes(second) { return -1 }
        if second.lexicographicallyPrecedes(first) { return 1 }
        return sign(number(left), number(right))
    }

    /// Of everybody's activity that a question is about, which events.
    func activity(_ question: Question) -> [Int] { activity(question.filter, in: question.range) }

    func activity(_ filter: Predicate, in range: TimeRange) -> [Int] {
        let tests = filter.tests { $0 == .eventType }
        func isNamed(_ type: String) -> Bool {
            tests.contains { test in
                switch test {
                case .isIn(let values): values.contains(.text(Array(type.utf8)))
                case .startsWith(let prefix): prefix.first == 0x24 && type.utf8.starts(with: prefix)
                default: false
                }
            }
        }
        return events.indices.filter { index in
            let event = events[index]
            return event.timestampMicros >= range.from && event.timestampMicros < range.to
                && passes(filter, event) && (!event.type.hasPrefix("$") || isNamed(event.type))
        }
    }

    // MARK: Aggregates

    func rows(_ question: Question, _ aggregate: AggregateQuestion) -> [[JSONValue]] {
        let calendar = NaiveCalendar(question.zone, question.weekStart)
        let chosen = activity(question).map { events[$0] }
        var groups: [[Value?]: [Event]] = aggregate.groups.isEmpty ? [[]: []] : [:]
        for event in chosen { groups[key(event, calendar, aggregate), default: []].append(event) }
        let lines = groups.map { (key: $0.key, results: results(aggregate, $0.value)) }
        let sorted = lines.sorted { isBefore($0, $1, aggregate) }
        return sorted.prefix(aggregate.limit ?? sorted.count).map { line in
            row(line.key, line.results, question, calendar, aggregate)
        }
    }

    private func key(_ event: Event, _ calendar: NaiveCalendar, _ aggregate: AggregateQuestion) -> [Value?] {
        aggregate.groups.map { column in
            switch column.dimension {
            case .field(let field): value(field, of: event)
            case .time(let unit): .integer(calendar.bucket(event.timestampMicros, unit).start)
            }
        }
    }

    private func results(_ aggregate: AggregateQuestion, _ events: [Event]) -> [Value?] {
        aggregate.metrics.map { metric -> Value? in
            func numbers(_ field: Field) -> [Value] {
                events.compactMap { value(field, of: $0) }.filter(\.isNumber)
            }
            // The tests' numbers are multiples of 1/8 below 2^20: plain sums of them are exact.
            func sum(_ field: Field) -> Double { numbers(field).reduce(0) { $0 + $1.json.asDouble! } }
            switch metric.measure {
            case .count: return .integer(Int64(events.count))
            case .countDistinct(.person): return .integer(Int64(Set(events.compactMap(Self.person)).count))
            case .countDistinct(let field):
                return .integer(Int64(Set(events.compactMap { value(field, of: $0) }).count))
            case .sum(let field): return Value(sum(field))
            case .average(let field):
                return numbers(field).isEmpty ? nil : Value(sum(field) / Double(numbers(field).count))
            case .least(let field): return numbers(field).min { $0.json.asDouble! < $1.json.asDouble! }
            case .greatest(let field): return numbers(field).max { $0.json.asDouble! < $1.json.asDouble! }
            }
        }
    }

    private typealias Line = (key: [Value?], results: [Value?])

    private func isBefore(_ left: Line, _ right: Line, _ aggregate: AggregateQuestion) -> Bool {
        func isBefore(_ left: Value?, _ right: Value?, _ isDescending: Bool) -> Bool? {
            if left == right { return nil }
            guard let left else { return false }
            guard let right else { return true }
            return (Self.difference(left, right) < 0) != isDescending
        }
        for order in aggregate.order {
            let (first, second) =
                switch order.key {
                case .metric(let metric): (left.results[metric], right.results[metric])
                case .group(let group): (left.key[group], right.key[group])
                }
            if let decided = isBefore(first, second, order.isDescending) { return decided }
        }
        for (first, second) in zip(left.key, right.key) {
            if let decided = isBefore(first, second, false) { return decided }
        }
        return false
    }

    private func row(
        _ key: [Value?], _ results: [Value?], _ question: Question, _ calendar: NaiveCalendar,
        _ aggregate: AggregateQuestion
    ) -> [JSONValue] {
        var isComplete: Bool?
        for (column, value) in zip(aggregate.groups, key) {
            guard case .time(let unit) = column.dimension, case .integer(let start)? = value else { continue }
            let end = calendar.bucket(start, unit).end
            let isOver = end <= clockMicros && start >= question.range.from && end <= question.range.to
            isComplete = (isComplete ?? true) && isOver
        }
        let shown = aggregate.shown.map { index -> JSONValue in
            guard let value = key[index] else { return nil }
            guard case .time(let unit) = aggregate.groups[index].dimension, case .integer(let start) = value else {
                return value.json
            }
            return unit == .hour
                ? .string(ISO8601.format(micros: start))
                : .string(calendar.date(start).description)
        }
        return shown + (isComplete.map { [.bool($0)] } ?? []) + results.map { $0?.json ?? nil }
    }
}
