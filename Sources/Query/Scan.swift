import Table

/// The chunks of a snapshot that can hold rows of a question.
struct Scan: Sendable {
    struct Piece: Sendable {
        let chunk: Chunk
        /// The UTC day of all its rows; nil for the tail.
        let day: Int?
    }

    let pieces: [Piece]
    let range: TimeRange

    /// Days and chunks outside of `range` are left out by their bounds alone. O(chunks).
    /// - Parameter person: whose events alone are wanted; nil for everybody's.
    init(_ snapshot: Snapshot, _ range: TimeRange, of person: Person? = nil) {
        self.range = range
        let dayMicros: Int64 = 86_400_000_000
        var pieces: [Piece] = []
        for run in snapshot.runs {
            if let day = run.day {
                let start = Int64(day) * dayMicros
                guard start < range.to, start + dayMicros > range.from else { continue }
            }
            for chunk in run.chunks
            where chunk.timestampsMicros.lowerBound < range.to && chunk.timestampsMicros.upperBound >= range.from
                && person?.mayBe(in: chunk) ?? true {
                pieces.append(Piece(chunk: chunk, day: run.day))
            }
        }
        self.pieces = pieces
    }

    var rowCount: Int { pieces.reduce(0) { $0 + $1.chunk.rowCount } }
    var storedBytes: Int { pieces.reduce(0) { $0 + $1.chunk.storedBytes } }
}

/// Some of the 256 ranges of user keys. A question that would gather too much at once takes them band by band.
struct KeyBand: Sendable {
    let ranges: Range<Int>

    static let all = KeyBand(ranges: 0..<KeyRange.count)

    /// Bands that each gather at most `budgetBytes`, if keys are spread evenly, which hashes are.
    /// - Throws: `.overBudget` if one range alone needs more.
    static func bands(gathering bytes: Int, budgetBytes: Int) throws(QueryError) -> [KeyBand] {
        let count = max(1, (bytes + max(budgetBytes, 1) - 1) / max(budgetBytes, 1))
        guard count <= KeyRange.count else {
            throw .overBudget(neededBytes: bytes / KeyRange.count, budgetBytes: budgetBytes)
        }
        return (0..<count).map {
            KeyBand(ranges: ($0 * KeyRange.count / count)..<(($0 + 1) * KeyRange.count / count))
        }
    }

    private static func firstKey(of range: Int) -> Int64 { Int64(bitPattern: UInt64(range) << 56 ^ 1 << 63) }

    private var keys: ClosedRange<Int64> {
        let last = ranges.upperBound == KeyRange.count ? Int64.max : KeyBand.firstKey(of: ranges.upperBound) - 1
        return KeyBand.firstKey(of: ranges.lowerBound)...last
    }

    func overlaps(_ chunk: Chunk) -> Bool { chunk.userKeys.overlaps(keys) }

    /// The rows of the band in a chunk, whose keys ascend.
    func rows(_ view: ChunkView) throws -> Range<Int> {
        let keys = self.keys
        let bounds = view.chunk.userKeys
        if keys.lowerBound <= bounds.lowerBound, keys.upperBound >= bounds.upperBound { return 0..<view.chunk.rowCount }
        let userKeys = try view.integers(.userKey)
        let start = userKeys.partitionPoint { $0 >= keys.lowerBound }
        return start..<max(start, userKeys.partitionPoint { $0 > keys.upperBound })
    }
}

extension Array {
    /// The first index whose element passes, where all after it do too. O(log n).
    func partitionPoint(_ passes: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if passes(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

extension ChunkView {
    /// The rows of a band that are in the range of time and pass, ascending.
    func rows(_ predicate: Predicate, in range: TimeRange, _ band: KeyBand) throws -> [UInt32] {
        try rows(predicate, in: range, of: [band.rows(self)])
    }

    /// The rows of a person that are in the range of time and pass, ascending.
    func rows(_ predicate: Predicate, in range: TimeRange, of person: Person) throws -> [UInt32] {
        let slices = try person.rows(self)
        return try slices.isEmpty ? [] : rows(.all([person.predicate, predicate]), in: range, of: slices)
    }

    private func rows(_ predicate: Predicate, in range: TimeRange, of slices: [Range<Int>]) throws -> [UInt32] {
        var mask = try mask(predicate)
        if case .constant(false) = mask { return [] }
        let times = chunk.timestampsMicros
        if times.lowerBound < range.from || times.upperBound >= range.to {
            var bytes = [UInt8](repeating: 1, count: chunk.rowCount)
            if case .rows(let passing) = mask { bytes = passing }
            restrict(&bytes, times: try integers(.timestamp), to: range)
            mask = .rows(bytes)
        }
        guard case .rows(let bytes) = mask else { return slices.flatMap(allRows) }
        return slices.flatMap { selectedRows(bytes, in: $0) }
    }
}
