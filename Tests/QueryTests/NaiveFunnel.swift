import Events
import JSON

@testable import Query

extension NaiveQuery {
    /// For each step: users, users in progress. Tries every chain of every person.
    func funnel(_ question: Question, _ funnel: FunnelQuestion) -> [(users: Int, inProgress: Int)] {
        var steps = funnel.steps.map { _ in (users: 0, inProgress: 0) }
        let people = Dictionary(grouping: events.filter { Self.person($0) != nil }) { Self.person($0)! }
        for own in people.values {
            let usable = own.filter { passes(question.filter, $0) }
            let entries = usable.filter {
                fits(funnel.steps[0], $0) && question.range.contains($0.timestampMicros)
            }
            guard !entries.isEmpty else { continue }
            let depth = usable.indices.map { index -> Int in
                let event = usable[index]
                guard fits(funnel.steps[0], event), question.range.contains(event.timestampMicros) else {
                    return 0
                }
                return deepest(usable, funnel, entry: event.timestampMicros, used: [index], last: event.timestampMicros)
            }.max() ?? 0
            for step in 0..<depth { steps[step].users += 1 }
            let isOpen = entries.contains { clockMicros <= $0.timestampMicros + funnel.windowMicros }
            if depth < steps.count, isOpen { steps[depth - 1].inProgress += 1 }
        }
        return steps
    }

    private func fits(_ step: FunnelQuestion.Step, _ event: Event) -> Bool {
        step.type == .text(Array(event.type.utf8)) && passes(step.filter, event)
    }

    /// How many steps a chain can fill that has used these events up to now.
    private func deepest(_ events: [Event], _ funnel: FunnelQuestion, entry: Int64, used: [Int], last: Int64) -> Int {
        guard used.count < funnel.steps.count else { return used.count }
        var best = used.count
        for index in events.indices where !used.contains(index) {
            let time = events[index].timestampMicros
            guard time >= last, time <= entry + funnel.windowMicros else { continue }
            guard fits(funnel.steps[used.count], events[index]) else { continue }
            best = max(best, deepest(events, funnel, entry: entry, used: used + [index], last: time))
        }
        return best
    }
}
