import Events
import TestSupport

/// Random events of every shape a batch can hold.
struct RandomEvents {
    var random: SeededRandom

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    mutating func events(_ count: Int) -> [Event] {
        // Some batches lack whole columns, so the chance of each is drawn once.
        let chances: [Double] = (0..<7).map { _ in ([0, 0.1, 0.5, 1] as [Double]).randomElement(using: &random) ?? 0 }
        return (0..<count).map { _ in event(chances) }
    }

    private mutating func event(_ chances: [Double]) -> Event {
        var event = Event(type: text(1...20), timestampMicros: time())
        if random.chance(chances[0]) { event.userID = text(1...30) }
        if random.chance(chances[1]) { event.anonymousID = text(1...30) }
        if random.chance(chances[2]) { event.sessionID = text(1...512) }
        if random.chance(chances[3]) { event.groupKey = text(1...5) }
        if random.chance(chances[4]) {
            event.isServerSide = random.chance(0.5)
            event.consent = Event.Consent.allCases.randomElement(using: &random) ?? .unknown
        }
        if random.chance(chances[5]) { event.eventID = EventID(bytes: random.bytes(16)) }
        if random.chance(chances[6]) { event.values = values() }
        return event
    }

    private mutating func time() -> Int64 {
        switch Int.random(in: 0..<10, using: &random) {
        case 0: Int64(bitPattern: random.next())
        case 1: [Int64.min, -1, 0, 1, Int64.max].randomElement(using: &random) ?? 0
        default: 1_700_000_000_000_000 + Int64.random(in: 0..<1_000_000_000, using: &random)
        }
    }

    private mutating func values() -> [EventValue] {
        var taken: Set<String> = []
        return (0..<Int.random(in: 0..<8, using: &random)).compactMap { _ in
            let scope = EventValue.Scope.allCases.randomElement(using: &random) ?? .property
            let name = ["a", "b", "ab", "ключ", text(1...40)].randomElement(using: &random) ?? "a"
            guard taken.insert("\(scope.rawValue)\(name)").inserted else { return nil }
            return EventValue(scope, name, value())
        }
    }

    private mutating func value() -> EventValue.Value {
        switch Int.random(in: 0..<5, using: &random) {
        case 0: return .bool(random.chance(0.5))
        case 1: return .int64(Int64(bitPattern: random.next()) >> Int64.random(in: 0..<64, using: &random))
        case 2:
            let number = Double(bitPattern: random.next())
            return .float64(number.isFinite ? number : -0.0)
        case 3: return .string(text(0...60))
        default: return .json(["null", "[1,2]", "{\"a\":\"é\"}", " 1.5e3 "].randomElement(using: &random) ?? "null")
        }
    }

    private mutating func text(_ length: ClosedRange<Int>) -> String {
        let alphabet = ["a", "b", "$", "0", " ", "é", "ж", "€", "😀", "\u{0}"]
        // Few letters and mostly short, so that texts repeat; cut to the allowed bytes.
        let wanted = random.chance(0.98) ? min(length.upperBound, max(length.lowerBound, 3)) : length.upperBound
        var text = length.lowerBound > 0 ? "x" : ""
        while true {
            let letter = alphabet.randomElement(using: &random) ?? "a"
            if text.utf8.count + letter.utf8.count > wanted { return text }
            text += letter
        }
    }
}

extension Event {
    /// The same event with its values in a batch's order.
    var sorted: Event {
        var event = self
        event.values.sort { left, right in
            left.scope == right.scope
                ? left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
                : left.scope.rawValue < right.scope.rawValue
        }
        return event
    }
}
