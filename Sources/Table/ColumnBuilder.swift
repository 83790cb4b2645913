import Bytes
import Parquet

/// One column while rows are being gathered: dense, one entry a row, from the first that has a value on.
struct ColumnBuilder: Sendable {
    private enum Storage: Sendable {
        case int64([Int64])
        case int32([Int32])
        case double([Double])
        case bool([Bool])
        case strings(StringInterner, [UInt32])
        /// Strings that hardly repeat: not worth a look-up in a table of all.
        case texts(ByteStrings, [UInt32])
        case fixed([UInt8], width: Int)
    }
    private var storage: Storage
    /// Which rows have a value; unused for strings, whose null is a code.
    private var isPresent: [Bool] = []
    private var nullCount = 0
    /// Rows before the first that has a value, or all: a column that nobody uses costs nothing.
    private var leadingNulls = 0
    private(set) var isAbsent = true

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

    /// A string column whose values are mostly distinct.
    static var texts: ColumnBuilder {
        var builder = ColumnBuilder(.string)
        builder.storage = .texts(ByteStrings(), [])
        return builder
    }

    // Each mutation takes the storage out and puts it back, so that the arrays are changed in place.

    mutating func append(_ values: [Int64], present: [Bool]? = nil) {
        settle()
        guard case .int64(var all) = storage else { preconditionFailure("not an int64 column") }
        storage = .int64([])
        all.append(contentsOf: values)
        storage = .int64(all)
        note(present, values.count)
    }

    mutating func append(_ values: [Int32], present: [Bool]) {
        settle()
        guard case .int32(var all) = storage else { preconditionFailure("not an int32 column") }
        storage = .int32([])
        all.append(contentsOf: values)
        storage = .int32(all)
        note(present, values.count)
    }

    mutating func append(_ values: [Double], present: [Bool]) {
        settle()
        guard case .double(var all) = storage else { preconditionFailure("not a double column") }
        storage = .double([])
        all.append(contentsOf: values)
        storage = .double(all)
        note(present, values.count)
    }

    mutating func append(_ values: [Bool], present: [Bool]) {
        settle()
        guard case .bool(var all) = storage else { preconditionFailure("not a bool column") }
        storage = .bool([])
        all.append(contentsOf: values)
        storage = .bool(all)
        note(present, values.count)
    }

    mutating func append(fixed bytes: [UInt8], present: [Bool]) {
        settle()
        guard case .fixed(var all, let width) = storage else { preconditionFailure("not a fixed column") }
        storage = .fixed([], width: width)
        all.append(contentsOf: bytes)
        storage = .fixed(all, width: width)
        note(present, present.count)
    }

    /// Gives access to a string column's interner and codes.
    mutating func withStrings(_ body: (inout StringInterner, inout [UInt32]) -> Void) {
        settle()
        guard case .strings(var interner, var codes) = storage else { preconditionFailure("not a string column") }
        storage = .int64([])
        body(&interner, &codes)
        storage = .strings(interner, codes)
    }

    /// Appends strings to a column of texts.
    /// - Parameter codes: indices into `strings`, or `StringColumn.null`.
    mutating func append(texts strings: ByteStrings, codes: [UInt32]) {
        settle()
        guard case .texts(var all, var allCodes) = storage else { preconditionFailure("not a column of texts") }
        storage = .int64([])
        let base = UInt32(all.count)
        for index in 0..<strings.count { all.append(strings.span(index)) }
        for code in codes { allCodes.append(code == StringColumn.null ? code : base + code) }
        storage = .texts(all, allCodes)
    }

    mutating func appendNulls(_ count: Int) {
        if isAbsent { leadingNulls += count } else { storeNulls(count) }
    }

    /// Stores the nulls that were only counted so far, as a value comes.
    private mutating func settle() {
        guard isAbsent else { return }
        isAbsent = false
        storeNulls(leadingNulls)
    }

    private mutating func storeNulls(_ count: Int) {
        if case .strings(let interner, var codes) = storage {
            storage = .int64([])
            codes.append(contentsOf: repeatElement(StringColumn.null, count: count))
            storage = .strings(interner, codes)
            return
        }
        if case .texts(let strings, var codes) = storage {
            storage = .int64([])
            codes.append(contentsOf: repeatElement(StringColumn.null, count: count))
            storage = .texts(strings, codes)
            return
        }
        if case .int64(var values) = storage {
            storage = .int64([])
            values.append(contentsOf: repeatElement(0, count: count))
            storage = .int64(values)
        } else if case .int32(var values) = storage {
            storage = .int64([])
            values.append(contentsOf: repeatElement(0, count: count))
            storage = .int32(values)
        } else if case .double(var values) = storage {
            storage = .int64([])
            values.append(contentsOf: repeatElement(0, count: count))
            storage = .double(values)
        } else if case .bool(var values) = storage {
            storage = .int64([])
            values.append(contentsOf: repeatElement(false, count: count))
            storage = .bool(values)
        } else if case .fixed(var bytes, let width) = storage {
            storage = .int64([])
            bytes.append(contentsOf: repeatElement(0, count: count * width))
            storage = .fixed(bytes, width: width)
        }
        isPresent.append(contentsOf: repeatElement(false, count: count))
        nullCount += count
    }

