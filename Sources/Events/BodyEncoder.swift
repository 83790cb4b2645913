import Bytes

/// The body of one batch in canonical form (protocol/batch.md §11): columns in order, a string numbered at first use.
struct BodyEncoder {
    /// The batch's index of each of the builder's strings, `Batch.none` until its first use.
    private var numbers: [UInt32]
    /// The builder's strings in the batch's order.
    private var order: [UInt32] = []
    private var columns = ByteWriter()
    private var columnCount = 0

    static func encode(_ builder: borrowing BatchBuilder) -> [UInt8] {
        let strings = builder.strings.strings
        var encoder = BodyEncoder(stringCount: strings.count)
        encoder.appendColumns(of: builder)
        return encoder.body(strings)
    }

    private init(stringCount: Int) {
        numbers = [UInt32](repeating: Batch.none, count: stringCount)
        order.reserveCapacity(stringCount)
    }

    private mutating func appendColumns(of builder: borrowing BatchBuilder) {
        append(ColumnKind.type, refs(builder.types))
        appendOptional(ColumnKind.userID, builder.userIDs)
        appendOptional(ColumnKind.anonymousID, builder.anonymousIDs)
        appendOptional(ColumnKind.sessionID, builder.sessionIDs)
        append(ColumnKind.timestamp, differences(builder.timestampsMicros))
        if builder.flags.contains(where: { $0 != 0 }) { append(ColumnKind.flags, builder.flags) }
        if !builder.explicitIDs.isEmpty {
            var data = ByteWriter()
            data.append(bitmap(of: builder.explicitIDRows, count: builder.eventCount))
            for id in builder.explicitIDs {
                data.append(fixed: id.high.byteSwapped)
                data.append(fixed: id.low.byteSwapped)
            }
            append(ColumnKind.eventID, data.bytes)
        }
        appendOptional(ColumnKind.groupKey, builder.groupKeys)
        let strings = builder.strings.strings
        for column in builder.columns.filter({ !$0.rows.isEmpty }).sorted(by: { precedes($0, $1, strings) }) {
            append(ColumnKind.value, values(column, eventCount: builder.eventCount))
        }
    }

    private func precedes(_ left: GatheredColumn, _ right: GatheredColumn, _ strings: ByteStrings) -> Bool {
        if left.scope != right.scope { return left.scope.rawValue < right.scope.rawValue }
        if left.name == right.name { return left.type.rawValue < right.type.rawValue }
        return strings.span(Int(left.name)).compare(strings.span(Int(right.name))) < 0
    }

    private mutating func append(_ kind: UInt8, _ data: [UInt8]) {
        columns.append(kind)
        columns.append(lengthPrefixed: data)
        columnCount += 1
    }

    private mutating func appendOptional(_ kind: UInt8, _ rows: [UInt32]) {
        guard rows.contains(where: { $0 != Batch.none }) else { return }
        append(kind, optionalRefs(rows))
    }

    /// The batch's index of a string of the builder, given at its first use.
    @inline(__always)
    private mutating func number(_ string: UInt32) -> UInt32 {
        let known = numbers[Int(string)]
        if known != Batch.none { return known }
        let next = UInt32(truncatingIfNeeded: order.count)
        numbers[Int(string)] = next
        order.append(string)
        return next
    }

    private mutating func refs(_ strings: [UInt32]) -> [UInt8] {
        [UInt8](capacity: strings.count * BodyEncoder.refBytesMax) { (output: inout OutputSpan<UInt8>) in
            for string in strings { output.append(varint: UInt64(number(string))) }
        }
    }

    private mutating func optionalRefs(_ strings: [UInt32]) -> [UInt8] {
        [UInt8](capacity: strings.count * BodyEncoder.refBytesMax) { (output: inout OutputSpan<UInt8>) in
            for string in strings {
                output.append(varint: string == Batch.none ? 0 : UInt64(number(string)) &+ 1)
            }
        }
    }

    private func differences(_ times: [Int64]) -> [UInt8] {
        [UInt8](capacity: times.count * BodyEncoder.varintBytesMax) { (output: inout OutputSpan<UInt8>) in
            var previous: Int64 = 0
            for time in times {
                output.append(varint: zigzagEncode(time &- previous))
                previous = time
            }
        }
    }

    private func bitmap(of rows: [Int], count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: (count + 7) / 8)
        for row in rows { bytes[row / 8] |= 1 &<< UInt8(row & 7) }
        return bytes
    }

    private mutating func values(_ column: GatheredColumn, eventCount: Int) -> [UInt8] {
        let headBytes = 2 + BodyEncoder.refBytesMax + (eventCount + 7) / 8
        let capacity = headBytes + column.bits.count * BodyEncoder.varintBytesMax
        return [UInt8](capacity: capacity) { (output: inout OutputSpan<UInt8>) in
            output.append(column.scope.rawValue)
            output.append(column.type.rawValue)
            output.append(varint: UInt64(number(column.name)))
            for byte in bitmap(of: column.rows, count: eventCount) { output.append(byte) }
            switch column.type {
            case .bool:
                let ones = column.bits.indices.filter { column.bits[$0] == 1 }
                for byte in bitmap(of: ones, count: column.bits.count) { output.append(byte) }
            case .int64:
                for bits in column.bits { output.append(varint: zigzagEncode(Int64(bitPattern: bits))) }
            case .float64:
                for bits in column.bits { output.append(word: bits) }
            case .string, .json:
                for string in column.bits { output.append(varint: UInt64(number(UInt32(truncatingIfNeeded: string)))) }
            }
        }
    }

    private func body(_ strings: ByteStrings) -> [UInt8] {
        var writer = ByteWriter(capacity: strings.bytes.count + 3 * order.count + columns.count + 8)
        writer.append(count: order.count)
        for string in order { writer.append(count: strings.range(Int(string)).count) }
        for string in order { writer.append(strings.span(Int(string))) }
        writer.append(count: columnCount)
        writer.append(columns.bytes)
        return writer.bytes
    }

    /// A ref is below 2^18, an optional ref at most 2^18.
    private static let refBytesMax = 3
    private static let varintBytesMax = 10
}

extension OutputSpan where Element == UInt8 {
    @inline(__always)
    fileprivate mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest &>>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    fileprivate mutating func append(word: UInt64) {
        for shift in stride(from: 0, to: UInt64.bitWidth, by: 8) {
            append(UInt8(truncatingIfNeeded: word &>> UInt64(shift)))
        }
    }
}
