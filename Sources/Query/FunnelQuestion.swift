import JSON

/// How far users come through steps that follow one another within a window.
package struct FunnelQuestion: Sendable {
    struct Step: Sendable {
        let name: String
        let type: Value
        /// What else the event must be.
        let filter: Predicate
    }

    /// Users who are to be named: at a step, by what became of them there.
    struct UsersAt: Sendable {
        enum Outcome: String, CaseIterable, Sendable {
            case reached, converted, dropped
            case inProgress = "in_progress"
        }
        /// From 0.
        let step: Int
        let outcome: Outcome
        let limit: Int

        private static let limits = 1...10_000
        private static let defaultLimit = 100

        init(_ value: JSONValue, stepCount: Int, path: String) throws(QueryError) {
            let reader = try ObjectReader(value, path: path, allowed: ["step", "outcome", "limit"])
            guard let number = try reader.integer("step", in: 1...stepCount) else {
                throw .invalid(path: reader.path(of: "step"), reason: "missing", allowed: ["1 to \(stepCount)"])
            }
            let outcomes = Outcome.allCases.map(\.rawValue)
            let name = try reader.choice("outcome", of: outcomes, what: "outcome")
            guard let outcome = name.flatMap(Outcome.init(rawValue:)) else {
                throw .invalid(path: reader.path(of: "outcome"), reason: "missing", allowed: outcomes)
            }
            (step, self.outcome) = (number - 1, outcome)
            limit = try reader.integer("limit", in: Self.limits) ?? Self.defaultLimit
        }
    }

    let steps: [Step]
    /// From step 1 on, inclusive.
    let windowMicros: Int64
    /// nil names nobody.
    let usersAt: UsersAt?

    static let members = ["steps", "funnel_steps", "window", "users_at"]
    static let stepCount = 2...32
    private static let defaultWindowMicros: Int64 = 14 * 86_400_000_000

    init(_ reader: ObjectReader, _ filters: FilterReader, warnings: inout [String]) throws(QueryError) {
        guard reader["steps"] == nil || reader["funnel_steps"] == nil else {
            throw .invalid(path: "funnel_steps", reason: "the steps are there already", allowed: ["steps"])
        }
        let name = reader["funnel_steps"] == nil ? "steps" : "funnel_steps"
        guard let value = reader[name] else {
            throw .invalid(path: name, reason: "missing", allowed: ["an array of 2 to 32 steps"])
        }
        guard value.asArray != nil, let list = try reader.list(name, atMost: Self.stepCount.upperBound),
            Self.stepCount.contains(list.count)
        else {
            throw .invalid(path: name, reason: "an array of 2 to 32 steps is expected")
        }
        var steps: [Step] = []
        for (value, path) in list { steps.append(try Self.step(value, filters, path: path, warnings: &warnings)) }
        self.steps = steps
        windowMicros = try reader.elapsedMicros("window") ?? Self.defaultWindowMicros
        let path = reader.path(of: "users_at")
        if let value = reader["users_at"] {
            usersAt = try UsersAt(value, stepCount: steps.count, path: path)
        } else {
            usersAt = nil
        }
    }

    private static func step(
        _ value: JSONValue, _ filterReader: FilterReader, path: String, warnings: inout [String]
    ) throws(QueryError) -> Step {
        let step = try ObjectReader(value, path: path, allowed: ["name", "event_type", "filters"])
        let type = try step.requiredString("event_type")
        var filter = Predicate.everything
        if let filters = step["filters"] {
            filter = try filterReader.predicate(filters, path: step.path(of: "filters"), warnings: &warnings)
        }
        return Step(name: try step.string("name") ?? type, type: Value(type), filter: filter)
    }
}
