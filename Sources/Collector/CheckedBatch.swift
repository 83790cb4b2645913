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
    }

    /// What it becomes where it is read; nothing if it is not stored.
    var expandedBytes: Int { if case .valid(let valid) = outcome { valid.expandedBytes } else { 0 } }

    /// Imports are never clock-corrected: protocol/frames.md §6.
    var clockOffsetMicros: Int64 { isImport ? 0 : frame.clockOffsetMicros }
}

/// Checks batches column by column, reusing its buffers. Loop thread.
struct BatchChecker: ~Copyable {
    private var decoder = BatchDecoder()

    init() {}

    mutating func check(_ frame: BatchFrame, isImport: Bool, nowMicros: Int64) -> CheckedBatch {
        CheckedBatch(
            frame: frame, isImport: isImport, receivedMicros: nowMicros, fingerprint: frame.fingerprint,
            outcome: outcome(frame, isImport: isImport, nowMicros: nowMicros))
    }

    private mutating func outcome(_ frame: BatchFrame, isImport: Bool, nowMicros: Int64) -> CheckedBatch.Outcome {
        do {
            let header = try BatchHeader.read(frame.batch)
            let batch = try decoder.decode(frame.batch)
            guard batch.eventCount == Int(frame.eventCount) else { return .rejected(.malformed) }
            let offset = isImport ? 0 : frame.clockOffsetMicros
            return .valid(
                CheckedBatch.Valid(
                    isCompressed: header.codec == .zstd, minTimestampMicros: batch.timestampMicrosMin,
                    maxTimestampMicros: batch.timestampMicrosMax,
                    expandedBytes: max(header.decodedByteCount, batch.valueBytesMost),
                    exclusions: contentVerdicts(of: batch, receivedAtMicros: nowMicros, clockOffsetMicros: offset)))
        } catch {
            return .rejected(error.verdict == .tooBig ? .tooBig : .malformed)
        }
    }
}
