import Bytes

// The columns of protocol/batch.md §5, kinds other than 32. `column` ends where the column does.

extension BatchDecoder {
    static func decodeColumn(
        _ kind: UInt8, _ column: RawSpan, _ offset: inout Int, _ table: borrowing StringTable, into batch: inout Batch
    ) throws(BatchError) {
        let part = BatchPart.column(kind: kind)
        switch kind {
        case ColumnKind.type:
            batch.types = try column.refs(batch.eventCount, noneIsZero: .no, table, &offset, part)
            try table.checkLengths(batch.types, .typeBytes, max: Limits.eventTypeBytesMax, part)
        case ColumnKind.userID:
            batch.userIDs = try identifiers(column, &offset, table, batch.eventCount, part)
        case ColumnKind.anonymousID:
            batch.anonymousIDs = try identifiers(column, &offset, table, batch.eventCount, part)
        case ColumnKind.sessionID:
            batch.sessionIDs = try identifiers(column, &offset, table, batch.eventCount, part)
        case ColumnKind.groupKey:
            batch.groupKeys = try identifiers(column, &offset, table, batch.eventCount, part)
        case ColumnKind.timestamp:
            try decodeTimestamps(column, &offset, into: &batch)
        case ColumnKind.flags:
            batch.flags = try flags(column, &offset, batch.eventCount)
        case ColumnKind.eventID:
            let presence = try column.bitmap(batch.eventCount, &offset, part)
            let range = try column.part(presence.onesCount &* EventID.byteCount, &offset, part)
            batch.explicitIDs = Batch.ExplicitIDs(presence: presence, bytes: column.copy(range))
        default:
            let bytes = column.copy(offset..<column.byteCount)
            batch.unknownColumns.append(Batch.UnknownColumn(kind: kind, bytes: bytes))
            offset = column.byteCount
        }
    }

    private static func identifiers(
        _ column: RawSpan, _ offset: inout Int, _ table: borrowing StringTable, _ count: Int, _ part: BatchPart
    ) throws(BatchError) -> [UInt32] {
        let refs = try column.refs(count, noneIsZero: .yes, table, &offset, part)
        try table.checkLengths(refs, .identifierBytes, max: Limits.identifierBytesMax, part)
        return refs
    }

    private static func decodeTimestamps(
        _ column: RawSpan, _ offset: inout Int, into batch: inout Batch
    ) throws(BatchError) {
        let part = BatchPart.column(kind: ColumnKind.timestamp)
        let count = batch.eventCount
        guard count <= column.byteCount &- offset else { throw .truncated(part, offset: column.byteCount) }
        var position = offset
        var time: Int64 = 0
        var earliest = Int64.max
        var latest = Int64.min
        batch.timestampsMicros = try [Int64](capacity: count) { (output: inout OutputSpan<Int64>) throws(BatchError) in
            for _ in 0..<count {
                time &+= try column.wordZigzag(&position, part)
                earliest = min(earliest, time)
                latest = max(latest, time)
                output.append(time)
            }
        }
        offset = position
        batch.timestampMicrosMin = earliest
        batch.timestampMicrosMax = latest
    }

    private static func flags(_ column: RawSpan, _ offset: inout Int, _ count: Int) throws(BatchError) -> [UInt8] {
        let flags = column.copy(try column.part(count, &offset, .column(kind: ColumnKind.flags)))
        let highest = FlagBits.serverSide | Event.Consent.denied.rawValue &<< FlagBits.consentShift
        for (row, bits) in flags.enumerated() where bits > highest { throw .unknownFlagBits(row: row) }
        return flags
    }
}
