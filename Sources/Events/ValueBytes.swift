import Bytes

// What values take once they are spelled out. Refs let a small body name one long string very often; whoever writes
// rows or JSON of it must know beforehand. protocol/batch.md §6.

extension Batch {
    /// The bytes of all values: of each its name, and the text if it is a string or JSON. O(values).
    public var valueBytes: Int { valueColumns.reduce(0) { $0 + valueBytes(of: $1) } }

    private func valueBytes(of column: ValueColumn) -> Int {
        var total = column.valueCount &* strings.range(Int(column.name)).count
        guard let refs = column.refs else { return total }
        let offsets = strings.offsets
        for ref in refs { total &+= offsets[Int(ref) &+ 1] &- offsets[Int(ref)] }
        return total
    }

    /// Holds the values to their limits, and notes what they take at most. O(columns) for most batches.
    /// - Parameters:
    ///   - longestBytes: of the batch's strings.
    ///   - bodyBytes: decoded.
    /// - Throws: `.overLimit` of `.valueBytes` or `.eventValueBytes`.
    mutating func checkValueBytes(longestBytes: Int, bodyBytes: Int) throws(BatchError) {
        var bound = 0
        var eventBound = 0
        for column in valueColumns {
            let most = strings.range(Int(column.name)).count + (column.refs == nil ? 0 : longestBytes)
            eventBound += most
            bound += column.valueCount &* most
        }
        // A bound far above what the body has may be far above the truth.
        if bound > 2 &* bodyBytes &+ Batch.boundBytes { bound = valueBytes }
        guard bound <= Limits.batchValueBytesMax else {
            throw .overLimit(.valueBytes, value: UInt64(bound), limit: Limits.batchValueBytesMax)
        }
        if eventBound > Limits.eventValueBytesMax && bound > Limits.eventValueBytesMax {
            try checkEventValueBytes()
        }
        valueBytesMost = bound
    }

    /// A bound up to here is not worth looking at every value.
    private static let boundBytes = 1 << 20

    private func checkEventValueBytes() throws(BatchError) {
        var totals = [Int](repeating: 0, count: eventCount)
        for column in valueColumns {
            let name = strings.range(Int(column.name)).count
            var ordinal = 0
            column.presence.forEachOne { row in
                totals[row] &+= name
                if let refs = column.refs { totals[row] &+= strings.range(Int(refs[ordinal])).count }
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
        switch value {
        case .bool, .int64, .float64: name.utf8.count
        case .string(let text), .json(let text): name.utf8.count + text.utf8.count
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

    /// The strings it names; nil if it has none.
    fileprivate var refs: [UInt32]? {
        switch values {
        case .string(let refs), .json(let refs): refs
        case .bool, .int64, .float64: nil
        }
    }
}
