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
    ///
    /// O(rows × members) in time at worst, O(members) in memory beside the texts: a small batch may have many of both.
    /// - Parameter kept: ascending.
    mutating func append(json members: [JSONMember], of batch: Batch, _ kept: [Int]) {
        var stretch = JSONStretch(members)
        var writer = JSONWriter()
        var texts = StringInterner()
        let codes = kept.map { row -> UInt32 in
            writer.output.bytes.removeAll(keepingCapacity: true)
            stretch.advance(to: row)
            stretch.forEachValue(of: row) { member, ordinal in
                if writer.output.count == 0 { writer.beginObject() }
                members[member].column.write(ordinal, batch.strings, to: &writer)
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
}

/// The values of 64 rows, one word of each member's bitmaps; moves forward over a batch.
private struct JSONStretch {
    /// A member that has a value in one of the rows.
    private struct Active {
        let member: Int
        let rows: UInt64
        let presence: UInt64
        /// The ordinal of its first value in the stretch.
        let firstOrdinal: Int
    }

    private let members: [JSONMember]
    private var word = -1
    private var active: [Active] = []
    /// By member: values before the next stretch.
    private var ordinals: [Int]

    init(_ members: [JSONMember]) {
        self.members = members
        ordinals = [Int](repeating: 0, count: members.count)
    }

    mutating func advance(to row: Int) {
        while word < row &>> 6 {
            word &+= 1
            active.removeAll(keepingCapacity: true)
            for member in members.indices {
                let presence = members[member].column.presence.words[word]
                if presence == 0 { continue }
                let rows = members[member].rows.words[word]
                if rows != 0 {
                    active.append(
                        Active(member: member, rows: rows, presence: presence, firstOrdinal: ordinals[member]))
                }
                ordinals[member] &+= presence.nonzeroBitCount
            }
        }
    }

    /// Calls `body` with each member that has a value in the row, and the value's ordinal among the member's.
    func forEachValue(of row: Int, _ body: (_ member: Int, _ ordinal: Int) -> Void) {
        let bit: UInt64 = 1 &<< UInt64(row & 63)
        for entry in active where entry.rows & bit != 0 {
            body(entry.member, entry.firstOrdinal &+ (entry.presence & (bit &- 1)).nonzeroBitCount)
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
