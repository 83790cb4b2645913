import JSON
import Synchronization
import Table
import Zones

/// Answers a funnel: the chunks give the events that a step can use, then each range of keys walks its users through
/// all days.
struct FunnelRun: Sendable {
    private let question: Question
    private let funnel: FunnelQuestion
    private let scan: Scan
    private let clockMicros: Int64
    private let horizon: Int64
    private let execution: Execution

    init(_ question: Question, _ funnel: FunnelQuestion, _ snapshot: Snapshot, _ execution: Execution) {
        self.question = question
        self.funnel = funnel
        self.execution = execution
        clockMicros = snapshot.clockMicros
        // The last entry is before `to`; its window holds its last instant.
        let (end, overflowed) = question.range.to.addingReportingOverflow(funnel.windowMicros)
        horizon = overflowed ? .max : end
        scan = Scan(snapshot, TimeRange(from: question.range.from, to: horizon))
    }

    func answer() throws -> FunnelResult {
        let totals = Mutex(FunnelCounts(stepCount: funnel.steps.count))
        let users = Mutex(funnel.usersAt.map { FunnelUsers(limit: $0.limit) })
        let report = Mutex(ScanReport(scan))
        let bytes = scan.rowCount * FunnelEvents.bytesPerRow
        for band in try KeyBand.bands(gathering: bytes, budgetBytes: execution.budgetBytes) {
            let pieces = scan.pieces.filter { band.overlaps($0.chunk) }
            let gathered = Mutex<[FunnelEvents]>([])
            try execution.forEach(pieces.count, make: { try events(of: pieces[$0], band) }) { _, part in
                gathered.withLock { $0 += part.events }
                report.withLock { $0.add(0, [], part.ambiguousNames) }
            }
            let days = Dictionary(grouping: gathered.withLock { $0 }, by: \.day).sorted { $0.key < $1.key }.map(\.value)
            try execution.forEach(band.ranges.count, make: { walk(days, range: band.ranges.lowerBound + $0) }) {
                _, walked in
                totals.withLock { $0.add(walked.counts) }
                if let found = walked.users { users.withLock { $0?.merge(found) } }
            }
        }
        return FunnelResult(
            counts: totals.withLock { $0 }, users: try users.withLock { $0 }.map(named), report: report.withLock { $0 })
    }

    /// Gives the users their ids.
    private func named(_ users: FunnelUsers) throws -> FunnelResult.Users {
        var users = users
        let named = users.named()
        var ids: [Int64: PersonID] = [:]
        try PersonIDs(scan, execution).forEach(named.map(\.key)) { ids[$0] = $1 }
        let people = named.compactMap { user in
            ids[user.key].map { (id: $0, reachedMicros: user.reachedMicros) }
        }
        return FunnelResult.Users(people: people, count: users.count)
    }

    private struct Part: Sendable {
        let events: [FunnelEvents]
        let ambiguousNames: Set<[UInt8]>
    }

    private func events(of piece: Scan.Piece, _ band: KeyBand) throws -> Part {
        let view = ChunkView(piece.chunk, execution)
        let events = try FunnelEvents.of(
            view, day: piece.day, steps: funnel.steps, filter: question.filter,
            entries: question.range, horizon: horizon, band)
        return Part(events: events, ambiguousNames: view.ambiguousNames)
    }

    private struct Walked: Sendable {
        let counts: FunnelCounts
        let users: FunnelUsers?
    }

    private func walk(_ days: [[FunnelEvents]], range: Int) -> Walked {
        var states = FunnelStates(
            stepCount: funnel.steps.count, windowMicros: funnel.windowMicros, followedStep: funnel.usersAt?.step)
        for day in days {
            let pieces = day.filter { $0.rangeStarts[range] < $0.rangeStarts[range + 1] }
            switch pieces.count {
            case 0: continue
            case 1: states.add(pieces[0], pieces[0].rangeStarts[range]..<pieces[0].rangeStarts[range + 1])
            default:
                let merged = FunnelEvents.merged(pieces, range: range)
                states.add(merged, merged.keys.indices)
            }
        }
        return Walked(
            counts: states.counts(clockMicros: clockMicros),
            users: funnel.usersAt.map { states.users($0.outcome, clockMicros: clockMicros, limit: $0.limit) })
    }
}

struct FunnelResult {
    struct Users {
        let people: [(id: PersonID, reachedMicros: Int64)]
        let count: Int
    }

    let counts: FunnelCounts
    /// nil where nobody is to be named.
    let users: Users?
    let report: ScanReport
}

extension Answer {
    init(_ question: Question, _ funnel: FunnelQuestion, _ snapshot: Snapshot, _ result: FunnelResult) {
        kind = "funnel"
        rowsName = "steps"
        columns = [
            "step", "users", "conversion_rate", "drop_off", "from_first", "conversion_rate_closed", "dropped",
            "in_progress",
        ]
        let users = result.counts.users
        let inProgress = result.counts.inProgress
        rows = funnel.steps.indices.map { step in
            let isLast = step == funnel.steps.count - 1
            let dropped = isLast ? 0 : users[step] - users[step + 1] - inProgress[step]
            let previous = step == 0 ? users[0] : users[step - 1]
            let open = step == 0 ? 0 : inProgress[step - 1]
            return [
                .string(funnel.steps[step].name), .integer(Int64(users[step])),
                // As the seed has it: the first step is always 1.
                step == 0 ? 1.0 : Self.rate(users[step], of: previous),
                step == 0 ? 0.0 : Self.rate(previous - users[step] - open, of: previous),
                Self.rate(users[step], of: users[0]),
                step == 0 ? 1.0 : Self.rate(users[step], of: previous - open),
                .integer(Int64(dropped)), .integer(Int64(inProgress[step])),
            ]
        }
        let overall = JSONObject.Member("overall_conversion_rate", Self.rate(users[users.count - 1], of: users[0]))
        totals = [overall] + (result.users?.members ?? [])
        meta = Meta(question, snapshot, result.report)
    }

    /// 0 of nobody.
    private static func rate(_ part: Int, of whole: Int) -> JSONValue {
        .number(whole == 0 ? 0 : Double(part) / Double(whole))
    }
}

extension FunnelResult.Users {
    fileprivate var members: [JSONObject.Member] {
        let users = people.map { person -> JSONValue in
            [
                "user_id": person.id.json, "anonymous": .bool(person.id.isAnonymous),
                "reached_at": .string(ISO8601.format(micros: person.reachedMicros)),
            ]
        }
        return [JSONObject.Member("users", .array(users)), JSONObject.Member("user_count", .integer(Int64(count)))]
    }
}
