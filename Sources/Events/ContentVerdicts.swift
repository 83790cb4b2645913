import Bytes

/// What is wrong with one event of a valid batch; it costs that event only (protocol/batch.md §7, or the plan:
/// protocol/frames.md §7).
public struct ContentVerdict: Sendable, Equatable {
    /// The event's place in the batch, from 0.
    public let index: Int
    public let code: Code

    public init(index: Int, code: Code) {
        self.index = index
        self.code = code
    }

    /// Why an event is not among the others, as the log says it: protocol/wal.md §4.
    public enum Code: Sendable, Equatable {
        /// A verdict of protocol/frames.md §7.
        case schema
        /// The same.
        case future
        /// Kept aside by the plan; no verdict.
        case quarantined(PlanViolation)

        /// - Returns: nil for a code that costs no single event, or is not known.
        public init?(rawValue: UInt8) {
            switch rawValue {
            case 2: self = .schema
            case 5: self = .future
            default:
                guard let violation = PlanViolation(rawValue: rawValue), violation != .disabledType else { return nil }
                self = .quarantined(violation)
            }
        }

        public var rawValue: UInt8 {
            switch self {
            case .schema: 2
            case .future: 5
            case .quarantined(let violation): violation.rawValue
            }
        }
    }
}

/// Judges each event of `batch` by itself: verdicts in row order, at most one an event.
///
/// O(1) for a batch without reserved types or strange times, else O(rows).
/// - Parameters:
///   - receivedAtMicros: the collector's clock when the batch came.
///   - clockOffsetMicros: the collector's clock minus the sender's, what is added to its times; it counts only beyond
///     two seconds.
public func contentVerdicts(
    of batch: Batch, receivedAtMicros: Int64, clockOffsetMicros: Int64
) -> [ContentVerdict] {
    let correction = correctionMicros(clockOffsetMicros)
    let allowed = TimeRange.allowed(receivedAtMicros: receivedAtMicros)
    let earliest = saturatingSum(batch.timestampMicrosMin, correction)
    let latest = saturatingSum(batch.timestampMicrosMax, correction)
    let timesAreFine = allowed.contains(earliest) && allowed.contains(latest)
    let reserved = ReservedRows(batch)
    if timesAreFine && !reserved.mayOccur { return [] }
    var verdicts: [ContentVerdict] = []
    for row in 0..<batch.eventCount {
        let time = saturatingSum(batch.timestampsMicros[row], correction)
        if !timesAreFine && !allowed.contains(time) {
            verdicts.append(ContentVerdict(index: row, code: .future))
        } else if reserved.lacksWhatItNeeds(row) {
            verdicts.append(ContentVerdict(index: row, code: .schema))
        }
    }
    return verdicts
}

/// What is added to a sender's times: its clock's offset if that is more than two seconds, else nothing.
public func correctionMicros(_ clockOffsetMicros: Int64) -> Int64 {
    clockOffsetMicros.magnitude > 2_000_000 ? clockOffsetMicros : 0
}

private enum TimeRange {
    /// 1971-01-01T00:00:00Z.
    static let earliest: Int64 = 31_536_000_000_000
    /// 9999-12-31T23:59:59.999999Z.
    static let latest: Int64 = 253_402_300_799_999_999
    static let hourMicros: Int64 = 3_600_000_000

    static func allowed(receivedAtMicros: Int64) -> ClosedRange<Int64> {
        let (hourAhead, overflows) = receivedAtMicros.addingReportingOverflow(hourMicros)
        return earliest...max(earliest, min(latest, overflows ? latest : hourAhead))
    }
}

private func saturatingSum(_ left: Int64, _ right: Int64) -> Int64 {
    let (sum, overflows) = left.addingReportingOverflow(right)
    guard overflows else { return sum }
    return left < 0 ? .min : .max
}

/// Looks for reserved types that are unknown or lack an id they need (protocol/batch.md §9).
private struct ReservedRows {
    private let batch: Batch
    /// By string: whether it is no reserved type, which one, or an unknown one.
    private let kinds: [Kind]
    private let previousIDs: ValueColumn?
    let mayOccur: Bool

    private enum Kind: Equatable { case ordinary, unknown, known(ReservedType) }

    init(_ batch: Batch) {
        self.batch = batch
        let bytes = batch.strings.bytes
        let offsets = batch.strings.offsets
        let mayOccur = (0..<batch.strings.count).contains { index in
            offsets[index] < offsets[index &+ 1] && bytes[offsets[index]] == UInt8(ascii: "$")
        }
        self.mayOccur = mayOccur
        guard mayOccur else {
            kinds = []
            previousIDs = nil
            return
        }
        kinds = (0..<batch.strings.count).map { index in
            guard offsets[index] < offsets[index &+ 1], bytes[offsets[index]] == UInt8(ascii: "$") else {
                return .ordinary
            }
            return ReservedType(rawValue: batch.strings[index]).map { .known($0) } ?? .unknown
        }
        let name = Array(ReservedType.previousIDName.utf8)
        previousIDs = batch.valueColumns.first {
            $0.scope == .property && $0.type == .string && batch.strings.span(Int($0.name)).equals(name.rawSpan)
        }
    }

    func lacksWhatItNeeds(_ row: Int) -> Bool {
        guard mayOccur else { return false }
        switch kinds[Int(batch.types[row])] {
        case .ordinary: return false
        case .unknown: return true
        case .known(let type): return !hasNeeds(of: type, row)
        }
    }

    private func hasNeeds(of type: ReservedType, _ row: Int) -> Bool {
        let hasUser = has(batch.userIDs, row)
        let hasAnonymous = has(batch.anonymousIDs, row)
        switch type {
        case .identify: return hasUser && hasAnonymous
        case .alias: return hasUser && hasPreviousID(row)
        case .group: return has(batch.groupKeys, row) && (hasUser || hasAnonymous)
        case .setTraits, .consent: return hasUser || hasAnonymous
        case .signOut, .reset: return hasAnonymous
        }
    }

    private func has(_ column: [UInt32]?, _ row: Int) -> Bool {
        guard let column else { return false }
        return column[row] != Batch.none
    }

    /// A previous id is an id: 1–512 bytes.
    private func hasPreviousID(_ row: Int) -> Bool {
        guard let column = previousIDs, column.presence[row], case .string(let refs) = column.values else {
            return false
        }
        let string = refs[column.presence.onesCount(before: row)]
        return (1...Limits.identifierBytesMax).contains(batch.strings.range(Int(string)).count)
    }
}
