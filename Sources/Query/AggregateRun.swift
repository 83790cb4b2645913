import Synchronization
import Table
import Zones

/// Answers an aggregate: each chunk is grouped and counted by itself, then the chunks' groups merge.
struct AggregateRun: Sendable {
    private let question: Question
    private let aggregate: AggregateQuestion
    private let scan: Scan
    private let execution: Execution
    private let calendar: Calendar
    private let predicate: Predicate
    private let countsUsers: Bool
    /// The place of the first metric that a mix of currencies would make meaningless; nil where groups tell them apart.
    private let amountPath: String?

    init(_ question: Question, _ aggregate: AggregateQuestion, _ snapshot: Snapshot, _ execution: Execution) {
        self.question = question
        self.aggregate = aggregate
        self.execution = execution
        scan = Scan(snapshot, question.range)
        calendar = Calendar(zone: question.zone, weekStart: question.weekStart)
        predicate = question.filter.ofActivity
        countsUsers = aggregate.metrics.contains {
            if case .countDistinct(.person) = $0.measure { true } else { false }
        }
        let isByCurrency = aggregate.groups.contains {
            if case .field(let field) = $0.dimension { field.isProperty(Field.currency) } else { false }
        }
        let amounts = aggregate.metrics.filter {
            switch $0.measure {
            case .sum(let field), .average(let field), .least(let field), .greatest(let field):
                field.isProperty(Field.amount)
            case .count, .countDistinct: false
            }
        }
        amountPath = isByCurrency ? nil : amounts.first?.path
    }

    /// What one chunk adds.
    private struct Part: Sendable {
        var keys: [[Value?]] = []
        var states: [[MetricState]] = []
        var users: UserPairs?
        var currencies = Set<Value>()
        var ambiguousNames = Set<[UInt8]>()
        var skipped = 0
    }

    func answer() throws -> AggregateResult {
        let pairBytes = countsUsers ? scan.rowCount * UserPairs.bytesPerRow : 0
        let groups = Mutex(GroupTable(aggregate.metrics.map(\.measure)))
        let report = Mutex(ScanReport(scan))
        for band in try KeyBand.bands(gathering: pairBytes, budgetBytes: execution.budgetBytes / 2) {
            let pieces = scan.pieces.filter { band.overlaps($0.chunk) }
            let users = Mutex<[GroupedUsers]>([])
            try execution.forEach(pieces.count, make: { try part(of: pieces[$0].chunk, band) }) { _, part in
                let numbers = try groups.withLock { groups in
                    let numbers = groups.merge(part.keys, part.states)
                    guard groups.byteCount <= execution.budgetBytes / 2 else {
                        throw QueryError.overBudget(
                            neededBytes: groups.byteCount * 2, budgetBytes: execution.budgetBytes)
                    }
                    return numbers
                }
                if let pairs = part.users {
                    users.withLock { $0.append(GroupedUsers(pairs: pairs, numbers: numbers)) }
                }
                report.withLock { $0.add(part.skipped, part.currencies, part.ambiguousNames) }
            }
            if countsUsers { try count(users.withLock { $0 }, band, into: groups) }
        }
        let found = report.withLock { $0 }
        if let amountPath, found.currencies.count > 1 {
            let names = found.currencies.sorted { $0.compare($1) < 0 }.map { $0.json.asString ?? "\($0.json)" }
            throw QueryError.mixedCurrencies(path: amountPath, currencies: names)
        }
        var table = groups.withLock { $0 }
        for (metric, states) in zip(aggregate.metrics, table.states) {
            guard !states.contains(where: { $0.isTooLarge(metric.measure) }) else {
                throw QueryError.sumTooLarge(path: metric.path)
            }
        }
        // Without groups there is one row, also over no events.
        if aggregate.groups.isEmpty, table.keys.isEmpty { _ = table.merge([[]], table.emptyStates(groupCount: 1)) }
        return AggregateResult(groups: table, report: found)
    }

    private func part(of chunk: Chunk, _ band: KeyBand) throws -> Part {
        let view = ChunkView(chunk, execution)
        let rows = try view.rows(predicate, in: question.range, band)
        var part = Part()
        let groups = try ChunkGroups(view, rows, aggregate.groups, calendar)
        part.keys = groups.keys
        part.states = try aggregate.metrics.map { metric in
            try view.states(
                metric.measure, rows, groups.groups, groupCount: groups.keys.count, skipped: &part.skipped)
        }
        if countsUsers { part.users = UserPairs(userKeys: try view.integers(.userKey), rows, groups: groups.groups) }
        if amountPath != nil { part.currencies = try view.currencies(rows) }
        part.ambiguousNames = view.ambiguousNames
        return part
    }

