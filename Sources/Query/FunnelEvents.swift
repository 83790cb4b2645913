import Table

/// The rows of one chunk that some step of a funnel can use, of one day, sorted by (user, time).
struct FunnelEvents: Sendable {
    let day: Int
    private(set) var keys: [Int64] = []
    private(set) var times: [Int64] = []
    /// Bit `i`: the event fits step `i`.
    private(set) var steps: [UInt32] = []
    private(set) var rangeStarts: [Int] = []

    static let bytesPerRow = 20
    private static let dayMicros: Int64 = 86_400_000_000

    private init(day: Int) { self.day = day }

    private mutating func append(_ key: Int64, _ time: Int64, _ mask: UInt32) {
        keys.append(key)
        times.append(time)
        steps.append(mask)
    }

    /// The usable rows of a chunk, in one piece a day.
    /// - Parameters:
    ///   - entries: when step 1 may happen; every later step from its start to the horizon.
    ///   - horizon: when the last window closes.
    static func of(
        _ view: ChunkView, day: Int?, steps: [FunnelQuestion.Step], filter: Predicate, entries: TimeRange,
        horizon: Int64, _ band: KeyBand
    ) throws -> [FunnelEvents] {
        guard var masks = try view.stepMasks(steps, filter) else { return [] }
        let times = try view.integers(.timestamp)
        let bounds = view.chunk.timestampsMicros
        if bounds.lowerBound < entries.from || bounds.upperBound >= horizon {
            clear(.max, of: &masks, times: times, outside: TimeRange(from: entries.from, to: horizon))
        }
        if bounds.upperBound >= entries.to { clear(1, of: &masks, times: times, outside: entries) }
        var piece = FunnelEvents(day: day ?? 0)
        (piece.keys, piece.times, piece.steps) = compact(
            keys: try view.integers(.userKey), times: times, masks: masks, try band.rows(view))
        guard !piece.keys.isEmpty else { return [] }
        var pieces = day == nil ? piece.byDay() : [piece]
        for index in pieces.indices { pieces[index].rangeStarts = KeyRange.starts(of: pieces[index].keys) }
        return pieces
    }

    private func byDay() -> [FunnelEvents] {
        var pieces: [FunnelEvents] = []
        var places: [Int: Int] = [:]
        for row in keys.indices {
            let (quotient, remainder) = times[row].quotientAndRemainder(dividingBy: Self.dayMicros)
            let day = Int(remainder < 0 ? quotient - 1 : quotient)
            let place = places[day] ?? pieces.count
            if place == pieces.count {
                places[day] = place
                pieces.append(FunnelEvents(day: day))
            }
            pieces[place].append(keys[row], times[row], steps[row])
        }
        return pieces
    }

    /// Merges the rows of one range of keys of pieces of one day: sorted by (user, time) again.
    static func merged(_ pieces: [FunnelEvents], range: Int) -> FunnelEvents {
        func only(_ piece: FunnelEvents) -> FunnelEvents {
            let rows = piece.rangeStarts[range]..<piece.rangeStarts[range + 1]
            var part = FunnelEvents(day: piece.day)
            part.keys = Array(piece.keys[rows])
            part.times = Array(piece.times[rows])
            part.steps = Array(piece.steps[rows])
            return part
        }
        var rest = pieces.map(only)
        // Neighbours pairwise: each row is moved log2(pieces) times.
        while rest.count > 1 {
            rest = stride(from: 0, to: rest.count, by: 2).map { index in
                index + 1 < rest.count ? merged(rest[index], rest[index + 1]) : rest[index]
            }
        }
        return rest[0]
    }

    private static func merged(_ left: FunnelEvents, _ right: FunnelEvents) -> FunnelEvents {
        var result = FunnelEvents(day: left.day)
        result.keys.reserveCapacity(left.keys.count + right.keys.count)
        result.times.reserveCapacity(left.keys.count + right.keys.count)
        result.steps.reserveCapacity(left.keys.count + right.keys.count)
        var (first, second) = (0, 0)
        while first < left.keys.count || second < right.keys.count {
            let takesLeft =
                second == right.keys.count
                || (first < left.keys.count
                    && (left.keys[first], left.times[first]) <= (right.keys[second], right.times[second]))
            if takesLeft {
                result.append(left.keys[first], left.times[first], left.steps[first])
                first += 1
            } else {
                result.append(right.keys[second], right.times[second], right.steps[second])
                second += 1
            }
        }
        return result
    }
}

extension ChunkView {
    /// Which steps each row fits, by bit; nil if no row fits any.
    fileprivate func stepMasks(_ steps: [FunnelQuestion.Step], _ filter: Predicate) throws -> [UInt32]? {
        let types = try coded(.eventType)
        var stepsOfType = (0..<UInt32(types.codeCount)).map { code in
            let type = types.value(code)
            return steps.indices.reduce(UInt32(0)) { steps[$1].type == type ? $0 | 1 << UInt32($1) : $0 }
        }
        let all = stepsOfType.reduce(0, |)
        guard all != 0 else { return nil }
        stepsOfType.append(0)
        var masks = lookUp(types.codes, stepsOfType)
        let own = steps.enumerated().map { (bits: UInt32(1) << UInt32($0), predicate: $1.filter) }
        for (bits, predicate) in [(bits: UInt32.max, predicate: filter)] + own where bits & all != 0 {
            switch try mask(predicate) {
            case .constant(true): continue
            case .constant(false): clear(bits, of: &masks, unless: [UInt8](repeating: 0, count: masks.count))
            case .rows(let passing): clear(bits, of: &masks, unless: passing)
            }
        }
        return masks
    }
}
