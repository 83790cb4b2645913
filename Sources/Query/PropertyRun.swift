import Bytes
import Events
import JSON
import Synchronization
import Table

/// Counts the values of events by name: each chunk by its dictionaries, each distinct JSON text read once.
struct PropertyRun: Sendable {
    private let scan: Scan
    private let predicate: Predicate
    private let execution: Execution

    /// Chunks counted before their counts are added up, in the order of the chunks.
    private static let waveCount = 4

    init(_ scan: Scan, _ predicate: Predicate, _ execution: Execution) {
        (self.scan, self.predicate, self.execution) = (scan, predicate, execution)
    }

    struct Property {
        let name: String
        fileprivate let key: PropertyName
        fileprivate let count: PropertyCount

        func json(eventCount: Int) -> JSONObject { count.json(key, eventCount: eventCount) }
    }

    /// - Throws: `.overBudget` if the values that are told apart take more than they may.
    func properties() throws -> (properties: [Property], eventCount: Int) {
        var counts: [PropertyName: PropertyCount] = [:]
        var eventCount = 0
        for start in stride(from: 0, to: scan.pieces.count, by: Self.waveCount) {
            let wave = Array(scan.pieces[start..<min(start + Self.waveCount, scan.pieces.count)])
            for part in try parts(wave, known: counts.filter { $0.value.hasMoreValues }) {
                eventCount += part.eventCount
                for (name, count) in part.counts { counts[name, default: PropertyCount()].merge(count) }
            }
            let byteCount = counts.values.reduce(0) { $0 + $1.byteCount }
            guard byteCount <= execution.budgetBytes else {
                throw QueryError.overBudget(neededBytes: byteCount, budgetBytes: execution.budgetBytes)
            }
        }
        let properties = counts.map { Property(name: $0.key.text, key: $0.key, count: $0.value) }
        let sorted = properties.sorted { left, right in
            left.count.count != right.count.count
                ? left.count.count > right.count.count
                : left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
        }
        return (sorted, eventCount)
    }

    private struct Part: Sendable {
        var eventCount = 0
        var counts: [PropertyName: PropertyCount] = [:]
    }

    /// - Parameter known: names of so many values that only the first are kept.
    /// - Returns: one a chunk, in their order.
    private func parts(_ wave: [Scan.Piece], known: [PropertyName: PropertyCount]) throws -> [Part] {
        let parts = Mutex([Part](repeating: Part(), count: wave.count))
        try execution.forEach(wave.count, make: { try part(of: wave[$0].chunk, known) }) { index, part in
            parts.withLock { $0[index] = part }
        }
        return parts.withLock { $0 }
    }

    private func part(of chunk: Chunk, _ known: [PropertyName: PropertyCount]) throws -> Part {
        let view = ChunkView(chunk, execution)
        let rows = try view.rows(predicate, in: scan.range, .all)
        var part = Part(eventCount: rows.count)
        guard !rows.isEmpty else { return part }
        let times = try view.integers(.timestamp)
        for column in EventSchema.promoted {
            guard let values = try view.coded(column) else { continue }
            let uses = CodeUses(values.codes, codeCount: values.codeCount, rows, times)
            let name = PropertyName(scope: column.scope, name: Array(column.name.utf8))
            var count = PropertyCount()
            for code in uses.codes {
                count.add(values.value(UInt32(code)), uses.counts[code], among: known[name]?.values)
                count.note(first: uses.firsts[code], last: uses.lasts[code])
            }
            if count.count > 0 { part.counts[name] = count }
        }
        for scope in EventSchema.jsonScopes {
            guard case .strings(let texts)? = try view.values(EventSchema.jsonColumn(scope)) else { continue }
            let uses = CodeUses(texts.codes, codeCount: texts.dictionary.count, rows, times)
            var members = MemberCounts()
            try execution.forEachPart(of: Array(uses.codes)) { codes in
                for code in codes { members.add(texts.dictionary.span(code), uses, code) }
            }
            members.forEach { name, texts, counts, first, last in
                let name = PropertyName(scope: scope, name: name)
                var count = part.counts[name] ?? PropertyCount()
                for index in 0..<texts.count {
                    guard let value = Value(json: texts.span(index)) else { continue }
                    count.add(value, counts[index], among: known[name]?.values)
                }
                count.note(first: first, last: last)
                part.counts[name] = count
            }
        }
        return part
    }
}

/// How often the selected rows of a chunk have each code, and from when to when.
private struct CodeUses {
    private(set) var counts: [Int]
    private(set) var firsts: [Int64]
    private(set) var lasts: [Int64]

    init(_ codes: [UInt32], codeCount: Int, _ rows: [UInt32], _ times: [Int64]) {
        counts = [Int](repeating: 0, count: codeCount)
        firsts = [Int64](repeating: .max, count: codeCount)
        lasts = [Int64](repeating: .min, count: codeCount)
        for row in rows.map(Int.init) where codes[row] != CodedColumn.null {
            let code = Int(codes[row])
            counts[code] += 1
            firsts[code] = min(firsts[code], times[row])
            lasts[code] = max(lasts[code], times[row])
        }
    }

    /// Those that a row has.
    var codes: some Sequence<Int> { counts.indices.lazy.filter { counts[$0] > 0 } }
}

/// The members of JSON objects, by name and by the text of their value.
private struct MemberCounts {
    private static let null = Array("null".utf8)

    private var names = StringInterner()
    /// By name: distinct texts of values, and how many rows have each.
    private var texts: [StringInterner] = []
    private var counts: [[Int]] = []
    private var firsts: [Int64] = []
    private var lasts: [Int64] = []

    /// Takes in an object that rows have.
    mutating func add(_ object: RawSpan, _ uses: CodeUses, _ code: Int) {
        var found: [(name: UInt32, value: Range<Int>)] = []
        JSONScanner.forEachMember(
            of: object,
            named: { name, value in
                // A value that is null is none.
                if object.extracting(value).equals(Self.null.rawSpan) { return }
                found.append((names.intern(name.rawSpan), value))
            })
        for (name, value) in found.map({ (Int($0.name), $0.value) }) {
            if name == texts.count {
                texts.append(StringInterner())
                counts.append([])
                firsts.append(.max)
                lasts.append(.min)
            }
            let text = Int(texts[name].intern(object.extracting(value)))
            if text == counts[name].count { counts[name].append(0) }
            counts[name][text] += uses.counts[code]
            firsts[name] = min(firsts[name], uses.firsts[code])
            lasts[name] = max(lasts[name], uses.lasts[code])
        }
    }

    func forEach(
        _ body: (_ name: [UInt8], _ texts: ByteStrings, _ counts: [Int], _ first: Int64, _ last: Int64) -> Void
    ) {
        for name in texts.indices {
            body(names.strings.copy(name), texts[name].strings, counts[name], firsts[name], lasts[name])
        }
    }
}
