import Events
import JSON
import Synchronization
import Table
import Zones

/// Answers what one person did, from the chunks that can hold his keys.
struct UserRun: Sendable {
    private let question: Question
    private let user: UserQuestion
    private let person: Person
    private let scan: Scan
    private let snapshot: Snapshot
    private let execution: Execution

    init(_ question: Question, _ user: UserQuestion, _ snapshot: Snapshot, _ execution: Execution) {
        (self.question, self.user, self.snapshot, self.execution) = (question, user, snapshot, execution)
        person = Person(user.id, snapshot.project)
        scan = Scan(snapshot, question.range, of: person)
    }

    func answer() throws -> Answer {
        let profile = Mutex(UserProfile())
        let report = Mutex(ScanReport(scan))
        let budgetBytes = execution.budgetBytes
        try execution.forEach(scan.pieces.count, make: { try part(of: scan.pieces[$0].chunk) }) { _, part in
            try profile.withLock { profile in
                profile.merge(part.profile)
                guard profile.byteCount <= budgetBytes else {
                    throw QueryError.overBudget(neededBytes: profile.byteCount, budgetBytes: budgetBytes)
                }
            }
            report.withLock { $0.add(0, [], part.ambiguousNames) }
        }
        let found = profile.withLock { $0 }
        var warnings: [String] = []
        if found.hasUser && found.hasAnonymous {
            warnings.append("user_id: a user and an anonymous person are called so; the answer is about both")
        }
        var totals = [JSONObject.Member("user", found.json(user.id))]
        var page: EventSearch.Result?
        if let timeline = user.timeline {
            let search = EventSearch(question, of: person, .newestFirst, timeline, snapshot, execution)
            page = try search.result()
            totals.append(JSONObject.Member("next_cursor", page?.next.map { .string($0.cursor) } ?? nil))
        }
        let meta = Answer.Meta(question, snapshot, report.withLock { $0 }, warnings: warnings)
        return Answer(
            kind: "user", rowsName: page == nil ? nil : "events", columns: page == nil ? [] : EventReader.columns,
            rows: page?.events ?? [], totals: totals, meta: meta)
    }

    private struct Part: Sendable {
        var profile = UserProfile()
        var ambiguousNames = Set<[UInt8]>()
    }

    private func part(of chunk: Chunk) throws -> Part {
        let view = ChunkView(chunk, execution)
        var part = Part()
        let rows = try view.rows(question.filter, in: question.range, of: person)
        guard !rows.isEmpty else {
            part.ambiguousNames = view.ambiguousNames
            return part
        }
        let activity = try view.rows(question.filter.ofActivity, in: question.range, of: person)
        try execution.forEachPart(of: activity) { try part.profile.add(activity: $0, view, question.zone) }
        try execution.forEachPart(of: rows) { try part.profile.add(descriptions: $0, view) }
        part.ambiguousNames = view.ambiguousNames
        return part
    }
}
