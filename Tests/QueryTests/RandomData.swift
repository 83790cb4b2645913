import Events
import JSON
import TestSupport
import Zones

/// Events with everything that makes questions hard: equal times, missing and mixed values, users under several ids.
struct RandomData {
    var random: SeededRandom
    let types = ["page_view", "click", "purchase", "sign_up", "$identify", "$reset"]
    let start: Int64
    let spanMicros: Int64

    init(seed: UInt64, start: String, days: Int) {
        random = SeededRandom(seed: seed)
        self.start = micros(start)
        spanMicros = Int64(days) * 86_400_000_000
    }

    mutating func pick<T>(_ choices: [T]) -> T { choices.randomElement(using: &random)! }

    mutating func value() -> EventValue.Value {
        switch Int.random(in: 0..<7, using: &random) {
        case 0: .bool(random.chance(0.5))
        case 1: .int64(Int64.random(in: -3...3, using: &random))
        case 2: .float64(Double(Int.random(in: -20...20, using: &random)) / 8)
        case 3: .json(pick(["null", "[1,2]", "{\"a\":1}", "2", "\"b\"", "1.5", "true"]))
        default: .string(pick(["a", "b", "c", "é", "e\u{301}"]))
        }
    }

    mutating func event() -> Event {
        // Coarse steps of time make equal instants common.
        let step = random.chance(0.5) ? Int64(3_600_000_000) : 700_000_000
        let offset = Int64.random(in: 0..<spanMicros, using: &random) / step * step
        var event = Event(type: pick(types), timestampMicros: start + offset)
        if random.chance(0.7) { event.userID = pick(["u1", "u2", "u3", "u4", "x"]) }
        if random.chance(0.5) { event.anonymousID = pick(["a1", "a2", "x"]) }
        if random.chance(0.5) { event.sessionID = pick(["s1", "s2", "s3"]) }
        if random.chance(0.1) { event.groupKey = pick(["g1", "g2"]) }
        event.isServerSide = random.chance(0.1)
        event.consent = pick([.unknown, .granted, .denied])
        for (scope, name) in [
            (EventValue.Scope.property, "amount"), (.property, "page_name"), (.property, "color"), (.device, "color"),
            (.device, "type"), (.location, "country"), (.context, "color"), (.trait, "plan"),
        ] where random.chance(0.4) {
            let isPlain = random.chance(0.6)
            let number = Double(Int.random(in: 0...80, using: &random)) / 8
            let plain: EventValue.Value = name == "amount" ? .float64(number) : .string(pick(["a", "b"]))
            // The amount's own column takes numbers; texts go beside it.
            let other = name == "amount" ? pick([.int64(3), .string("7"), .int64(-1)]) : value()
            event.values.append(EventValue(scope, name, isPlain ? plain : other))
        }
        return event
    }

    mutating func events(_ count: Int) -> [Event] { (0..<count).map { _ in event() } }

    // MARK: Questions

    private let fields = [
        "event_type", "user_id", "anonymous_id", "session_id", "group_key", "consent", "server_side",
        "properties.amount", "properties.page_name", "properties.color", "device.type", "location.country",
        "traits.plan", "color", "page_name", "amount",
    ]

    mutating func operand() -> JSONValue {
        pick([
            "a", "b", "u1", "x", "a1", "page_view", "purchase", "$identify", "$reset", "granted", "s1", 1, 2, 0.5,
            1.5, true, "é", 0,
        ])
    }

    mutating func filter(depth: Int = 2) -> JSONValue {
        if depth > 0, random.chance(0.5) {
            switch Int.random(in: 0..<3, using: &random) {
            case 0: return ["not": filter(depth: depth - 1)]
            case 1: return ["and": [filter(depth: depth - 1), filter(depth: depth - 1)]]
            default: return ["or": [filter(depth: depth - 1), filter(depth: depth - 1)]]
            }
        }
        let field = random.chance(0.2) ? "event_type" : pick(fields)
        switch pick(["eq", "eq", "ne", "in", "not_in", "lt", "gte", "contains", "starts_with", "exists", "not_exists"])
        {
        case let op where op == "in" || op == "not_in":
            return ["field": .string(field), "op": .string(op), "value": [operand(), operand(), operand()]]
        case let op where op == "lt" || op == "gte":
            return ["field": .string(field), "op": .string(op), "value": pick([1, 0.5, "b", 3])]
        case let op where op == "contains" || op == "starts_with":
            return ["field": .string(field), "op": .string(op), "value": pick(["a", "u", "page", "1", "", "$", "$i"])]
        case let op where op == "exists" || op == "not_exists": return ["field": .string(field), "op": .string(op)]
        case let op: return ["field": .string(field), "op": .string(op), "value": operand()]
        }
    }

