import Events
import TestSupport

/// Random events that reach every column, over a few days around the end of February 2024.
struct TableEvents {
    var random: SeededRandom
    /// Explicit ids come from so many, so that some repeat.
    var idCount = 12

    static let dayMicros: Int64 = 86_400_000_000
    /// 2024-02-27T00:00:00Z.
    static let startMicros: Int64 = 1_708_992_000_000_000

    /// Three events of one user.
    static var few: [Event] {
        (0..<3).map { index in
            var event = Event(type: "t\(index)", timestampMicros: startMicros + Int64(index))
            event.userID = "u1"
            return event
        }
    }

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    mutating func events(_ count: Int) -> [Event] {
        // Some batches lack whole columns, so the chance of each is drawn once.
        let chances: [Double] = (0..<7).map { _ in ([0, 0.2, 0.7, 1] as [Double]).randomElement(using: &random) ?? 0 }
        return (0..<count).map { _ in event(chances) }
    }

    private mutating func event(_ chances: [Double]) -> Event {
        let types = ["page_view", "feature_use", "purchase", "ошибка 😀", "$identify", "$alias", "$group", "$set_traits"]
        var event = Event(type: pick(types), timestampMicros: time())
        if random.chance(chances[0]) { event.userID = pick(["u1", "u2", "жанна", "a"]) }
        if random.chance(chances[1]) { event.anonymousID = pick(["u1", "b", "\u{0}", "😀"]) }
        if random.chance(chances[2]) { event.sessionID = pick(["s1", "s2"]) + pick(["", "-2"]) }
        if random.chance(chances[3]) { event.groupKey = pick(["acme", "\"quoted\"\n"]) }
        if random.chance(chances[4]) {
            event.isServerSide = random.chance(0.5)
            event.consent = Event.Consent.allCases.randomElement(using: &random) ?? .unknown
        }
        if random.chance(chances[5]) {
            let number = UInt8(Int.random(in: 0..<idCount, using: &random))
            event.eventID = EventID(bytes: [UInt8](repeating: number &* 21, count: 15) + [number])
        }
        if random.chance(chances[6]) { event.values = values(event.type) }
        return event
    }

    private mutating func time() -> Int64 {
        let day = Int64.random(in: 0..<4, using: &random) * Self.dayMicros
        switch Int.random(in: 0..<6, using: &random) {
        case 0: return Self.startMicros + day
        case 1: return Self.startMicros + day + Self.dayMicros - 1
        default: return Self.startMicros + day + Int64.random(in: 0..<Self.dayMicros, using: &random)
        }
    }

    private mutating func values(_ type: String) -> [EventValue] {
        var taken: Set<String> = []
        let names = [
            "url", "amount", "amount", "currency", "form_name", "os", "type", "city", "country", "plan", "a", "ключ",
            "previous_id", "stack_trace",
        ]
        return (0..<Int.random(in: 0..<9, using: &random)).compactMap { _ in
            let scope = EventValue.Scope.allCases.randomElement(using: &random) ?? .property
            let name = pick(names)
            guard taken.insert("\(scope.rawValue)\(name)").inserted else { return nil }
            return EventValue(scope, name, name == "previous_id" ? .string(pick(["old", "u1"])) : value())
        }
    }

    private mutating func value() -> EventValue.Value {
        switch Int.random(in: 0..<6, using: &random) {
        case 0: return .bool(random.chance(0.5))
        case 1:
            let edges: [Int64] = [1 << 53, (1 << 53) + 1, -(1 << 53), -(1 << 53) - 1, .min, .max, 0]
            return .int64(edges.randomElement(using: &random) ?? 0)
        case 2: return .float64([0.1, -0.0, .leastNonzeroMagnitude, 1e300, 2].randomElement(using: &random) ?? 0)
        case 3, 4: return .string(pick(["", "x", "/pricing?a=b", "é\"\\\u{1}", "漢字 😀"]))
        default: return .json(pick(["null", "[1,2]", "{\"a\":\"é\"}", " 1.5e3 ", "\"text\""]))
        }
    }

    private mutating func pick(_ texts: [String]) -> String { texts.randomElement(using: &random) ?? "" }
}