    private struct GroupedUsers: Sendable {
        let pairs: UserPairs
        /// The number in the table of each of the chunk's groups.
        let numbers: [Int]
    }

    /// Counts the distinct users of each group, range by range of their keys.
    private func count(_ users: [GroupedUsers], _ band: KeyBand, into groups: borrowing Mutex<GroupTable>) throws {
        let groupCount = groups.withLock { $0.keys.count }
        let totals = Mutex([Int](repeating: 0, count: groupCount))
        let ranges = band.ranges
        try execution.forEach(ranges.count, make: { index in
            var counter = UserCounter(groupCount: groupCount)
            for part in users { counter.add(part.pairs, range: ranges.lowerBound + index, numbers: part.numbers) }
            return counter.counts
        }, take: { _, counts in
            totals.withLock { totals in for (group, count) in counts.enumerated() { totals[group] += count } }
        })
        let counts = totals.withLock { $0 }
        groups.withLock { $0.add(users: counts) }
    }
}

/// What the chunks told besides their groups.
struct ScanReport: Sendable {
    private(set) var rowsRead: Int
    private(set) var bytesRead: Int
    private(set) var skipped = 0
    private(set) var currencies = Set<Value>()
    private(set) var ambiguousNames = Set<[UInt8]>()

    /// Of nothing yet.
    init() { (rowsRead, bytesRead) = (0, 0) }

    /// - Parameter scan: all of whose chunks are looked at.
    init(_ scan: Scan) { (rowsRead, bytesRead) = (scan.rowCount, scan.storedBytes) }

    mutating func read(_ chunk: Chunk) {
        rowsRead += chunk.rowCount
        bytesRead += chunk.storedBytes
    }

    mutating func add(_ skipped: Int, _ currencies: Set<Value>, _ ambiguousNames: Set<[UInt8]>) {
        self.skipped += skipped
        self.currencies.formUnion(currencies)
        self.ambiguousNames.formUnion(ambiguousNames)
    }

    var warnings: [String] {
        ambiguousNames.map { String(decoding: $0, as: UTF8.self) }.sorted().map {
            "\"\($0)\" is a name in several scopes; properties, device, location, context are looked at in this order"
        }
    }
}

struct AggregateResult {
    let groups: GroupTable
    let report: ScanReport
}

/// All groups of an answer, by their values.
struct GroupTable: Sendable {
    private let measures: [Measure]
    private var numbers: [[Value?]: Int] = [:]
    private(set) var keys: [[Value?]] = []
    /// By metric, then by group.
    private(set) var states: [[MetricState]]
    private(set) var byteCount = 0

    private static let keyBytes = 128

    init(_ measures: [Measure]) {
        self.measures = measures
        states = measures.map { _ in [] }
    }

    func emptyStates(groupCount: Int) -> [[MetricState]] {
        measures.map { [MetricState](repeating: MetricState($0), count: groupCount) }
    }

    /// Merges groups in.
    /// - Returns: the number of each here.
    mutating func merge(_ newKeys: [[Value?]], _ newStates: [[MetricState]]) -> [Int] {
        let places = newKeys.map { key in
            if let known = numbers[key] { return known }
            numbers[key] = keys.count
            keys.append(key)
            for metric in measures.indices { states[metric].append(MetricState(measures[metric])) }
            byteCount += Self.keyBytes
            return keys.count - 1
        }
        for metric in measures.indices {
            for (index, place) in places.enumerated() {
                byteCount -= states[metric][place].byteCount
                states[metric][place].merge(newStates[metric][index])
                byteCount += states[metric][place].byteCount
            }
        }
        return places
    }

    /// Adds distinct users, counted group by group.
    mutating func add(users counts: [Int]) {
        for metric in measures.indices {
            guard case .countDistinct(.person) = measures[metric] else { continue }
            for (group, count) in counts.enumerated() { states[metric][group].merge(.count(count)) }
        }
    }
}

extension ChunkView {
    /// The currencies of the selected rows that have an amount.
    fileprivate func currencies(_ rows: [UInt32]) throws -> Set<Value> {
        let amounts = try numbers(Field.amount)
        let column = try coded(Field.currency)
        var seen = Set<UInt32>()
        for row in rows where column.codes[Int(row)] != CodedColumn.null {
            let hasDouble = amounts.own != nil && amounts.validity?[Int(row)] ?? true
            let hasOther = amounts.others.map { others in
                let code = others.codes[Int(row)]
                return code != CodedColumn.null && others.value(code).isNumber
            }
            if hasDouble || hasOther ?? false { seen.insert(column.codes[Int(row)]) }
        }
        return Set(seen.map { column.value($0) })
    }
}
