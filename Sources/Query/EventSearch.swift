import JSON
import Synchronization
import Table

/// Finds one page of events, whatever the number of those behind it.
struct EventSearch: Sendable {
    private let predicate: Predicate
    private let range: TimeRange
    private let person: Person?
    private let order: EventsQuestion.Order
    private let page: EventsQuestion.Page
    private let execution: Execution
    /// The chunk that may hold the page's first event comes first.
    private let pieces: [Scan.Piece]

    /// Chunks looked at before the next ones are left out by what was found: enough to keep the threads busy.
    private static let waveCount = 8
    /// What an event's members take beside their values.
    private static let eventBytes = 1024

    /// - Parameter person: whose events alone are wanted; nil for everybody's.
    init(
        _ question: Question, of person: Person?, _ order: EventsQuestion.Order, _ page: EventsQuestion.Page,
        _ snapshot: Snapshot, _ execution: Execution
    ) {
        predicate = question.filter.ofActivity
        (self.person, self.order, self.page, self.execution) = (person, order, page, execution)
        range = Self.range(question.range, order, after: page.after)
        let order = order
        pieces = Scan(snapshot, range, of: person).pieces.sorted {
            Self.rank($0.chunk, order) < Self.rank($1.chunk, order)
        }
    }

    /// What is left of the range behind the page before. Events of its last one's instant are told apart later.
    private static func range(
        _ range: TimeRange, _ order: EventsQuestion.Order, after place: EventPlace?
    ) -> TimeRange {
        guard let time = place?.timestampMicros else { return range }
        switch order {
        case .newestFirst: return TimeRange(from: range.from, to: time == .max ? range.to : min(range.to, time + 1))
        case .oldestFirst: return TimeRange(from: max(range.from, time), to: range.to)
        }
    }

    // MARK: Order

    /// An event that was found. Less is earlier on the page.
    private struct Found: Sendable, Comparable {
        let rank: EventPlace
        /// Of the sorted pieces.
        let piece: Int
        let row: UInt32

        static func < (left: Found, right: Found) -> Bool { left.rank < right.rank }
    }

    /// Turns the order of numbers round for the newest first.
    private static func rank(_ number: Int64, _ order: EventsQuestion.Order) -> Int64 {
        order == .newestFirst ? ~number : number
    }

    private static func rank(_ place: EventPlace, _ order: EventsQuestion.Order) -> EventPlace {
        EventPlace(
            timestampMicros: rank(place.timestampMicros, order), position: rank(place.position, order))
    }

    /// The time at which a chunk's first event in the order may be.
    private static func rank(_ chunk: Chunk, _ order: EventsQuestion.Order) -> Int64 {
        let times = chunk.timestampsMicros
        return rank(order == .newestFirst ? times.upperBound : times.lowerBound, order)
    }

    // MARK: Pages

    struct Result: Sendable {
        /// In the columns of `EventReader`.
        fileprivate(set) var events: [[JSONValue]]
        /// nil if there is nothing behind the page.
        fileprivate(set) var next: EventPlace?
        fileprivate(set) var report: ScanReport
    }

    /// - Throws: `.overBudget` if the page's events take more than they may.
    func result() throws -> Result {
        var report = ScanReport()
        // One more than the page has, to know whether there is a next one.
        var least = Least<Found>(page.limit + 1)
        for start in stride(from: 0, to: pieces.count, by: Self.waveCount) {
            let bound = least.bound
            if let bound, Self.rank(pieces[start].chunk, order) > bound.rank.timestampMicros { break }
            let wave = start..<min(start + Self.waveCount, pieces.count)
            let parts = Mutex<[Part]>([])
            try execution.forEach(wave.count, make: { try part(of: start + $0, below: bound) }) { _, part in
                parts.withLock { $0.append(part) }
            }
            for index in wave { report.read(pieces[index].chunk) }
            for part in parts.withLock({ $0 }) {
                for found in part.found { least.insert(found) }
                report.add(0, [], part.ambiguousNames)
            }
            least.settle()
        }
        let found = least.sorted()
        let shown = found.prefix(page.limit)
        let next = found.count > page.limit ? shown.last.map { Self.rank($0.rank, order) } : nil
        return Result(events: try events(Array(shown)), next: next, report: report)
    }

    private struct Part: Sendable {
        var found: [Found]
        let ambiguousNames: Set<[UInt8]>
    }

    private func part(of index: Int, below bound: Found?) throws -> Part {
        let view = ChunkView(pieces[index].chunk, execution)
        let rows =
            if let person {
                try view.rows(predicate, in: range, of: person)
            } else {
                try view.rows(predicate, in: range, .all)
            }
        guard !rows.isEmpty else { return Part(found: [], ambiguousNames: view.ambiguousNames) }
        let times = try view.integers(.timestamp)
        let positions = try view.integers(.position)
        let last = page.after.map { Self.rank($0, order) }
        var least = Least<Found>(page.limit + 1)
        for row in rows {
            let place = EventPlace(timestampMicros: times[Int(row)], position: positions[Int(row)])
            let found = Found(rank: Self.rank(place, order), piece: index, row: row)
            if let last, found.rank <= last { continue }
            if let bound, found >= bound { continue }
            least.insert(found)
        }
        return Part(found: least.sorted(), ambiguousNames: view.ambiguousNames)
    }

    // MARK: Values

    /// The events' values, chunk by chunk, in the order of the page.
    private func events(_ found: [Found]) throws -> [[JSONValue]] {
        var places: [Int: [Int]] = [:]
        for (place, event) in found.enumerated() { places[event.piece, default: []].append(place) }
        let chunks = places.sorted { $0.key < $1.key }
        let events = Mutex([[JSONValue]](repeating: [], count: found.count))
        let byteCount = Mutex(0)
        let budgetBytes = execution.budgetBytes
        try execution.forEach(
            chunks.count,
            make: { index in
                let reader = try EventReader(ChunkView(pieces[chunks[index].key].chunk, execution))
                return try chunks[index].value.map { place in
                    try execution.check()
                    let event = reader.event(Int(found[place].row))
                    let eventBytes = event.reduce(Self.eventBytes) { $0 + $1.memoryBytes }
                    let neededBytes = byteCount.withLock { total in
                        total += eventBytes
                        return total
                    }
                    guard neededBytes <= budgetBytes else {
                        throw QueryError.overBudget(neededBytes: neededBytes, budgetBytes: budgetBytes)
                    }
                    return event
                }
            },
            take: { index, rows in
                events.withLock { events in
                    for (place, row) in zip(chunks[index].value, rows) { events[place] = row }
                }
            })
        return events.withLock { $0 }
    }
}

/// Answers a question for events.
struct EventsAnswer: Sendable {
    private let question: Question
    private let snapshot: Snapshot
    private let search: EventSearch

    init(_ question: Question, _ events: EventsQuestion, _ snapshot: Snapshot, _ execution: Execution) {
        (self.question, self.snapshot) = (question, snapshot)
        search = EventSearch(question, of: nil, events.order, events.page, snapshot, execution)
    }

    func answer() throws -> Answer {
        let result = try search.result()
        return Answer(
            kind: "events", rowsName: "events", columns: EventReader.columns, rows: result.events,
            totals: [JSONObject.Member("next_cursor", result.next.map { .string($0.cursor) } ?? nil)],
            meta: Answer.Meta(question, snapshot, result.report))
    }
}
