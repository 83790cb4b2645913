import Bytes
import Parquet

/// One column while rows are being gathered: dense, one entry a row.
struct ColumnBuilder: Sendable {
    private enum Storage: Sendable {
        case int64([Int64])
        case int32([Int32])
        case double([Double])
        case bool([Bool])
        case strings(StringInterner, [UInt32])
        case fixed([UInt8], width: Int)
    }
    private var storage: Storage
    /// Which rows have a value; unused for strings, whose null is a code.
    private var isPresent: [Bool] = []
    private(set) var hasNulls = false

    init(_ type: ParquetType) {
        switch type {
        case .int64, .timestampMicros: storage = .int64([])
        case .int32, .date: storage = .int32([])
        case .double: storage = .double([])
        case .bool: storage = .bool([])
        case .string: storage = .strings(StringInterner(), [])
        case .fixed(let width): storage = .fixed([], width: width)
        }
    }

    // Each mutation takes the storage out and puts it back, so that the arrays are changed in place.

    mutating func append(_ values: [Int64], present: [Bool]? = nil) {
        guard case .int64(var all) = storage else { preconditionFailure("not an int64 column") }
        storage = .int64([])
        all.append(contentsOf: values)
        storage = .int64(all)
        note(present, values.count)
    }

    mutating func append(_ values: [Int32], present: [Bool]) {
        guard case .int32(var all) = storage else { preconditionFailure("not an int32 column") }
        storage = .int32([])
        all.append(contentsOf: values)
        storage = .int32(all)
        note(present, values.count)
    }

    mutating func append(_ values: [Double], present: [Bool]) {
        guard case .double(var all) = storage else { preconditionFailure("not a double column") }
        storage = .double([])
        all.append(contentsOf: values)
        storage = .double(all)
        note(present, values.count)
    }

    mutating func append(_ values: [Bool], present: [Bool]) {
        guard case .bool(var all) = storage else { preconditionFailure("not a bool column") }
        storage = .bool([])
        all.append(contentsOf: values)
        storage = .bool(all)
        note(present, values.count)
    }

    mutating func append(fixed bytes: [UInt8], present: [Bool]) {
        guard case .fixed(var all, let width) = storage else { preconditionFailure("not a fixed column") }
        storage = .fixed([], width: width)
        all.append(contentsOf: bytes)
        storage = .fixed(all, width: width)
        note(present, present.count)
    }

    /// Gives access to a string column's interner and codes.
    mutating func withStrings(_ body: (inout StringInterner, inout [UInt32]) -> Void) {
        guard case .strings(var interner, var codes) = storage else { preconditionFailure("not a string column") }
        storage = .int64([])
        body(&interner, &codes)
        storage = .strings(interner, codes)
    }

    mutating func appendNulls(_ count: Int) {
        let absent = [Bool](repeating: false, count: count)
        switch storage {
        case .int64: append([Int64](repeating: 0, count: count), present: absent)
        case .int32: append([Int32](repeating: 0, count: count), present: absent)
        case .double: append([Double](repeating: 0, count: count), present: absent)
        case .bool: append([Bool](repeating: false, count: count), present: absent)
        case .fixed(_, let width): append(fixed: [UInt8](repeating: 0, count: count * width), present: absent)
        case .strings: withStrings { $1.append(contentsOf: repeatElement(StringColumn.null, count: count)) }
        }
    }

    private mutating func note(_ present: [Bool]?, _ count: Int) {
        guard let present else {
            isPresent.append(contentsOf: repeatElement(true, count: count))
            return
        }
        isPresent.append(contentsOf: present)
        if !hasNulls, present.contains(false) { hasNulls = true }
    }

    func isPresent(_ row: Int) -> Bool { isPresent[row] }

    var int64s: [Int64] {
        guard case .int64(let values) = storage else { preconditionFailure("not an int64 column") }
        return values
    }

    var fixedBytes: [UInt8] {
        guard case .fixed(let bytes, _) = storage else { preconditionFailure("not a fixed column") }
        return bytes
    }

    /// The rows of `order`, in that order; a string column keeps only the strings they use.
    func gather(_ order: ArraySlice<Int>) -> ColumnValues {
        let validity = hasNulls ? Bitmap(order.map { isPresent[$0] }) : nil
        switch storage {
        case .int64(let values): return .int64(order.map { values[$0] }, validity: validity)
        case .int32(let values): return .int32(order.map { values[$0] }, validity: validity)
        case .double(let values): return .double(order.map { values[$0] }, validity: validity)
        case .bool(let values): return .bool(Bitmap(order.map { values[$0] }), validity: validity)
        case .strings(let interner, let codes): return .strings(Self.compact(interner.strings, order.map { codes[$0] }))
        case .fixed(let bytes, let width):
            var gathered: [UInt8] = []
            gathered.reserveCapacity(order.count * width)
            for row in order { gathered.append(contentsOf: bytes[(row * width)..<((row + 1) * width)]) }
            return .fixed(gathered, width: width, validity: validity)
        }
    }

    private static func compact(_ dictionary: ByteStrings, _ codes: [UInt32]) -> StringColumn {
        var newCodes = [UInt32](repeating: StringColumn.null, count: dictionary.count)
        var used = ByteStrings()
        let compacted = codes.map { code -> UInt32 in
            guard code != StringColumn.null else { return code }
            if newCodes[Int(code)] == StringColumn.null {
                newCodes[Int(code)] = UInt32(used.count)
                used.append(dictionary.span(Int(code)))
            }
            return newCodes[Int(code)]
        }
        return StringColumn(dictionary: used, codes: compacted)
    }
}
