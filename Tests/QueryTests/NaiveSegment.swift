import Events
import JSON

@testable import Query

extension NaiveQuery {
    /// The ids of a segment's people, in order: asks each condition of each person's events.
    func segment(_ question: Question, _ segment: SegmentQuestion) -> [JSONValue] {
        let predicates = segment.conditions.compactMap { condition -> Predicate? in
            guard case .events(let predicate, _, _) = condition else { return nil }
            return predicate
        }
        let named = Predicate.all([question.filter, .any([.everything] + predicates)])
        let active = Set(activity(named, in: question.range))
        func isInRange(_ index: Int) -> Bool { question.range.contains(events[index].timestampMicros) }
        let told = events.indices.filter { isInRange($0) && passes(question.filter, events[$0]) }
        let owned = Dictionary(grouping: told.filter { Self.person(events[$0]) != nil }) { Self.person(events[$0])! }
        let matching = owned.filter { _, own in
            let holds = segment.conditions.map { condition -> Bool in
                switch condition {
                case .events(let predicate, let times, let withinMicros):
                    let end = question.range.to == .max ? clockMicros : question.range.to
                    let count = own.count { index in
                        active.contains(index) && passes(predicate, events[index])
                            && withinMicros.map { events[index].timestampMicros >= end - $0 } ?? true
                    }
                    return Self.holds(times, count)
                case .trait(let field, let predicate):
                    let bearers = own.filter { events[$0].type != "$group" && value(field, of: events[$0]) != nil }
                    let latest = bearers.max { (events[$0].timestampMicros, $0) < (events[$1].timestampMicros, $1) }
                    return passes(predicate, latest.map { events[$0] } ?? Event(type: "", timestampMicros: 0))
                }
            }
            // Who did nothing that counts and has no trait that is asked for is not asked about at all.
            let isKnown = own.contains { index in
                active.contains(index)
                    || segment.conditions.contains { condition in
                        guard case .trait(let field, _) = condition else { return false }
                        return events[index].type != "$group" && value(field, of: events[index]) != nil
                    }
            }
            return isKnown && Self.holds(segment.definition, holds)
        }
        return matching.keys.sorted { left, right in
            let (first, second) = (String(left.dropFirst()), String(right.dropFirst()))
            return first == second ? left.first == "u" && right.first == "a" : first < second
        }.map { .string(String($0.dropFirst())) }
    }

    private static func holds(_ times: SegmentQuestion.Times, _ count: Int) -> Bool {
        for bound in times.bounds {
            switch bound.comparison {
            case .eq: if count != bound.count { return false }
            case .gte: if count < bound.count { return false }
            case .gt: if count <= bound.count { return false }
            case .lte: if count > bound.count { return false }
            case .lt: if count >= bound.count { return false }
            }
        }
        return true
    }

    private static func holds(_ definition: SegmentQuestion.Definition, _ conditions: [Bool]) -> Bool {
        switch definition {
        case .all(let parts): return !parts.contains { !holds($0, conditions) }
        case .any(let parts): return parts.contains { holds($0, conditions) }
        case .not(let part): return !holds(part, conditions)
        case .condition(let number): return conditions[number]
        }
    }
}
