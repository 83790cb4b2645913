import Events
import JSON
import Synchronization
import Telemetry

/// Counts the events that were taken and do not keep to the plan, by type and kind. Any thread.
///
/// Series come as they are needed, and so many types have series of their own: the others share one, as do all types
/// that are not declared, whose names are the senders' to choose.
final class PlanViolations: Sendable {
    private struct Counters {
        var typeNames = Set<String>()
        var byTypeAndKind: [String: [PlanViolation: Counter]] = [:]
    }

    private let registry: MetricsRegistry
    private let counters = Mutex(Counters())

    static let typesMax = 200
    static let undeclaredLabel = "(undeclared)"
    static let othersLabel = "(others)"

    init(_ registry: MetricsRegistry) { self.registry = registry }

    func add(_ counts: [PlanJudgement.Count]) {
        guard !counts.isEmpty else { return }
        counters.withLock { counters in
            for count in counts {
                let label = Self.label(count.eventType, &counters)
                let known = counters.byTypeAndKind[label]?[count.kind]
                let counter = known ?? registry.counter(
                    "tidemark_plan_violations_total",
                    help: "Events that do not keep to the plan, each under the first thing that is wrong with it.",
                    labels: ["event_type": label, "kind": count.kind.name])
                counters.byTypeAndKind[label, default: [:]][count.kind] = counter
                counter.increment(by: count.events)
            }
        }
    }

    private static func label(_ type: String?, _ counters: inout Counters) -> String {
        guard let type else { return undeclaredLabel }
        if counters.typeNames.contains(type) { return type }
        guard counters.typeNames.count < typesMax else { return othersLabel }
        counters.typeNames.insert(type)
        return type
    }

    /// Type → kind → how many since the start.
    var json: JSONValue {
        counters.withLock { counters in
            let types = counters.byTypeAndKind.sorted { $0.key < $1.key }.map { type, kinds in
                let members = kinds.sorted { $0.key.rawValue < $1.key.rawValue }.map { kind, counter in
                    JSONObject.Member(kind.name, .integer(Int64(clamping: counter.value)))
                }
                return JSONObject.Member(type, .object(JSONObject(members)))
            }
            return .object(JSONObject(types))
        }
    }
}
