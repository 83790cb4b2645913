import Bytes
import Files
import WAL
import Wire
import Zstd

/// What the loop asks of the log's thread.
enum LogCommand: Sendable {
    case open(connection: UInt64, Open, tokenName: String)
    case batch(connection: UInt64, CheckedBatch)
    case skip(connection: UInt64, Skip)
    case refuse(connection: UInt64, ServerConnection.Refusal)
    case close(connection: UInt64, Close)
    case disconnected(connection: UInt64)
    /// Ends the active segment, so that everything durable can be published and freed; `then` hears its last record.
    case rotate(then: @Sendable (UInt64) -> Void)
    /// The tables of these projects hold the log through these records.
    case free(published: [String: UInt64])
    case stop

    /// Memory that waits with this command, about.
    var byteCount: Int {
        guard case .batch(_, let batch) = self else { return Self.overheadBytes }
        return Self.overheadBytes + batch.frame.batchBytes + batch.rewrittenBytes
    }

    private static let overheadBytes = 256
}

/// Judges, gathers and commits: everything that the log's thread does but waiting.
///
/// One commit is one group: judged by the ledger, written and synced by the log, then answered. Crash story: answers
/// are returned only after `LogWriter.commit`; whatever was not answered is resent and judged anew by what the log
/// holds.
final class GroupCommitter {
    private var ledger: SourceLedger
    private let log: LogWriter
    private var draft = GroupDraft()
    private let clock: () -> Int64
    private let metrics: LogMetrics

    /// How long senders wait after a failed write.
    private static let storageRetryMilliseconds: UInt64 = 1000

    /// The log could not even say how far it is durable: only a restart knows.
    struct Unusable: Error {
        let cause: WALError
    }

    private init(ledger: SourceLedger, log: LogWriter, clock: @escaping () -> Int64, metrics: LogMetrics) {
        self.ledger = ledger
        self.log = log
        self.clock = clock
        self.metrics = metrics
    }

    /// Opens the log in `folder`, recovers it, and rebuilds the ledger from it.
    static func open(
        folder: String, segmentBytes: Int, highestPublished: UInt64, disk: Disk, clock: @escaping () -> Int64,
        metrics: LogMetrics
    ) throws -> (GroupCommitter, RecoveryReport) {
        // The lineage is known only when the log is open, so the updates are replayed into the ledger afterwards.
        let replay = Replay()
        let state = SourceState(
            load: { replay.updates = try SourceCheckpoint.decode($0) },
            apply: { replay.updates += $0.sourceUpdates() },
            save: { replay.save() })
        let (log, report) = try LogWriter.open(
            folder: folder, options: .init(segmentBytes: segmentBytes), disk: disk, state: state,
            highestPublished: highestPublished, nowMicros: clock())
        var ledger = SourceLedger(lineage: log.lineage.bytes)
        for update in replay.updates { ledger.restore(update) }
        replay.updates = []
        let committer = GroupCommitter(ledger: ledger, log: log, clock: clock, metrics: metrics)
        replay.save = { [unowned committer] in SourceCheckpoint.encode(committer.ledger.snapshot()) }
        return (committer, report)
    }

    /// Holds what is replayed until there is a ledger; afterwards asks the ledger.
    private final class Replay {
        var updates: [SourceUpdate] = []
        lazy var save: () -> [UInt8] = { [unowned self] in
            var ledger = SourceLedger(lineage: [UInt8](repeating: 0, count: 16))
            for update in updates { ledger.restore(update) }
            return SourceCheckpoint.encode(ledger.snapshot())
        }
    }

    /// How the log stands, for whoever looks.
    func showMetrics() {
        metrics.segments.set(log.segmentCount)
        metrics.recordBytes.set(log.size.recordBytes)
        metrics.logEvents.set(log.size.eventCount)
        metrics.lastRecord.set(Double(log.lastSequence))
    }

    /// Takes one command into the open group; commits first if it would not fit.
    /// - Returns: answers that may go out now.
    func take(_ command: LogCommand) throws -> [LedgerAnswer] {
        switch command {
        case .open(let connection, let open, let tokenName):
            // The sender heard an ACK for what this log does not have: an older log in its place, or a fault of ours.
            if open.acked > ledger.durable(of: SourceKey(project: open.project, source: open.source)) {
                metrics.acknowledgedUnknown.increment()
            }
            return ledger.open(open, connection: connection, tokenName: tokenName)
        case .batch(let connection, let batch):
            return try take(batch, StreamKey(connection: connection, stream: batch.frame.stream))
        case .skip(let connection, let skip):
            return try take(skip, connection)
        case .refuse(let connection, let refusal):
            return ledger.refuse(refusal, connection: connection)
        case .close(let connection, let close):
            ledger.close(close, connection: connection)
        case .disconnected(let connection):
            ledger.disconnected(connection)
        case .rotate(let then):
            let answers = try commit()
            do { try log.rotate(nowMicros: clock()) } catch { throw Unusable(cause: error) }
            then(log.lastSequence)
            return answers
        case .free(let published):
            // What was not unlinked now is unlinked the next time.
            do { try log.free(published: published) } catch { metrics.freeingsFailed.increment() }
        case .stop:
            break
        }
        return []
    }

