import Bytes

/// A source of a project.
public struct SourceKey: Hashable, Sendable {
    public var project: String
    public var source: SourceID

    public init(project: String, source: SourceID) {
        self.project = project
        self.source = source
    }
}

/// A stream of a connection. The shell numbers connections; a number never comes back.
public struct StreamKey: Hashable, Sendable {
    public var connection: UInt64
    public var stream: UInt32

    public init(connection: UInt64, stream: UInt32) {
        self.connection = connection
        self.stream = stream
    }
}

/// What one group, or a snapshot, says about one source: what the log holds and `SourceLedger.restore` reads.
public struct SourceUpdate: Equatable, Sendable {
    public var key: SourceKey
    /// nil if the log has it from an earlier update.
    public var tokenName: String?
    /// After this update.
    public var totals: SourceTotals
    /// In ascending order; a SKIP has the fingerprint 0.
    public var batches: [BatchRecord]

    public init(key: SourceKey, tokenName: String?, totals: SourceTotals, batches: [BatchRecord]) {
        self.key = key
        self.tokenName = tokenName
        self.totals = totals
        self.batches = batches
    }
}

/// A message for one connection's loop.
public enum LedgerAnswer: Equatable, Sendable {
    case opened(connection: UInt64, Opened)
    case acknowledged(connection: UInt64, Acknowledgement)
    case refused(connection: UInt64, NegativeAcknowledgement)
}

/// What becomes of a BATCH or SKIP.
public enum Judgement: Equatable, Sendable {
    /// It belongs to the open group; `exclude` may follow.
    case accepted
    /// It was not taken: a resend, out of turn, or discarded in silence.
    case answered([LedgerAnswer])
}

/// The writer thread's judgement over all sources: what is accepted, durable, a resend, or out of turn. No I/O, no
/// clock. Rules: protocol/frames.md §6.
///
/// Use: judge frames; `sealGroup`; write and sync what it returns; `groupDurable` or `groupFailed`. Groups become
/// durable in the order of their numbers.
///
/// Crash story: nothing here is on disk. Before a crash `groupDurable` may not have run, so no ACK was sent for what
/// the log may hold or not. After it `restore` sees exactly what the log holds, and resends are judged by that.
public struct SourceLedger: Sendable {
    private struct Stream: Sendable {
        var key: SourceKey
        /// OPENED waits until everything accepted before is durable or failed.
        var isOpening = true
        /// After a NACK: everything but a REWIND to this sequence is discarded.
        var discardsUntil: UInt64?
    }

    /// How long a sender waits after its group failed or it had too many unacked batches.
    static let retryMilliseconds: UInt64 = 200

    private let lineage: [UInt8]
    private var sources: [SourceKey: SourceState] = [:]
    private var streams: [UInt64: [UInt32: Stream]] = [:]
    /// The group that is being filled.
    private var openGroup: UInt64 = 1
    private var openGroupSources: [SourceKey] = []
    /// Sealed groups that are neither durable nor failed, oldest first.
    private var sealedGroups: [(number: UInt64, sources: [SourceKey])] = []

    /// - Parameter lineage: sixteen bytes minted when the log's folder was made.
    public init(lineage: [UInt8]) {
        precondition(lineage.count == Opened.lineageByteCount, "a lineage is sixteen bytes")
        self.lineage = lineage
    }

    // MARK: The log

    /// Takes over one update from the log, in the log's order, before the first OPEN. What is older than the state is
    /// passed over, so that a snapshot and the log after it may overlap.
    public mutating func restore(_ update: SourceUpdate) {
        if sources[update.key] == nil {
            sources[update.key] = SourceState(
                tokenName: update.tokenName ?? "", tokenIsLogged: true, totals: SourceTotals())
        }
        sources[update.key]?.restore(update)
    }

    /// All that is durable, one update a source, so that older log may be dropped. In no order. O(n).
    public func snapshot() -> [SourceUpdate] {
        sources.filter { $0.value.durable > 0 }.map { key, state in
            SourceUpdate(key: key, tokenName: state.tokenName, totals: state.totals, batches: state.remembered)
        }
    }

    // MARK: Streams

    /// - Parameter connection: the shell's number of the connection.
    /// - Parameter tokenName: the name of the token that authenticated it.
    public mutating func open(_ open: Open, connection: UInt64, tokenName: String) -> [LedgerAnswer] {
        let stream = StreamKey(connection: connection, stream: open.stream)
        let key = SourceKey(project: open.project, source: open.source)
        var answers: [LedgerAnswer] = []
        if let state = sources[key] {
            guard state.tokenName == tokenName else {
                return [refusal(stream, expected: 0, .notAllowed, .newSource, detail: "source of another token")]
            }
            if let older = state.live {
                streams[older.connection]?[older.stream] = nil
                answers.append(refusal(older, expected: state.expected, .fenced, .newSource))
            }
        } else {
            sources[key] = SourceState(tokenName: tokenName, tokenIsLogged: false, totals: SourceTotals())
        }
        sources[key]?.live = stream
        sources[key]?.forget(upTo: open.acked)
        streams[connection, default: [:]][open.stream] = Stream(key: key)
        return answers + openedIfSettled(key)
    }

