import Bytes

/// A batch or skip that is remembered so that a resend is recognised.
public struct BatchRecord: Equatable, Sendable {
    public var batch: BatchFingerprint
    /// Events that were not stored, by permanent causes.
    public var verdicts: [Verdict]

    public init(batch: BatchFingerprint, verdicts: [Verdict]) {
        self.batch = batch
        self.verdicts = verdicts
    }

    var last: UInt64 { batch.base + batch.count - 1 }
}

/// Where one source stands: the writer thread's view. protocol/frames.md §6.
struct SourceState: Sendable {
    /// Something accepted whose group is not durable yet.
    private struct Pending: Sendable {
        var base: UInt64
        var count: UInt64
        /// nil for a SKIP.
        var fingerprint: UInt64?
        /// Of a source never seen: the sequences before its first.
        var unknownBefore: UInt64
        var group: UInt64
        var verdicts: [Verdict] = []
        var quarantinedCount: UInt64 = 0

        var recognised: BatchFingerprint {
            BatchFingerprint(base: base, count: count, fingerprint: fingerprint ?? 0)
        }
    }

    enum Ruling {
        case accepted
        /// A resend of what is durable: its verdicts.
        case resent([Verdict])
        /// A resend of what is not durable yet; answered with its group.
        case resentInFlight
        case gap
        case conflict
        case tooManyUnacked
    }

    let tokenName: String
    /// Whether the log knows the token's name.
    var tokenIsLogged: Bool
    private(set) var totals: SourceTotals
    private(set) var durable: UInt64
    private(set) var accepted: UInt64
    /// The totals once all that is accepted is durable.
    private(set) var acceptedTotals: SourceTotals
    /// Durable batches and skips the sender may not have heard of, ascending, at most 256.
    private(set) var remembered: [BatchRecord] = []
    private var pending: [Pending] = []
    /// The one stream that may send; the others were fenced.
    var live: StreamKey?
    /// The last group something was accepted in.
    var lastGroup: UInt64 = 0

    init(tokenName: String, tokenIsLogged: Bool, totals: SourceTotals) {
        self.tokenName = tokenName
        self.tokenIsLogged = tokenIsLogged
        self.totals = totals
        durable = totals.sum
        accepted = durable
        acceptedTotals = totals
    }

    var isSettled: Bool { pending.isEmpty }
    var isUnseen: Bool { accepted == 0 }
    /// The next sequence.
    var expected: UInt64 { accepted + 1 }

    /// The table of protocol/frames.md §6, and the bookkeeping if accepted. O(log of the remembered batches).
    /// - Parameter fingerprint: nil for a SKIP.
    mutating func judge(base: UInt64, count: UInt64, fingerprint: UInt64?, group: UInt64) -> Ruling {
        if base == expected || isUnseen {
            guard pending.count < Limits.unackedBatchesPerStreamMax else { return .tooManyUnacked }
            let item = Pending(
                base: base, count: count, fingerprint: fingerprint, unknownBefore: base - expected, group: group)
            pending.append(item)
            Self.add(item, to: &acceptedTotals)
            accepted = base + count - 1
            return .accepted
        }
        if base > expected { return .gap }
        let again = BatchFingerprint(base: base, count: count, fingerprint: fingerprint ?? 0)
        if pending.contains(where: { $0.recognised == again }) { return .resentInFlight }
        let index = remembered.partitioningIndex { $0.batch.base >= base }
        guard index < remembered.count, remembered[index].batch == again else { return .conflict }
        return .resent(remembered[index].verdicts)
    }

    /// Says what of the batch accepted last is not stored.
    mutating func exclude(_ verdicts: [Verdict], quarantinedCount: UInt64) {
        guard var batch = pending.popLast() else { preconditionFailure("nothing was accepted") }
        let last = batch.base + batch.count - 1
        precondition(batch.fingerprint != nil, "a SKIP has no verdicts")
        precondition(
            verdicts.allSatisfy { $0.sequence >= batch.base && $0.count >= 1 && $0.sequence + $0.count - 1 <= last },
            "verdicts lie in their batch")
        precondition(verdicts.reduce(quarantinedCount) { $0 + $1.count } <= batch.count, "every event has one fate")
        batch.verdicts = verdicts
        batch.quarantinedCount = quarantinedCount
        pending.append(batch)
        let rejected = verdicts.reduce(0) { $0 + $1.count }
        acceptedTotals.stored -= rejected + quarantinedCount
        acceptedTotals.rejected += rejected
        acceptedTotals.quarantined += quarantinedCount
    }

    /// Moves everything of `group` from accepted to durable.
    /// - Returns: the verdicts of this commit.
    mutating func commit(group: UInt64) -> [Verdict] {
        let ready = pending.prefix { $0.group == group }
        var verdicts: [Verdict] = []
        for item in ready {
            Self.add(item, to: &totals)
            durable = item.base + item.count - 1
            verdicts += item.verdicts
            remember(BatchRecord(batch: item.recognised, verdicts: item.verdicts))
        }
        pending.removeFirst(ready.count)
        tokenIsLogged = true
        precondition(totals.sum == durable, "every sequence has exactly one fate")
        return verdicts
    }

    /// Forgets everything accepted in `group` and later.
    /// - Returns: the sequence that is expected again.
    mutating func undo(from group: UInt64) -> UInt64 {
        let first = pending.firstIndex { $0.group >= group } ?? pending.count
        var again = expected
        if first < pending.count {
            let undone = pending[first]
            accepted = undone.base - undone.unknownBefore - 1
            again = undone.base
        }
        pending.removeSubrange(first...)
        acceptedTotals = totals
        for item in pending { Self.add(item, to: &acceptedTotals) }
        return again
    }

    /// What `group` adds, with the totals after it, if every group before it becomes durable.
    func update(of group: UInt64, key: SourceKey) -> SourceUpdate {
        var after = totals
        for item in pending where item.group <= group { Self.add(item, to: &after) }
        let batches = pending.filter { $0.group == group }
            .map { BatchRecord(batch: $0.recognised, verdicts: $0.verdicts) }
        return SourceUpdate(key: key, tokenName: tokenIsLogged ? nil : tokenName, totals: after, batches: batches)
    }

    /// Forgets batches whose ACK the sender has heard.
    mutating func forget(upTo acked: UInt64) {
        remembered.removeFirst(remembered.partitioningIndex { $0.last > acked })
    }

    mutating func remember(_ record: BatchRecord) {
        if remembered.count == Limits.unackedBatchesPerStreamMax { remembered.removeFirst() }
        remembered.append(record)
    }

    /// Takes over what the log says. Only while nothing is pending.
    mutating func restore(_ update: SourceUpdate) {
        precondition(isSettled, "the log is read before anything is accepted")
        guard update.totals.sum > durable else { return }
        totals = update.totals
        durable = totals.sum
        accepted = durable
        acceptedTotals = totals
        for record in update.batches { remember(record) }
    }

    private static func add(_ item: Pending, to totals: inout SourceTotals) {
        totals.unknownBefore += item.unknownBefore
        guard item.fingerprint != nil else {
            totals.skipped += item.count
            return
        }
        let rejected = item.verdicts.reduce(0) { $0 + $1.count }
        totals.rejected += rejected
        totals.quarantined += item.quarantinedCount
        totals.stored += item.count - rejected - item.quarantinedCount
    }
}

extension Array {
    /// The first index whose element fulfils `predicate`, which is false for a prefix and true for the rest. O(log n).
    fileprivate func partitioningIndex(_ predicate: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if predicate(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