    private func take(_ batch: CheckedBatch, _ stream: StreamKey) throws -> [LedgerAnswer] {
        var answers: [LedgerAnswer] = []
        let isFit = draft.fits(
            count: Int(batch.frame.eventCount), byteCount: batch.bodyBytes, expandedBytes: batch.expandedBytes)
        if !isFit { answers = try commit() }
        let judgement = ledger.judgeBatch(
            stream, base: batch.frame.base, count: batch.frame.eventCount, fingerprint: batch.fingerprint,
            rewinds: batch.frame.rewinds)
        guard case .accepted = judgement else {
            if case .answered(let more) = judgement { answers += more }
            metrics.batchesNotTaken.increment()
            return answers
        }
        ledger.exclude(stream, verdicts: batch.verdicts, quarantinedCount: batch.quarantinedCount)
        guard let key = ledger.key(of: stream) else { preconditionFailure("it was accepted on a live stream") }
        let totals = ledger.acceptedTotals(of: stream)
        var flags: Entry.Flags = []
        if batch.isImport { flags.insert(.isImport) }
        if totals.unknownBefore > 0 { flags.insert(.recheck) }
        var entry = Entry(
            kind: .close, project: key.project, source: key.source, flags: flags, base: batch.frame.base,
            count: Int(batch.frame.eventCount), totals: totals)
        switch batch.outcome {
        case .rejected(let code):
            entry.kind = .rejectedBatch(fingerprint: batch.fingerprint, code: UInt8(code.rawValue))
            draft.add(entry)
        case .valid(let valid):
            let details = BatchEntry(
                receivedMicros: batch.receivedMicros, clockOffsetMicros: batch.clockOffsetMicros,
                fingerprint: batch.fingerprint, minTimestampMicros: valid.minTimestampMicros,
                maxTimestampMicros: valid.maxTimestampMicros,
                exclusions: valid.exclusions.map { Exclusion(index: $0.index, code: $0.code.rawValue) })
            add(entry, details, batch.frame, valid)
            metrics.planViolations.add(valid.violations)
        }
        return answers
    }

    private func add(_ entry: Entry, _ details: BatchEntry, _ frame: BatchFrame, _ valid: CheckedBatch.Valid) {
        do {
            if let rewritten = valid.rewritten {
                try draft.add(
                    entry, details, body: rewritten.rawSpan, isCompressed: valid.isCompressed,
                    expandedBytes: valid.expandedBytes)
            } else {
                try draft.add(
                    entry, details, body: frame.batch, isCompressed: valid.isCompressed,
                    expandedBytes: valid.expandedBytes)
            }
        } catch {
            preconditionFailure("zstd refused to compress: \(error)")
        }
    }

    private func take(_ skip: Skip, _ connection: UInt64) throws -> [LedgerAnswer] {
        let answers = draft.fits(count: 0, byteCount: 0, expandedBytes: 0) ? [] : try commit()
        switch ledger.judgeSkip(skip, connection: connection) {
        case .answered(let more):
            return answers + more
        case .accepted:
            let stream = StreamKey(connection: connection, stream: skip.stream)
            guard let key = ledger.key(of: stream) else { preconditionFailure("it was accepted on a live stream") }
            draft.add(
                Entry(
                    kind: .skip(reason: skip.reason.rawValue), project: key.project, source: key.source, flags: [],
                    base: skip.base, count: Int(skip.count),
                    totals: ledger.acceptedTotals(of: stream)))
            return answers
        }
    }

    /// Makes the open group durable and answers it.
    /// - Throws: `Unusable` if the daemon must stop.
    func commit() throws -> [LedgerAnswer] {
        guard let (number, updates) = ledger.sealGroup() else { return [] }
        for update in updates {
            guard let tokenName = update.tokenName else { continue }
            draft.add(
                Entry(
                    kind: .open(tokenName: tokenName), project: update.key.project, source: update.key.source,
                    flags: [], base: update.totals.sum + 1, count: 0, totals: update.totals))
        }
        let (events, started) = (draft.eventCount, ContinuousClock.now)
        do {
            _ = try log.commit(&draft, nowMicros: clock())
        } catch {
            guard log.isMarked else { throw Unusable(cause: error) }
            metrics.groupsFailed.increment()
            return ledger.groupFailed(
                number, error.isDiskFull ? .diskFull : .storage, afterMilliseconds: Self.storageRetryMilliseconds)
        }
        metrics.commitSeconds.observe((ContinuousClock.now - started) / .seconds(1))
        metrics.eventsDurable.increment(by: events)
        return ledger.groupDurable(number)
    }

    /// Ends the log cleanly, after the last commit.
    func seal() throws { try log.seal(nowMicros: clock()) }
}

extension CheckedBatch {
    /// What of it is refused, by sequence.
    var verdicts: [Verdict] {
        switch outcome {
        case .rejected(let code): [Verdict(sequence: frame.base, count: UInt64(frame.eventCount), code: code)]
        case .valid(let valid):
            valid.exclusions.reduce(into: []) { verdicts, exclusion in
                guard let code = VerdictCode(rawValue: UInt64(exclusion.code.rawValue)) else { return }
                verdicts.append(event: frame.base + UInt64(exclusion.index), code)
            }
        }
    }

    /// How many of its events are kept aside; they have no verdict.
    var quarantinedCount: UInt64 {
        guard case .valid(let valid) = outcome else { return 0 }
        return valid.exclusions.reduce(0) { count, exclusion in
            if case .quarantined = exclusion.code { count + 1 } else { count }
        }
    }
}

extension WALError {
    var isDiskFull: Bool { if case .file(let error) = self { error.isDiskFull } else { false } }
}