    /// The source whose live stream this is.
    public func key(of stream: StreamKey) -> SourceKey? { streams[stream.connection]?[stream.stream]?.key }

    /// The source's last durable sequence; 0 if it was never seen.
    public func durable(of key: SourceKey) -> UInt64 { sources[key]?.durable ?? 0 }

    /// CLOSE from the sender. What is in flight still becomes durable; nobody hears of it.
    public mutating func close(_ close: Close, connection: UInt64) {
        guard let stream = streams[connection]?.removeValue(forKey: close.stream) else { return }
        sources[stream.key]?.forget(upTo: close.final ? Limits.sequenceMax : close.acked)
        leave(stream.key)
    }

    /// The connection is gone, and its streams with it.
    public mutating func disconnected(_ connection: UInt64) {
        for stream in (streams.removeValue(forKey: connection) ?? [:]).values { leave(stream.key) }
    }

    private mutating func leave(_ key: SourceKey) {
        sources[key]?.live = nil
        dropIfUnneeded(key)
    }

    /// A source that has no stream and never sent anything is forgotten. A retired one is not: a copy of its sender may
    /// still use it, and its sequences must not be given twice.
    private mutating func dropIfUnneeded(_ key: SourceKey) {
        guard let state = sources[key], state.live == nil, state.isSettled else { return }
        if state.isUnseen { sources[key] = nil }
    }

    /// Forgets a source by the shell's rule for old ones. Does nothing while it is in use.
    public mutating func expire(_ key: SourceKey) {
        guard let state = sources[key], state.live == nil, state.isSettled else { return }
        sources[key] = nil
    }

    private mutating func openedIfSettled(_ key: SourceKey) -> [LedgerAnswer] {
        guard let state = sources[key], state.isSettled, let live = state.live,
            streams[live.connection]?[live.stream]?.isOpening == true
        else { return [] }
        streams[live.connection]?[live.stream]?.isOpening = false
        let opened = Opened(
            stream: live.stream, durable: state.durable, lineage: lineage, totals: state.totals,
            fingerprints: state.remembered.map(\.batch))
        return [.opened(connection: live.connection, opened)]
    }

    // MARK: Judgement

    /// - Parameter count: 1 … 65,536; `base + count − 1` has 48 bits: checked by the frame's decoder.
    /// - Parameter fingerprint: of the batch's bytes.
    public mutating func judgeBatch(
        _ stream: StreamKey, base: UInt64, count: UInt32, fingerprint: UInt64, rewinds: Bool
    ) -> Judgement {
        judge(stream, base: base, count: UInt64(count), fingerprint: fingerprint, rewinds: rewinds)
    }

    public mutating func judgeSkip(_ skip: Skip, connection: UInt64) -> Judgement {
        judge(
            StreamKey(connection: connection, stream: skip.stream), base: skip.base, count: skip.count,
            fingerprint: nil, rewinds: skip.rewinds)
    }

    /// Says what of the batch just accepted on `stream` is not stored.
    /// - Parameter verdicts: inside the batch, ascending, of permanent causes.
    /// - Parameter quarantinedCount: events that are kept aside; they have no verdict.
    public mutating func exclude(_ stream: StreamKey, verdicts: [Verdict], quarantinedCount: UInt64) {
        guard let key = key(of: stream) else {
            preconditionFailure("the batch was accepted on a live stream")
        }
        sources[key]?.exclude(verdicts, quarantinedCount: quarantinedCount)
    }

    /// Refuses from a frame on for a cause the loop found: RATE, QUOTA, BACKLOG, DRAINING, UNACKED_LIMIT…
    public mutating func refuse(_ refusal: ServerConnection.Refusal, connection: UInt64) -> [LedgerAnswer] {
        let stream = StreamKey(connection: connection, stream: refusal.stream)
        guard let live = streams[connection]?[refusal.stream], !live.isOpening, let state = sources[live.key] else {
            return []
        }
        if let expected = live.discardsUntil {
            guard refusal.rewinds, refusal.base == expected else { return [] }
        }
        let expected = live.discardsUntil ?? (state.isUnseen ? refusal.base : state.expected)
        return discard(stream, expected: expected, refusal.code, .after, refusal.afterMilliseconds)
    }

