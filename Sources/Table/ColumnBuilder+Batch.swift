import Bytes
import Events
import JSON
import Parquet

extension ColumnBuilder {
    /// Appends the strings that a batch's refs name; each distinct one is looked up once.
    mutating func append(_ refs: [UInt32]?, of strings: ByteStrings, _ kept: [Int]) {
        guard let refs else { return appendNulls(kept.count) }
        withStrings { interner, codes in
            var known = [UInt32](repeating: StringColumn.null, count: strings.count)
            for row in kept {
                let ref = refs[row]
                guard ref != Batch.none else {
                    codes.append(StringColumn.null)
                    continue
                }
                if known[Int(ref)] == StringColumn.null { known[Int(ref)] = interner.intern(strings.span(Int(ref))) }
                codes.append(known[Int(ref)])
            }
        }
    }

    /// Appends a value column to a column of its own.
    /// - Returns: false, with nothing appended, if a value cannot be kept exactly.
    mutating func append(promoted column: ValueColumn, of batch: Batch, _ kept: [Int]) -> Bool {
        switch column.values {
        case .string(let refs):
            var dense = [UInt32](repeating: Batch.none, count: batch.eventCount)
            column.forEachValue { row, ordinal in dense[row] = refs[ordinal] }
            append(dense, of: batch.strings, kept)
        case .float64(let values):
            appendDoubles(column, kept, batch.eventCount) { values[$0] }
        case .int64(let values):
            guard values.allSatisfy({ $0.magnitude <= 1 << 53 }) else { return false }
            appendDoubles(column, kept, batch.eventCount) { Double(values[$0]) }
        case .bool, .json:
            return false
        }
        return true
    }

    private mutating func appendDoubles(
        _ column: ValueColumn, _ kept: [Int], _ eventCount: Int, _ value: (Int) -> Double
    ) {
        var dense = [Double](repeating: 0, count: eventCount)
        column.forEachValue { row, ordinal in dense[row] = value(ordinal) }
        append(kept.map { dense[$0] }, present: kept.map { column.presence[$0] })
    }

    /// Appends one JSON object a row, of the values it has in `members`; null for none.
    mutating func append(json members: [ValueColumn], of batch: Batch, _ kept: [Int]) {
        var ordinals = members.map { _ in 0 }
        var next = 0
        withStrings { interner, codes in
            for row in kept {
                // Rows between the kept ones count in every column they have a value in.
                while next < row {
                    for (index, member) in members.enumerated() where member.presence[next] { ordinals[index] += 1 }
                    next += 1
                }
                next = row + 1
                var writer = JSONWriter()
                var isEmpty = true
                for (index, member) in members.enumerated() where member.presence[row] {
                    if isEmpty { writer.beginObject() }
                    isEmpty = false
                    writer.name(batch.strings.span(Int(member.name)))
                    member.write(ordinals[index], batch.strings, to: &writer)
                    ordinals[index] += 1
                }
                guard !isEmpty else {
                    codes.append(StringColumn.null)
                    continue
                }
                writer.endObject()
                codes.append(interner.intern(writer.output.bytes.rawSpan))
            }
        }
    }
}

extension ValueColumn {
    /// Calls `body` with each row that has a value, and the value's place among them.
    func forEachValue(_ body: (_ row: Int, _ ordinal: Int) -> Void) {
        var ordinal = 0
        presence.forEachOne { row in
            body(row, ordinal)
            ordinal += 1
        }
    }

    fileprivate func write(_ ordinal: Int, _ strings: ByteStrings, to writer: inout JSONWriter) {
        switch values {
        case .bool(let bits): writer.bool(bits[ordinal])
        case .int64(let numbers): writer.integer(numbers[ordinal])
        case .float64(let numbers): writer.number(numbers[ordinal])
        case .string(let refs): writer.string(strings.span(Int(refs[ordinal])))
        case .json(let refs): writer.raw(strings.span(Int(refs[ordinal])))
        }
    }
}
