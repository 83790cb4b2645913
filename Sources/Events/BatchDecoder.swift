import Bytes
import Zstd

/// Turns bytes into a batch and checks every rule of protocol/batch.md on the way. One thread at a time; reusable.
///
/// Nothing is allocated that the input's own length, or for zstd the declared and limited size, does not justify.
public struct BatchDecoder: ~Copyable {
    private var decompressor = Decompressor()
    /// Strings of the batch at hand that are known to be JSON texts: a text that many rows share is parsed once.
    var jsonTexts: [UInt64] = []

    public init() {}

    /// Decodes one whole batch, header included. O(decoded bytes), nothing allocated per event.
    public mutating func decode(_ batch: RawSpan, limits: BatchLimits = .format) throws(BatchError) -> Batch {
        let header = try BatchHeader.read(batch, limits: limits)
        let payload = batch.extracting(BatchHeader.byteCount..<batch.byteCount)
        switch header.codec {
        case .raw:
            return try decodeBody(payload, header, limits)
        case .zstd:
            let body = try inflate(payload, byteCount: header.decodedByteCount)
            return try decodeBody(body.rawSpan, header, limits)
        }
    }

    private mutating func inflate(_ payload: RawSpan, byteCount: Int) throws(BatchError) -> [UInt8] {
        guard ZstdFrame.byteCount(payload) == payload.byteCount else { throw .notOneZstdFrame }
        let body: [UInt8]
        do throws(ZstdError) {
            body = try decompressor.decompress(payload, limit: byteCount)
        } catch {
            if case .decodedSizeNotAllowed(let declared?, _) = error {
                throw .decodedSizeMismatch(declared: byteCount, actual: Int(clamping: declared))
            }
            throw .compression(error)
        }
        guard body.count == byteCount else { throw .decodedSizeMismatch(declared: byteCount, actual: body.count) }
        return body
    }

    private mutating func decodeBody(
        _ body: RawSpan, _ header: BatchHeader, _ limits: BatchLimits
    ) throws(BatchError) -> Batch {
        var offset = 0
        let table = try StringTable(body, &offset, limits)
        let columnCount = try body.shortVarint(&offset, .columns)
        guard columnCount <= UInt64(limits.columnsMax) else {
            throw .overLimit(.columns, value: columnCount, limit: limits.columnsMax)
        }
        jsonTexts.removeAll(keepingCapacity: true)
        var batch = Batch(eventCount: header.eventCount, strings: table.strings)
        var overlap = NameOverlap()
        var previousKind = -1
        for _ in 0..<columnCount {
            let kind = try body.byte(&offset, .columns)
            let repeats = kind == ColumnKind.value && previousKind == Int(kind)
            guard Int(kind) > previousKind || repeats else { throw .columnOrder(kind: kind) }
            previousKind = Int(kind)
            let length = try body.length(&offset, .column(kind: kind))
            let end = offset &+ length
            let column = body.extracting(0..<end)
            if kind == ColumnKind.value {
                let number = batch.valueColumns.count
                let values = try decodeValues(column, &offset, table, eventCount: header.eventCount, number: number)
                try overlap.add(values, after: batch.valueColumns.last, table.strings, number: number)
                batch.valueColumns.append(values)
            } else {
                try BatchDecoder.decodeColumn(kind, column, &offset, table, into: &batch)
            }
            guard offset == end else { throw .surplusBytes(.column(kind: kind), offset: offset) }
        }
        guard offset == body.byteCount else { throw .surplusBytes(.columns, offset: offset) }
        // A batch has at least one event, so a column that was read is not empty.
        guard !batch.types.isEmpty else { throw .missingColumn(kind: ColumnKind.type) }
        guard !batch.timestampsMicros.isEmpty else { throw .missingColumn(kind: ColumnKind.timestamp) }
        try batch.checkValueBytes(longestBytes: table.longestBytes, bodyBytes: body.byteCount)
        return batch
    }
}
