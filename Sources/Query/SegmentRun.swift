import Events
import JSON
import Synchronization
import Table

/// Answers who is in a segment: each chunk counts for its people, then each range of keys adds them up.
struct SegmentRun: Sendable {
    private struct Counted: Sendable {
        let predicate: Predicate
        let times: SegmentQuestion.Times
        let range: TimeRange
    }

    private struct Trait: Sendable {
        let field: Field
        let predicate: Predicate
        /// Events that have it.
        let bearers: Predicate
    }

    /// Where a condition of the question is kept.
    private enum Slot: Sendable {
        case count(Int)
        case trait(Int)
    }

    private let question: Question
    private let segment: SegmentQuestion
    private let snapshot: Snapshot
    private let scan: Scan
    private let execution: Execution
    private let activity: Predicate
    private var counted: [Counted] = []
    private var traits: [Trait] = []
    private var slots: [Slot] = []

    init(_ question: Question, _ segment: SegmentQuestion, _ snapshot: Snapshot, _ execution: Execution) {
        (self.question, self.segment, self.snapshot, self.execution) = (question, segment, snapshot, execution)
        scan = Scan(snapshot, question.range)
        let predicates = segment.conditions.compactMap { condition in
            if case .events(let predicate, _, _) = condition { predicate } else { nil }
        }
        // Reserved types that a condition names are activity here.
        activity = Predicate.all([question.filter, .any([.everything] + predicates)]).ofActivity
        for condition in segment.conditions {
            switch condition {
            case .events(let predicate, let times, let withinMicros):
                slots.append(.count(counted.count))
                counted.append(
                    Counted(
                        predicate: .all([activity, predicate]), times: times,
                        range: Self.last(withinMicros, of: question.range, clockMicros: snapshot.clockMicros)))
            case .trait(let field, let predicate):
                slots.append(.trait(traits.count))
                let isOfGroup = Predicate.test(.eventType, .isIn([Value(ReservedType.group.rawValue)]))
                let bearers = Predicate.all([question.filter, .not(isOfGroup), .test(field, .exists)])
                traits.append(Trait(field: field, predicate: predicate, bearers: bearers))
            }
        }
    }

    /// The last part of a range; one without an end ends with the snapshot's clock.
    private static func last(_ micros: Int64?, of range: TimeRange, clockMicros: Int64) -> TimeRange {
        guard let micros else { return range }
        let end = range.to == .max ? clockMicros : range.to
        let (start, overflowed) = end.subtractingReportingOverflow(micros)
        return TimeRange(from: overflowed ? range.from : max(range.from, start), to: range.to)
    }

    func answer() throws -> Answer {
        let matched = Mutex<[Int64]>([])
        let report = Mutex(ScanReport(scan))
        let budgetBytes = execution.budgetBytes
        let rowBytes = SegmentUsers.bytesPerRow(countsPerUser: counted.count, traitsPerUser: traits.count)
        for band in try KeyBand.bands(gathering: scan.rowCount * rowBytes, budgetBytes: budgetBytes) {
            let pieces = scan.pieces.filter { band.overlaps($0.chunk) }
            let gathered = Mutex<[SegmentUsers]>([])
            try execution.forEach(pieces.count, make: { try part(of: pieces[$0].chunk, band) }) { _, part in
                gathered.withLock { $0.append(part.users) }
                report.withLock { $0.add(0, [], part.ambiguousNames) }
            }
            let parts = gathered.withLock { $0 }
            try execution.forEach(band.ranges.count, make: { matches(parts, range: band.ranges.lowerBound + $0) }) {
                _, keys in
                try matched.withLock { matched in
                    matched += keys
                    let neededBytes = matched.count * MemoryLayout<Int64>.size
                    guard neededBytes <= budgetBytes else {
                        throw QueryError.overBudget(neededBytes: neededBytes, budgetBytes: budgetBytes)
                    }
                }
            }
        }
        let keys = matched.withLock { $0 }
        var ids = Least<PersonID>(segment.limit)
        try PersonIDs(scan, execution).forEach(keys) { ids.insert($1) }
        let shown = ids.sorted().prefix(segment.limit).map(\.json)
        return Answer(
            kind: "segment", rowsName: nil, columns: [], rows: [],
            totals: [
                JSONObject.Member("user_ids", .array(Array(shown))),
                JSONObject.Member("user_count", .integer(Int64(keys.count))),
            ], meta: Answer.Meta(question, snapshot, report.withLock { $0 }))
    }

    // MARK: Chunks

    private struct Part: Sendable {
        let users: SegmentUsers
        let ambiguousNames: Set<[UInt8]>
    }

    private func part(of chunk: Chunk, _ band: KeyBand) throws -> Part {
        let view = ChunkView(chunk, execution)
        let userKeys = try view.integers(.userKey)
        let bearers = Predicate.any([activity] + traits.map(\.bearers))
        let everybody = try view.rows(bearers, in: question.range, band)
        var users = SegmentUsers(
            userKeys: userKeys, everybody, countsPerUser: counted.count, traitsPerUser: traits.count)
        for (index, condition) in counted.enumerated() where !everybody.isEmpty {
            users.count(
                try view.rows(condition.predicate, in: condition.range, band), userKeys, condition: index)
        }
        for (index, trait) in traits.enumerated() where !everybody.isEmpty {
            let rows = try view.rows(trait.bearers, in: question.range, band)
            guard !rows.isEmpty else { continue }
            let mask = try view.mask(trait.predicate)
            let times = try view.integers(.timestamp)
            let positions = try view.integers(.position)
            users.note(rows, userKeys, trait: index) { row in
                TraitState(
                    EventPlace(timestampMicros: times[row], position: positions[row]), passes: mask.passes(row))
            }
        }
        return Part(users: users, ambiguousNames: view.ambiguousNames)
    }

    // MARK: People

    private func matches(_ parts: [SegmentUsers], range: Int) -> [Int64] {
        var states = SegmentStates(countsPerUser: counted.count, traitsPerUser: traits.count)
        for part in parts { states.add(part, range: range) }
        return states.keys { counts, latest in
            segment.definition.holds { number in
                switch slots[number] {
                case .count(let index): counted[index].times.holds(counts[counts.startIndex + index])
                case .trait(let index): holds(latest[latest.startIndex + index], traits[index].predicate)
                }
            }
        }
    }

    /// Who never had the trait has no value of it.
    private func holds(_ state: TraitState, _ predicate: Predicate) -> Bool {
        state.isNone ? predicate.holdsForNothing : state.passes
    }
}

extension Predicate {
    /// Whether it holds where every value is missing.
    fileprivate var holdsForNothing: Bool {
        switch self {
        case .all(let parts): parts.allSatisfy(\.holdsForNothing)
        case .any(let parts): parts.contains(where: \.holdsForNothing)
        case .not(let part): !part.holdsForNothing
        case .test: false
        }
    }
}
