import JSON

/// Where an event stands among all: by its time, then by its arrival. No two are equal.
struct EventPlace: Sendable, Hashable, Comparable {
    let timestampMicros: Int64
    let position: Int64

    init(timestampMicros: Int64, position: Int64) {
        (self.timestampMicros, self.position) = (timestampMicros, position)
    }

    static func < (left: EventPlace, right: EventPlace) -> Bool {
        (left.timestampMicros, left.position) < (right.timestampMicros, right.position)
    }

    // A cursor: the place of the last event that was shown, as two decimal numbers.

    init?(cursor text: String) {
        let parts = text.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 2, !text.utf8.contains(UInt8(ascii: "+")), let timestampMicros = Int64(parts[0]),
            let position = Int64(parts[1])
        else { return nil }
        self.init(timestampMicros: timestampMicros, position: position)
    }

    var cursor: String { "\(timestampMicros)_\(position)" }
}

/// The least of many elements, in memory for twice as many as are wanted.
struct Least<Element: Comparable & Sendable>: Sendable {
    private let limit: Int
    private var kept: [Element] = []
    /// What every element must be below from now on, as far as it is known.
    private(set) var bound: Element?

    /// - Parameter limit: how many are wanted; at least 1, a precondition.
    init(_ limit: Int) {
        precondition(limit > 0)
        self.limit = limit
    }

    /// O(log limit) on average.
    mutating func insert(_ element: Element) {
        if let bound, element >= bound { return }
        kept.append(element)
        if kept.count >= 2 * limit { cut() }
    }

    /// Makes the bound as low as what was seen so far allows.
    mutating func settle() { if kept.count >= limit { cut() } }

    private mutating func cut() {
        kept.sort()
        guard kept.count >= limit else { return }
        kept.removeLast(kept.count - limit)
        bound = kept.last
    }

    /// The least elements, ascending. O(limit × log limit).
    mutating func sorted() -> [Element] {
        cut()
        return kept
    }
}
