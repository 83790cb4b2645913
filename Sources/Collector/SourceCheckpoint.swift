import Bytes
import WAL
import Wire

/// The sources as the log keeps them: in checkpoints, whole, and record by record.
///
/// A checkpoint is `varint sources`, each: length and project · 10 bytes source · length and token name · totals ·
/// `varint batches`, each: base · count · u64 fingerprint · `varint verdicts`, each: sequence · count · code; then
/// CRC32C.
enum SourceCheckpoint {
    enum Failure: Error { case damaged(DecodeError), checksum }

    static func encode(_ sources: [SourceUpdate]) -> [UInt8] {
        var writer = ByteWriter(capacity: 64 * sources.count)
        writer.append(count: sources.count)
        for source in sources {
            writer.append(lengthPrefixed: Array(source.key.project.utf8))
            writer.append(source.key.source.bytes)
            writer.append(lengthPrefixed: Array((source.tokenName ?? "").utf8))
            for total in [
                source.totals.unknownBefore, source.totals.skipped, source.totals.stored, source.totals.rejected,
                source.totals.quarantined,
            ] { writer.append(varint: total) }
            writer.append(count: source.batches.count)
            for record in source.batches {
                writer.append(varint: record.batch.base)
                writer.append(varint: record.batch.count)
                writer.append(fixed: record.batch.fingerprint)
                writer.append(count: record.verdicts.count)
                for verdict in record.verdicts {
                    writer.append(varint: verdict.sequence)
                    writer.append(varint: verdict.count)
                    writer.append(varint: verdict.code.rawValue)
                }
            }
        }
        writer.append(fixed: CRC32C.checksum(writer.bytes))
        return writer.bytes
    }

    static func decode(_ bytes: [UInt8]) throws -> [SourceUpdate] {
        guard !bytes.isEmpty else { return [] }
        let span = bytes.rawSpan
        guard bytes.count > 4, try span.load(at: bytes.count - 4, as: UInt32.self)
            == CRC32C.checksum(span.extracting(0..<(bytes.count - 4)))
        else { throw Failure.checksum }
        var offset = 0
        do throws(DecodeError) {
            let count = try span.count("sources", limit: bytes.count, &offset)
            var sources: [SourceUpdate] = []
            for _ in 0..<count { sources.append(try source(span, &offset)) }
            guard offset == bytes.count - 4 else { throw .invalid(what: "bytes behind the sources", offset: offset) }
            return sources
        } catch {
            throw Failure.damaged(error)
        }
    }

    private static func source(_ span: RawSpan, _ offset: inout Int) throws(DecodeError) -> SourceUpdate {
        let project = span.text(try span.take(try span.count("project", limit: 63, &offset), &offset))
        let source = try span.source(&offset)
        let token = span.text(try span.take(try span.count("token", limit: Limits.tokenBytesMax, &offset), &offset))
        let totals = Totals(
            unknownBefore: try sequence(span, &offset), skipped: try sequence(span, &offset),
            stored: try sequence(span, &offset), rejected: try sequence(span, &offset),
            quarantined: try sequence(span, &offset))
        var batches: [BatchRecord] = []
        for _ in 0..<(try span.count("batches", limit: Limits.unackedBatchesPerStreamMax, &offset)) {
            let base = try sequence(span, &offset)
            let count = try sequence(span, &offset)
            guard base >= 1, count >= 1 else { throw .invalid(what: "batch", offset: offset) }
            let fingerprint = try span.read(UInt64.self, &offset)
            var verdicts: [Verdict] = []
            for _ in 0..<(try span.count("verdicts", limit: Limits.batchEventsMax, &offset)) {
                let sequence = try span.varint(&offset)
                let events = try span.varint(&offset)
                guard let code = VerdictCode(rawValue: try span.varint(&offset)) else {
                    throw .invalid(what: "verdict code", offset: offset)
                }
                verdicts.append(Verdict(sequence: sequence, count: events, code: code))
            }
            let batch = BatchFingerprint(base: base, count: count, fingerprint: fingerprint)
            batches.append(BatchRecord(batch: batch, verdicts: verdicts))
        }
        return SourceUpdate(
            key: SourceKey(project: project, source: source), tokenName: token, totals: totals, batches: batches)
    }

    /// At most 48 bits, so that sums of a few cannot overflow.
    private static func sequence(_ span: RawSpan, _ offset: inout Int) throws(DecodeError) -> UInt64 {
        UInt64(try span.count("sequence", limit: Int(Limits.sequenceMax), &offset))
    }
}

extension Record {
    /// What this record says of each source it touches, in order.
    func sourceUpdates() -> [SourceUpdate] {
        var order: [SourceKey] = []
        var updates: [SourceKey: SourceUpdate] = [:]
        for entry in entries {
            let key = SourceKey(project: entry.project, source: entry.source)
            if updates[key] == nil {
                order.append(key)
                updates[key] = SourceUpdate(key: key, tokenName: nil, totals: Totals(), batches: [])
            }
            updates[key]?.totals = Totals(entry.totals)
            if case .open(let tokenName) = entry.kind { updates[key]?.tokenName = tokenName }
            if let batch = entry.batchRecord { updates[key]?.batches.append(batch) }
        }
        return order.compactMap { updates[$0] }
    }
}

extension Entry {
    fileprivate var batchRecord: BatchRecord? {
        let verdicts: [Verdict]
        let fingerprint: UInt64
        switch kind {
        case .batch(let batch):
            fingerprint = batch.fingerprint
            verdicts = batch.exclusions.reduce(into: []) { verdicts, exclusion in
                guard let code = VerdictCode(rawValue: UInt64(exclusion.code)) else { return }
                verdicts.append(event: base + UInt64(exclusion.index), code)
            }
        case .rejectedBatch(let value, let code):
            fingerprint = value
            verdicts = VerdictCode(rawValue: UInt64(code)).map {
                [Verdict(sequence: base, count: UInt64(count), code: $0)]
            } ?? []
        case .skip:
            // A skip is remembered like a batch, without a fingerprint.
            (fingerprint, verdicts) = (0, [])
        case .open, .close:
            return nil
        }
        let batch = BatchFingerprint(base: base, count: UInt64(count), fingerprint: fingerprint)
        return BatchRecord(batch: batch, verdicts: verdicts)
    }
}

extension [Verdict] {
    /// Adds the verdict of one event, ascending; neighbours of one code are one verdict. A sender whose clock is in
    /// another unit has all its events refused, and 256 such batches a source are kept.
    mutating func append(event sequence: UInt64, _ code: VerdictCode) {
        if let last, last.code == code, last.sequence + last.count == sequence {
            self[count - 1].count += 1
        } else {
            append(Verdict(sequence: sequence, count: 1, code: code))
        }
    }
}

extension Totals {
    init(_ totals: SourceTotals) {
        self.init(
            unknownBefore: totals.unknownBefore, skipped: totals.skipped, stored: totals.stored,
            rejected: totals.rejected, quarantined: totals.quarantined)
    }
}

extension SourceTotals {
    init(_ totals: Totals) {
        self.init(
            unknownBefore: totals.unknownBefore, skipped: totals.skipped, stored: totals.stored,
            rejected: totals.rejected, quarantined: totals.quarantined)
    }
}