    private mutating func note(_ present: [Bool]?, _ count: Int) {
        guard let present else {
            isPresent.append(contentsOf: repeatElement(true, count: count))
            return
        }
        isPresent.append(contentsOf: present)
        for isPresent in present where !isPresent { nullCount += 1 }
    }

    func isPresent(_ row: Int) -> Bool { !isAbsent && isPresent[row] }

    /// What the values take, without what is kept to find strings again.
    var byteCount: Int {
        guard !isAbsent else { return 0 }
        let values =
            switch storage {
            case .int64(let values): values.count * 8
            case .int32(let values): values.count * 4
            case .double(let values): values.count * 8
            case .bool(let values): values.count
            case .strings(let interner, let codes): interner.strings.memoryBytes + codes.count * 4
            case .texts(let strings, let codes): strings.memoryBytes + codes.count * 4
            case .fixed(let bytes, _): bytes.count
            }
        return values + isPresent.count
    }

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
        if isAbsent { return nulls(order.count) }
        let validity = nullCount == 0 ? nil : bitmap(isPresent, order)
        switch storage {
        case .int64(let values): return .int64(order.map { values[$0] }, validity: validity)
        case .int32(let values): return .int32(order.map { values[$0] }, validity: validity)
        case .double(let values): return .double(order.map { values[$0] }, validity: validity)
        case .bool(let values): return .bool(bitmap(values, order), validity: validity)
        case .strings(let interner, let codes): return .strings(Self.compact(interner.strings, codes, order))
        case .texts(let strings, let codes): return .strings(Self.compact(strings, codes, order))
        case .fixed(let bytes, let width):
            var gathered: [UInt8] = []
            gathered.reserveCapacity(order.count * width)
            for row in order { gathered.append(contentsOf: bytes[(row * width)..<((row + 1) * width)]) }
            return .fixed(gathered, width: width, validity: validity)
        }
    }

    private func nulls(_ count: Int) -> ColumnValues {
        let validity = Bitmap(repeating: false, count: count)
        switch storage {
        case .int64: return .int64([Int64](repeating: 0, count: count), validity: validity)
        case .int32: return .int32([Int32](repeating: 0, count: count), validity: validity)
        case .double: return .double([Double](repeating: 0, count: count), validity: validity)
        case .bool: return .bool(validity, validity: validity)
        case .strings, .texts:
            let codes = [UInt32](repeating: StringColumn.null, count: count)
            return .strings(StringColumn(dictionary: ByteStrings(), codes: codes))
        case .fixed(_, let width):
            return .fixed([UInt8](repeating: 0, count: count * width), width: width, validity: validity)
        }
    }

    private func bitmap(_ bools: [Bool], _ order: ArraySlice<Int>) -> Bitmap {
        var bitmap = Bitmap(repeating: false, count: order.count)
        var index = 0
        for row in order {
            if bools[row] { bitmap[index] = true }
            index &+= 1
        }
        return bitmap
    }

    /// O(rows), whatever the size of the dictionary, where few rows are gathered; else O(rows + strings).
    private static func compact(
        _ dictionary: ByteStrings, _ codes: [UInt32], _ order: ArraySlice<Int>
    ) -> StringColumn {
        var used = ByteStrings()
        if order.count < dictionary.count / 16 {
            var newCodes: [UInt32: UInt32] = [:]
            let compacted = order.map { row -> UInt32 in
                let code = codes[row]
                if code == StringColumn.null { return code }
                if let known = newCodes[code] { return known }
                let new = UInt32(used.count)
                used.append(dictionary.span(Int(code)))
                newCodes[code] = new
                return new
            }
            return StringColumn(dictionary: used, codes: compacted)
        }
        var newCodes = [UInt32](repeating: StringColumn.null, count: dictionary.count)
        let compacted = order.map { row -> UInt32 in
            let code = codes[row]
            if code == StringColumn.null { return code }
            let known = newCodes[Int(code)]
            if known != StringColumn.null { return known }
            let new = UInt32(used.count)
            used.append(dictionary.span(Int(code)))
            newCodes[Int(code)] = new
            return new
        }
        return StringColumn(dictionary: used, codes: compacted)
    }
}
