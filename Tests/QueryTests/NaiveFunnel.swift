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
            let depth =
                usable.indices.map { index -> Int in
                    let event = usable[index]
                    guard fits(funnel.steps[0], event), question.range.contains(event.timestampMicros) else {
                        return 0
                    }
                    return deepest(
                        usable, funnel, entry: event.timestampMicros, used: [index], last: event.timestampMicros)
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

    /// Who stands at a step: each person's id as `person` has it, and when a chain of his first had the step.
    func users(_ question: Question, _ funnel: FunnelQuestion, _ at: FunnelQuestion.UsersAt) -> [String: Int64] {
        var found: [String: Int64] = [:]
        let people = Dictionary(grouping: events.filter { Self.person($0) != nil }) { Self.person($0)! }
        for (person, own) in people {
            let usable = own.filter { passes(question.filter, $0) }
            var depth = 0
            var reached: Int64?
            var isOpen = false
            for (index, entry) in usable.enumerated() {
                guard fits(funnel.steps[0], entry), question.range.contains(entry.timestampMicros) else { continue }
                let time = entry.timestampMicros
                isOpen = isOpen || clockMicros <= time + funnel.windowMicros
                forEachChain(usable, funnel, entry: time, used: [index], last: time) { count, last in
                    depth = max(depth, count)
                    if count == at.step + 1 { reached = min(reached ?? last, last) }
                }
            }
            guard let reached else { continue }
            let isLast = at.step == funnel.steps.count - 1
            let stays = depth == at.step + 1 && !isLast
            switch at.outcome {
            case .reached: found[person] = reached
            case .converted: if !stays { found[person] = reached }
            case .dropped: if stays, !isOpen { found[person] = reached }
            case .inProgress: if stays, isOpen { found[person] = reached }
            }
        }
        return found
    }

    private func forEachChain(
        _ events: [Event], _ funnel: FunnelQuestion, entry: Int64, used: [Int], last: Int64,
        _ body: (_ stepCount: Int, _ last: Int64) -> Void
    ) {
        body(used.count, last)
        guard used.count < funnel.steps.count else { return }
        for index in events.indices where !used.contains(index) && fits(funnel.steps[used.count], events[index]) {
            let time = events[index].timestampMicros
            guard time >= last, time <= entry + funnel.windowMicros else { continue }
            forEachChain(events, funnel, entry: entry, used: used + [index], last: time, body)
        }
    }
}
