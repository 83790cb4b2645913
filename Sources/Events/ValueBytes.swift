import Bytes

// What values take once they are written as JSON. Refs let a small body name one long string very often, and escapes
// lengthen it; whoever writes rows or JSON of a batch must know beforehand. protocol/batch.md §6.

extension Batch {
    /// The bytes of all values as members of JSON objects, and of the unknown columns. O(values + bytes of strings).
    public var valueBytes: Int { valueBytes(escapedLengths()) }

    /// Of each string. O(bytes of strings).
    private func escapedLengths() -> [Int] { (0..<strings.count).map { strings.span($0).escapedByteCount } }

    private func valueBytes(_ lengths: [Int]) -> Int {
        valueColumns.reduce(unknownBytes) { $0 + valueBytes(of: $1, lengths) }
    }

    private func valueBytes(of column: ValueColumn, _ lengths: [Int]) -> Int {
        var total = column.valueCount &* (lengths[Int(column.name)] &+ column.type.fixedBytes)
        switch column.values {
        case .bool, .int64, .float64: break
        case .string(let refs): for ref in refs { total &+= lengths[Int(ref)] }
        case .json(let refs):
            let offsets = strings.offsets
            for ref in refs { total &+= offsets[Int(ref) &+ 1] &- offsets[Int(ref)] }
        }
        return total
    }

    /// Each is a member, its name a number of two digits or three, its value a string of hex digits.
    private var unknownBytes: Int { unknownColumns.reduce(0) { $0 + 2 * $1.bytes.count + 9 } }

    /// Holds the values to their limits, and notes what they take at most. O(columns) where a look at the longest
    /// string is enough, else as `valueBytes`.
    /// - Parameters:
    ///   - longestBytes: of the batch's strings.
    ///   - bodyBytes: decoded.
    /// - Throws: `.overLimit` of `.valueBytes` or `.eventValueBytes`.
    mutating func checkValueBytes(longestBytes: Int, bodyBytes: Int) throws(BatchError) {
        var bound = unknownBytes
        var eventBound = 0
        for column in valueColumns {
            let longest: Int
            switch column.type {
            case .bool, .int64, .float64: longest = 0
            case .string: longest = EscapedLength.perByteMax &* longestBytes
            case .json: longest = longestBytes
            }
            let name = EscapedLength.perByteMax &* strings.range(Int(column.name)).count
            let most = name &+ column.type.fixedBytes &+ longest
            eventBound += most
            bound += column.valueCount &* most
        }
        // A bound far above what the body has may be far above the truth.
        let isBoundEnough = bound <= 2 &* bodyBytes &+ Batch.boundBytes
        let isAnyEventNear = eventBound > Limits.eventValueBytesMax && bound > Limits.eventValueBytesMax
        if !isBoundEnough || isAnyEventNear {
            let lengths = escapedLengths()
            bound = valueBytes(lengths)
            guard bound <= Limits.batchValueBytesMax else {
                throw .overLimit(.valueBytes, value: UInt64(bound), limit: Limits.batchValueBytesMax)
            }
            if eventBound > Limits.eventValueBytesMax && bound > Limits.eventValueBytesMax {
                try checkEventValueBytes(lengths)
            }
        }
        valueBytesMost = bound
    }

    /// A bound up to here is not worth looking at every value.
    private static let boundBytes = 1 << 20

    private func checkEventValueBytes(_ lengths: [Int]) throws(BatchError) {
        var totals = [Int](repeating: 0, count: eventCount)
        for column in valueColumns {
            let head = lengths[Int(column.name)] &+ column.type.fixedBytes
            var ordinal = 0
            column.presence.forEachOne { row in
                totals[row] &+= head
                switch column.values {
                case .bool, .int64, .float64: break
                case .string(let refs): totals[row] &+= lengths[Int(refs[ordinal])]
                case .json(let refs): totals[row] &+= strings.range(Int(refs[ordinal])).count
                }
                ordinal &+= 1
            }
        }
        guard let most = totals.max(), most > Limits.eventValueBytesMax else { return }
        throw .overLimit(.eventValueBytes, value: UInt64(most), limit: Limits.eventValueBytesMax)
    }
}

extension EventValue {
    /// What the value takes, as `Batch.valueBytes` counts it.
    var byteCount: Int {
        let text =
            switch value {
            case .bool: ValueType.bool.fixedBytes
            case .int64: ValueType.int64.fixedBytes
            case .float64: ValueType.float64.fixedBytes
            case .string(let text): ValueType.string.fixedBytes + EscapedLength.of(text)
            case .json(let text): ValueType.json.fixedBytes + text.utf8.count
            }
        return EscapedLength.of(name) + text
    }
}

extension ValueType {
    /// What a member takes beside its name and text: the name's quotes, a colon and a comma; and the longest a boolean
    /// or number may be (`false`, −2^63, `-2.2250738585072014e-308`), or the string's quotes.
    fileprivate var fixedBytes: Int {
        switch self {
        case .bool: 4 + 5
        case .int64: 4 + 20
        case .float64: 4 + 24
        case .string: 4 + 2
        case .json: 4
        }
    }
}

extension ValueColumn {
    /// The rows that have a value.
    fileprivate var valueCount: Int {
        switch values {
        case .bool(let bits): bits.count
        case .int64(let numbers): numbers.count
        case .float64(let numbers): numbers.count
        case .string(let refs), .json(let refs): refs.count
        }
    }
}

/// What a string becomes between the quotes of a JSON string: as `JSONWriter` escapes it.
enum EscapedLength {
    /// `\u0001`.
    static let perByteMax = 6

    static func of(_ text: String) -> Int {
        let bytes = text.utf8.span
        return RawSpan(_elements: bytes).escapedByteCount
    }
}

extension RawSpan {
    /// Eight bytes a step, but where one of them is escaped.
    fileprivate var escapedByteCount: Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        var total = byteCount
        var offset = 0
        while offset &+ 8 <= byteCount {
            let word = uncheckedWord(offset)
            let quotes = word ^ (ones &* 0x22)
            let backslashes = word ^ (ones &* 0x5C)
            // A high bit comes out set if any byte is below 0x20, or zero in one of the others; else none does.
            let stops =
                ((word &- ones &* 0x20) & ~word) | ((quotes &- ones) & ~quotes) | ((backslashes &- ones) & ~backslashes)
            if stops & (ones &* 0x80) != 0 {
                for byte in offset..<(offset &+ 8) { total &+= uncheckedByte(byte).escapeSurplus }
            }
            offset &+= 8
        }
        while offset < byteCount {
            total &+= uncheckedByte(offset).escapeSurplus
            offset &+= 1
        }
        return total
    }
}

extension UInt8 {
    /// The bytes that its escape has more than one.
    fileprivate var escapeSurplus: Int {
        switch self {
        case 0x22, 0x5C, 0x08, 0x09, 0x0A, 0x0C, 0x0D: 1
        case 0..<0x20: 5
        default: 0
        }
    }
}