    mutating func aggregate(zones: [String]) -> JSONValue {
        var metrics: [JSONValue] = ["count"]
        for (type, field) in [
            ("count_distinct", "user_id"), ("count_distinct", "color"), ("sum", "properties.color"), ("avg", "amount"),
            ("min", "properties.amount"), ("max", "color"), ("sum", "traits.plan"),
        ] where random.chance(0.5) {
            metrics.append(["type": .string(type), "field": .string(field)])
        }
        var groups: [JSONValue] = []
        for field in fields.shuffled(using: &random).prefix(Int.random(in: 0...2, using: &random)) {
            groups.append(.string(field))
        }
        if random.chance(0.5) { groups.append(pick(["day", "hour", ["time": "week"], ["time": "month"]])) }
        var question: JSONObject = JSONObject([
            .init("kind", "aggregate"), .init("metrics", .array(metrics)), .init("group_by", .array(groups)),
            .init("time_zone", .string(pick(zones))), .init("week_start", pick(["monday", "sunday", "saturday"])),
        ])
        if random.chance(0.7) { question["filters"] = filter() }
        if random.chance(0.5) {
            question["order_by"] = pick(["count DESC", "count", ["field": "count", "direction": "desc"]])
        }
        if random.chance(0.3) { question["limit"] = pick([1, 2, 5]) }
        if random.chance(0.6) { question["date_range"] = dateRange() }
        return .object(question)
    }

    mutating func dateRange() -> JSONValue {
        let days = Int(spanMicros / 86_400_000_000)
        let first = Int.random(in: -1..<days, using: &random)
        let last = Int.random(in: first...days, using: &random)
        func date(_ day: Int) -> JSONValue {
            .string(CivilDate(daysSinceEpoch: Int(start / 86_400_000_000) + day).description)
        }
        return ["start": date(first), "end": date(last)]
    }

    mutating func segment(depth: Int = 2) -> JSONValue {
        if depth > 0, random.chance(0.5) {
            switch Int.random(in: 0..<3, using: &random) {
            case 0: return ["not": segment(depth: depth - 1)]
            case 1: return ["all": [segment(depth: depth - 1), segment(depth: depth - 1)]]
            default: return ["any": [segment(depth: depth - 1), segment(depth: depth - 1)]]
            }
        }
        if random.chance(0.5) {
            var did = JSONObject([.init(pick(["did", "event_type"]), .string(pick(types)))])
            if random.chance(0.6) {
                let count = Int64.random(in: 0...4, using: &random)
                did["times"] = .object(JSONObject([.init(pick(["eq", "gte", "gt", "lte", "lt"]), .integer(count))]))
            }
            if random.chance(0.4) { did["within"] = pick(["1d", "12_hours", ["days": 2]]) }
            if random.chance(0.3) { did["filters"] = filter(depth: 1) }
            return .object(did)
        }
        var test = JSONObject()
        if random.chance(0.5) {
            test["property"] = .string(pick(fields))
        } else {
            test["trait"] = pick(["plan", "plan", "color"])
        }
        test["op"] = pick(["eq", "ne", "in", "gte", "contains", "exists", "not_exists"])
        switch test["op"]?.asString {
        case "exists", "not_exists": break
        case "in": test["value"] = [operand(), operand()]
        case "gte": test["value"] = pick([1, "b"])
        case "contains": test["value"] = pick(["a", "1"])
        default: test["value"] = operand()
        }
        return .object(test)
    }
}
