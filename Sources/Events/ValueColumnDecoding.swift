import Bytes
import JSON

// Columns of kind 32, protocol/batch.md §6: u8 scope · u8 type · ref name · bitmap(n) · values of the set bits.

extension BatchDecoder {
    mutating func decodeValues(
        _ column: RawSpan, _ offset: inout Int, _ table: borrowing StringTable, eventCount: Int, number: Int
    ) throws(BatchError) -> ValueColumn {
        let part = BatchPart.valueColumn(number)
        let start = offset
        let scopeByte = try column.byte(&offset, part)
        guard let scope = EventValue.Scope(rawValue: scopeByte) else { throw .unknownScope(scopeByte, offset: start) }
        let typeByte = try column.byte(&offset, part)
        guard let type = ValueType(rawValue: typeByte) else { throw .unknownValueType(typeByte, offset: start &+ 1) }
        let name = try column.shortVarint(&offset, part)
        guard name < UInt64(table.strings.count) else {
            throw .stringIndexOutOfRange(part, index: name, stringCount: table.strings.count)
        }
        try table.checkLength(UInt32(name), .nameBytes, max: Limits.propertyNameBytesMax, part)
        let presence = try column.bitmap(eventCount, &offset, part)
        let count = presence.onesCount
        guard count > 0 else { throw .emptyValueColumn(part) }
        let values: ValueColumn.Values
        switch type {
        case .bool: values = .bool(try column.bitmap(count, &offset, part))
        case .int64: values = .int64(try column.numbers(count, &offset, part))
        case .float64: values = .float64(try column.doubles(count, &offset, part))
        case .string: values = .string(try column.refs(count, noneIsZero: .no, table, &offset, part))
        case .json:
            let refs = try column.refs(count, noneIsZero: .no, table, &offset, part)
            try checkJSON(refs, table.strings, part)
            values = .json(refs)
        }
        return ValueColumn(scope: scope, name: UInt32(name), presence: presence, values: values)
    }

    /// Parses each string once, however many rows share it: else a small batch could cost hours.
    private mutating func checkJSON(
        _ refs: [UInt32], _ strings: ByteStrings, _ part: BatchPart
    ) throws(BatchError) {
        if jsonTexts.isEmpty {
            jsonTexts.append(contentsOf: repeatElement(0, count: (strings.count &+ 63) / 64))
        }
        for ref in refs {
            let index = Int(ref)
            let bit: UInt64 = 1 &<< UInt64(index & 63)
            if jsonTexts[index &>> 6] & bit != 0 { continue }
            guard JSONScanner.isValid(strings.span(index)) else { throw .notJSON(part) }
            jsonTexts[index &>> 6] |= bit
        }
    }
}

extension RawSpan {
    fileprivate func numbers(_ count: Int, _ offset: inout Int, _ part: BatchPart) throws(BatchError) -> [Int64] {
        guard count <= byteCount &- offset else { throw .truncated(part, offset: byteCount) }
        var position = offset
        let numbers = try [Int64](capacity: count) { (output: inout OutputSpan<Int64>) throws(BatchError) in
            for _ in 0..<count { output.append(try wordZigzag(&position, part)) }
        }
        offset = position
        return numbers
    }

    fileprivate func doubles(_ count: Int, _ offset: inout Int, _ part: BatchPart) throws(BatchError) -> [Double] {
        let range = try self.part(count &* 8, &offset, part)
        return try [Double](capacity: count) { (output: inout OutputSpan<Double>) throws(BatchError) in
            for index in 0..<count {
                let value = Double(bitPattern: uncheckedWord(range.lowerBound &+ index &* 8))
                guard value.isFinite else { throw .notFinite(part) }
                output.append(value)
            }
        }
    }
}

/// Holds value columns to their order, and columns of one scope and name to rows of their own.
struct NameOverlap {
    /// The rows that columns of the latest scope and name have so far.
    private var rows: [UInt64] = []

    mutating func add(
        _ column: ValueColumn, after previous: ValueColumn?, _ strings: ByteStrings, number: Int
    ) throws(BatchError) {
        guard let previous else { return }
        let names = strings.span(Int(previous.name)).compare(strings.span(Int(column.name)))
        let isNewName = previous.scope != column.scope || names != 0
        let ascends =
            previous.scope != column.scope
            ? previous.scope.rawValue < column.scope.rawValue
            : names < 0 || names == 0 && previous.type.rawValue < column.type.rawValue
        guard ascends else { throw .valueColumnOrder(.valueColumn(number)) }
        if isNewName {
            rows.removeAll(keepingCapacity: true)
            return
        }
        if rows.isEmpty { rows = previous.presence.words }
        for index in rows.indices {
            let shared = rows[index] & column.presence.words[index]
            if shared != 0 {
                throw .repeatedName(.valueColumn(number), row: index &* 64 &+ shared.trailingZeroBitCount)
            }
            rows[index] |= column.presence.words[index]
        }
    }
}
