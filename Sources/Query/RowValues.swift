import Bytes
import Events
import Table

// Values row by row, for the few rows that are shown one by one.

extension ColumnValues {
    /// The value of a row; nil where it is null.
    func value(_ row: Int) -> Value? {
        switch self {
        case .strings(let column):
            let code = column.codes[row]
            return code == StringColumn.null ? nil : .text(column.dictionary.copy(Int(code)))
        case .int64(let numbers, let validity): return validity?[row] ?? true ? .integer(numbers[row]) : nil
        case .int32(let numbers, let validity): return validity?[row] ?? true ? .integer(Int64(numbers[row])) : nil
        case .double(let numbers, let validity): return validity?[row] ?? true ? Value(numbers[row]) : nil
        case .bool(let bits, let validity): return validity?[row] ?? true ? .bool(bits[row]) : nil
        case .fixed(let bytes, let width, let validity):
            let range = (row * width)..<(row * width + width)
            return validity?[row] ?? true ? Value(Hex.encode(bytes[range])) : nil
        }
    }
}

/// The ids of a chunk's events: explicit ones, and the derived ones of the other events.
struct EventIDs {
    private let sequences: [Int64]
    private let sources: ColumnValues?
    private var explicit: (bytes: [UInt8], validity: Bitmap?)?

    init(_ view: ChunkView) throws {
        sequences = try view.integers(.sequence)
        sources = try view.values(EventSchema.Fixed.source.name)
        if case .fixed(let bytes, EventID.byteCount, let validity)? = try view.values(EventSchema.Fixed.eventID.name) {
            explicit = (bytes, validity)
        }
    }

    func value(_ row: Int) -> Value? {
        if let explicit, explicit.validity?[row] ?? true {
            let bytes = Array(explicit.bytes[(row * EventID.byteCount)..<((row + 1) * EventID.byteCount)])
            return EventID(bytes: bytes).map { Value($0.description) }
        }
        guard case .text(let digits)? = sources?.value(row),
            let source = SourceID(String(decoding: digits, as: UTF8.self)),
            let sequence = UInt64(exactly: sequences[row]), sequence <= Limits.sequenceMax
        else { return nil }
        return Value(EventID(source: source, sequence: sequence).description)
    }
}
