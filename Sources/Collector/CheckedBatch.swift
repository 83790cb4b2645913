import Bytes
import Events
import Wire

/// A batch whose every byte was looked at once, at the edge; nobody looks again until it is compacted.
struct CheckedBatch: Sendable {
    let frame: BatchFrame
    let isImport: Bool
    let receivedMicros: Int64
    let fingerprint: UInt64
    let outcome: Outcome

    enum Outcome: Sendable {
        /// It is stored, but for the events named.
        case valid(Valid)
        /// It is not: the whole batch is spent.
        case rejected(VerdictCode)
    }

    struct Valid: Sendable {
        var isCompressed: Bool
        var minTimestampMicros: Int64
        var maxTimestampMicros: Int64
        /// What it becomes where it is read: its body decoded, or its values spelled out.
        var expandedBytes: Int
        var exclusions: [ContentVerdict]
        /// The events that do not keep to the plan.
        var violations: [PlanJudgement.Count]
        /// What is kept in place of the bytes that came, if the plan takes something out of them.
        var rewritten: [UInt8]?
    }

    /// What it becomes where it is read; nothing if it is not stored.
    var expandedBytes: Int { if case .valid(let valid) = outcome { valid.expandedBytes } else { 0 } }

    /// Bytes that go to the log.
    var bodyBytes: Int {
        switch outcome {
        case .valid: rewrittenBytes > 0 ? rewrittenBytes : frame.batchBytes
        case .rejected: 0
        }
    }

    /// Bytes that are held beside those that came.
    var rewrittenBytes: Int { if case .valid(let valid) = outcome { valid.rewritten?.count ?? 0 } else { 0 } }

    /// Imports are never clock-corrected: protocol/frames.md §6.
    var clockOffsetMicros: Int64 { isImport ? 0 : frame.clockOffsetMicros }
}

/// Checks batches column by column and holds them to the plan, reusing its buffers. Loop thread.
struct BatchChecker: ~Copyable {
    private var decoder = BatchDecoder()
    private var judge: PlanJudge
    /// Whether events are taken at all.
    private let isTracking: Bool

    init(_ plan: TrackingPlan = TrackingPlan(), isTracking: Bool = true) {
        judge = PlanJudge(plan)
        self.isTracking = isTracking
    }

    mutating func check(_ frame: BatchFrame, isImport: Bool, nowMicros: Int64) -> CheckedBatch {
        CheckedBatch(
            frame: frame, isImport: isImport, receivedMicros: nowMicros, fingerprint: frame.fingerprint,
            outcome: outcome(frame, isImport: isImport, nowMicros: nowMicros))
    }

    private mutating func outcome(_ frame: BatchFrame, isImport: Bool, nowMicros: Int64) -> CheckedBatch.Outcome {
        guard isTracking else { return .rejected(.schema) }
        do {
            let header = try BatchHeader.read(frame.batch)
            let batch = try decoder.decode(frame.batch)
            guard batch.eventCount == Int(frame.eventCount) else { return .rejected(.malformed) }
            let offset = isImport ? 0 : frame.clockOffsetMicros
            let content = contentVerdicts(of: batch, receivedAtMicros: nowMicros, clockOffsetMicros: offset)
            let judgement = judge.judge(batch, content)
            var valid = CheckedBatch.Valid(
                isCompressed: header.codec == .zstd, minTimestampMicros: batch.timestampMicrosMin,
                maxTimestampMicros: batch.timestampMicrosMax,
                expandedBytes: max(header.decodedByteCount, batch.valueBytesMost),
                exclusions: judgement.verdicts, violations: judgement.counts)
            if let rewritten = try judgement.rewritten(batch, codec: header.codec) {
                // Numbered anew, strings may take more bytes than before: what the compactor reads keeps every limit.
                let kept = try decoder.decode(rewritten.rawSpan)
                let keptBytes = try BatchHeader.read(rewritten.rawSpan).decodedByteCount
                valid.expandedBytes = max(keptBytes, kept.valueBytesMost)
                valid.rewritten = rewritten
            }
            return .valid(valid)
        } catch {
            return .rejected(error.verdict == .tooBig ? .tooBig : .malformed)
        }
    }
}