    private mutating func judge(
        _ stream: StreamKey, base: UInt64, count: UInt64, fingerprint: UInt64?, rewinds: Bool
    ) -> Judgement {
        guard let live = streams[stream.connection]?[stream.stream], !live.isOpening else { return .answered([]) }
        if let expected = live.discardsUntil {
            guard rewinds, base == expected else { return .answered([]) }
            streams[stream.connection]?[stream.stream]?.discardsUntil = nil
        }
        let ruling = sources[live.key]?.judge(base: base, count: count, fingerprint: fingerprint, group: openGroup)
        guard let ruling, let state = sources[live.key] else { preconditionFailure("a live stream has a source") }
        switch ruling {
        case .accepted:
            if state.lastGroup != openGroup {
                sources[live.key]?.lastGroup = openGroup
                openGroupSources.append(live.key)
            }
            return .accepted
        case .resentInFlight:
            return .answered([])
        case .resent(let verdicts):
            return .answered([acknowledgement(stream, state, verdicts)])
        case .gap:
            return .answered(discard(stream, expected: state.expected, .sequenceGap, .now, 0))
        case .tooManyUnacked:
            return .answered(discard(stream, expected: state.expected, .unackedLimit, .after, Self.retryMilliseconds))
        case .conflict:
            streams[stream.connection]?[stream.stream] = nil
            leave(live.key)
            return .answered([refusal(stream, expected: state.expected, .sequenceConflict, .newSource)])
        }
    }

    /// The source's totals once all that was accepted on this live stream is durable: what the log notes with each
    /// entry.
    public func acceptedTotals(of stream: StreamKey) -> SourceTotals {
        guard let state = key(of: stream).flatMap({ sources[$0] }) else {
            preconditionFailure("something was accepted on a live stream")
        }
        return state.acceptedTotals
    }

    // MARK: Groups

    /// Ends the open group.
    /// - Returns: its number and what the log must hold with it; nil if nothing was accepted.
    public mutating func sealGroup() -> (number: UInt64, updates: [SourceUpdate])? {
        guard !openGroupSources.isEmpty else { return nil }
        let number = openGroup
        let updates = openGroupSources.compactMap { key in sources[key]?.update(of: number, key: key) }
        sealedGroups.append((number, openGroupSources))
        openGroup += 1
        openGroupSources = []
        return (number, updates)
    }

    /// The oldest sealed group is on disk.
    public mutating func groupDurable(_ number: UInt64) -> [LedgerAnswer] {
        precondition(sealedGroups.first?.number == number, "groups become durable in order")
        var answers: [LedgerAnswer] = []
        for key in sealedGroups.removeFirst().sources {
            guard let verdicts = sources[key]?.commit(group: number), let state = sources[key] else { continue }
            if let live = state.live, streams[live.connection]?[live.stream]?.isOpening == false {
                answers.append(acknowledgement(live, state, verdicts))
            }
            answers += openedIfSettled(key)
            dropIfUnneeded(key)
        }
        return answers
    }

    /// A sealed group could not be written: it and everything accepted after it is undone, the open group too.
    public mutating func groupFailed(_ number: UInt64, _ code: NackCode, afterMilliseconds: UInt64) -> [LedgerAnswer] {
        guard let first = sealedGroups.firstIndex(where: { $0.number == number }) else {
            preconditionFailure("group \(number) is not sealed")
        }
        let undone = Set(sealedGroups[first...].flatMap(\.sources) + openGroupSources)
        sealedGroups.removeSubrange(first...)
        openGroupSources = []
        openGroup += 1
        var answers: [LedgerAnswer] = []
        for key in undone {
            guard let expected = sources[key]?.undo(from: number) else { continue }
            if let live = sources[key]?.live, streams[live.connection]?[live.stream]?.isOpening == false {
                answers += discard(live, expected: expected, code, .after, afterMilliseconds)
            }
            answers += openedIfSettled(key)
            dropIfUnneeded(key)
        }
        return answers
    }

    // MARK: Answers

    private mutating func discard(
        _ stream: StreamKey, expected: UInt64, _ code: NackCode, _ retry: RetryRule, _ afterMilliseconds: UInt64
    ) -> [LedgerAnswer] {
        streams[stream.connection]?[stream.stream]?.discardsUntil = expected
        return [refusal(stream, expected: expected, code, retry, afterMilliseconds: afterMilliseconds)]
    }

    private func refusal(
        _ stream: StreamKey, expected: UInt64, _ code: NackCode, _ retry: RetryRule, afterMilliseconds: UInt64 = 0,
        detail: String = ""
    ) -> LedgerAnswer {
        .refused(connection: stream.connection, NegativeAcknowledgement(
            stream: stream.stream, expected: expected, code: code, retry: retry,
            afterMilliseconds: afterMilliseconds, detail: detail))
    }

    private func acknowledgement(_ stream: StreamKey, _ state: SourceState, _ verdicts: [Verdict]) -> LedgerAnswer {
        .acknowledged(connection: stream.connection, Acknowledgement(
            stream: stream.stream, durable: state.durable, totals: state.totals, verdicts: verdicts))
    }
}
