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

    /// Appends the values of a string column to a column of their own.
    mutating func append(_ refs: [UInt32], at presence: Bitmap, of batch: Batch, _ kept: [Int]) {
        var dense = [UInt32](repeating: Batch.none, count: batch.eventCount)
        var ordinal = 0
        presence.forEachOne { row in
            dense[row] = refs[ordinal]
            ordinal += 1
        }
        append(dense, of: batch.strings, kept)
    }

    mutating func append(_ numbers: BatchDoubles, _ kept: [Int]) {
        append(kept.map { numbers.values[$0] }, present: kept.map { numbers.isPresent[$0] })
    }

    /// Appends one JSON object a row, of the values it has in `members`; null for none.
    mutating func append(json members: [JSONMember], of batch: Batch, _ kept: [Int]) {
        // Where each row's value stands among its member's; -1 for none. One stretch of rows a member.
        var ordinals: [Int32] = []
        ordinals.reserveCapacity(members.count * batch.eventCount)
        for member in members { member.appendOrdinals(to: &ordinals) }
        var writer = JSONWriter()
        var texts = StringInterner()
        let codes = kept.map { row -> UInt32 in
            writer.output.bytes.removeAll(keepingCapacity: true)
            for index in members.indices {
                let ordinal = Int(ordinals[index &* batch.eventCount &+ row])
                guard ordinal >= 0 else { continue }
                if writer.output.count == 0 { writer.beginObject() }
                members[index].column.write(ordinal, batch.strings, to: &writer)
            }
            if writer.output.count == 0 { return StringColumn.null }
            writer.endObject()
            return texts.intern(writer.output.bytes.rawSpan)
        }
        append(texts: texts.strings, codes: codes)
    }
}

/// A value column, and the rows whose values of it belong in their scope's JSON.
struct JSONMember {
    let column: ValueColumn
    let rows: Bitmap

    fileprivate func appendOrdinals(to ordinals: inout [Int32]) {
        let start = ordinals.count
        ordinals.append(contentsOf: repeatElement(-1, count: rows.count))
        var ordinal: Int32 = 0
        column.presence.forEachOne { row in
            if rows[row] { ordinals[start + row] = ordinal }
            ordinal += 1
        }
    }
}

/// The numbers that a batch's events have under one name, whether they came as integers or not: one entry an event.
struct BatchDoubles {
    private(set) var values: [Double]
    private(set) var isPresent: [Bool]

    init(eventCount: Int) {
        values = [Double](repeating: 0, count: eventCount)
        isPresent = [Bool](repeating: false, count: eventCount)
    }

    mutating func add(_ numbers: [Double], at presence: Bitmap) {
        var ordinal = 0
        presence.forEachOne { row in
            values[row] = numbers[ordinal]
            isPresent[row] = true
            ordinal += 1
        }
    }

    /// Adds those integers that a double surely holds exactly.
    /// - Returns: the rows of the others.
    mutating func add(_ integers: [Int64], at presence: Bitmap) -> Bitmap {
        var rest = Bitmap(repeating: false, count: presence.count)
        var ordinal = 0
        presence.forEachOne { row in
            if integers[ordinal].magnitude <= 1 << 53 {
                values[row] = Double(integers[ordinal])
                isPresent[row] = true
            } else {
                rest[row] = true
            }
            ordinal += 1
        }
        return rest
    }
}

extension ValueColumn {
    /// Writes the name and the value of that ordinal.
    fileprivate func write(_ ordinal: Int, _ strings: ByteStrings, to writer: inout JSONWriter) {
        writer.name(strings.span(Int(name)))
        switch values {
        case .bool(let bits): writer.bool(bits[ordinal])
        case .int64(let numbers): writer.integer(numbers[ordinal])
        case .float64(let numbers): writer.number(numbers[ordinal])
        case .string(let refs): writer.string(strings.span(Int(refs[ordinal])))
        case .json(let refs): writer.raw(strings.span(Int(refs[ordinal])))
        }
    }
}
