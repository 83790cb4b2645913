import Bytes

// The compact protocol of Apache Thrift (thrift-compact-protocol.md), as far as Parquet's footer and page
// headers use it. A struct is a list of fields, each a byte (id delta, kind) or (0, kind) and a zigzag id,
// ended by a zero byte. Unknown fields are skipped, so newer writers stay readable.

/// The kind of a field; a bool field is its value.
enum ThriftKind: UInt8 {
    case yes = 1, no, int8, int16, int32, int64, double, binary, list, set, map, structure
}

/// How deep structs may nest where a reader skips them; parquet.thrift needs six.
private let skipDepthMax = 16

extension RawSpan {
    /// The next field of a struct, or nil at its end.
    /// - Parameter id: the id of the field before (0 at first); becomes this field's.
    func thriftField(_ id: inout Int, _ offset: inout Int) throws(DecodeError) -> ThriftKind? {
        let start = offset
        let head = try read(UInt8.self, &offset)
        if head == 0 { return nil }
        guard let kind = ThriftKind(rawValue: head & 0x0F) else {
            throw .invalid(what: "field kind", offset: start)
        }
        let delta = Int(head >> 4)
        id = delta == 0 ? Int(Int16(truncatingIfNeeded: try signedVarint(&offset))) : id + delta
        return kind
    }

    /// An integer of any width that must be at least zero and fit Int.
    func thriftCount(_ kind: ThriftKind, _ offset: inout Int) throws(DecodeError) -> Int {
        let start = offset
        let value = Int(try thriftInteger(kind, &offset))
        guard value >= 0 else { throw .invalid(what: "negative count or offset", offset: start) }
        return value
    }

    func thriftInteger(_ kind: ThriftKind, _ offset: inout Int) throws(DecodeError) -> Int64 {
        switch kind {
        case .int16, .int32, .int64: return try signedVarint(&offset)
        case .int8: return Int64(try read(Int8.self, &offset))
        default: throw .invalid(what: "integer field", offset: offset)
        }
    }

    func thriftBool(_ kind: ThriftKind, _ offset: inout Int) throws(DecodeError) -> Bool {
        guard kind == .yes || kind == .no else { throw .invalid(what: "bool field", offset: offset) }
        return kind == .yes
    }

    /// The range of a binary or string field.
    func thriftBinary(_ kind: ThriftKind, _ offset: inout Int) throws(DecodeError) -> Range<Int> {
        guard kind == .binary else { throw .invalid(what: "binary field", offset: offset) }
        let length = try count("binary length", limit: byteCount, &offset)
        return try take(length, &offset)
    }

    /// The number of elements of a list of `element`s, each of which takes at least a byte.
    func thriftList(
        _ kind: ThriftKind, of element: ThriftKind, limit: Int, _ offset: inout Int
    ) throws(DecodeError) -> Int {
        let start = offset
        guard kind == .list else { throw .invalid(what: "list field", offset: start) }
        let (found, count) = try thriftListHead(&offset)
        guard found == element.rawValue || count == 0 else { throw .invalid(what: "list element", offset: start) }
        guard count <= limit else {
            throw .overLimit(what: "list length", value: UInt64(count), limit: UInt64(limit))
        }
        guard count <= byteCount - offset else { throw .truncated(offset: offset) }
        return count
    }

    private func thriftListHead(_ offset: inout Int) throws(DecodeError) -> (kind: UInt8, count: Int) {
        let head = try read(UInt8.self, &offset)
        guard head >> 4 == 15 else { return (head & 0x0F, Int(head >> 4)) }
        return (head & 0x0F, try count("list length", limit: byteCount, &offset))
    }

    func thriftStruct(_ kind: ThriftKind, _ offset: inout Int) throws(DecodeError) {
        guard kind == .structure else { throw .invalid(what: "struct field", offset: offset) }
    }

    /// Moves past a value that nobody here wants.
    func thriftSkip(_ kind: ThriftKind, _ offset: inout Int, depth: Int = 0) throws(DecodeError) {
        guard depth < skipDepthMax else { throw .invalid(what: "nesting depth", offset: offset) }
        switch kind {
        case .yes, .no: break
        case .int8: _ = try take(1, &offset)
        case .int16, .int32, .int64: _ = try varint(&offset)
        case .double: _ = try take(8, &offset)
        case .binary: _ = try thriftBinary(kind, &offset)
        case .structure:
            var id = 0
            while let field = try thriftField(&id, &offset) { try thriftSkip(field, &offset, depth: depth + 1) }
        case .list, .set:
            let (element, count) = try thriftListHead(&offset)
            for _ in 0..<count { try skipElement(element, &offset, depth: depth + 1) }
        case .map:
            let count = try count("map length", limit: byteCount, &offset)
            guard count > 0 else { return }
            let kinds = try read(UInt8.self, &offset)
            for _ in 0..<count {
                try skipElement(kinds >> 4, &offset, depth: depth + 1)
                try skipElement(kinds & 0x0F, &offset, depth: depth + 1)
            }
        }
    }

    /// As `thriftSkip`, but a bool inside a collection takes a byte.
    private func skipElement(_ raw: UInt8, _ offset: inout Int, depth: Int) throws(DecodeError) {
        guard let kind = ThriftKind(rawValue: raw) else { throw .invalid(what: "element kind", offset: offset) }
        if kind == .yes || kind == .no {
            _ = try take(1, &offset)
        } else {
            try thriftSkip(kind, &offset, depth: depth)
        }
    }
}

/// Writes structs of the compact protocol; fields go out in the order of their ids.
struct ThriftWriter {
    private(set) var output = ByteWriter()
    private var lastID = 0
    private var outerIDs: [Int] = []

    private mutating func field(_ id: Int, _ kind: ThriftKind) {
        precondition(id > lastID && id - lastID < 16, "field ids must rise in small steps")
        output.append(UInt8(id - lastID) << 4 | kind.rawValue)
        lastID = id
    }

    mutating func int16(_ id: Int, _ value: Int) { integer(id, .int16, value) }
    mutating func int32(_ id: Int, _ value: Int) { integer(id, .int32, value) }
    mutating func int64(_ id: Int, _ value: Int) { integer(id, .int64, value) }

    private mutating func integer(_ id: Int, _ kind: ThriftKind, _ value: Int) {
        field(id, kind)
        output.append(signed: Int64(value))
    }

    mutating func bool(_ id: Int, _ value: Bool) { field(id, value ? .yes : .no) }

    mutating func binary(_ id: Int, _ bytes: [UInt8]) {
        field(id, .binary)
        output.append(lengthPrefixed: bytes)
    }

    mutating func string(_ id: Int, _ text: String) { binary(id, Array(text.utf8)) }

    mutating func structure(_ id: Int, _ body: (inout ThriftWriter) -> Void) {
        field(id, .structure)
        element(body)
    }

    mutating func emptyStructure(_ id: Int) { structure(id) { _ in } }

    /// A list's struct element, or the outermost struct: fields and the end.
    mutating func element(_ body: (inout ThriftWriter) -> Void) {
        outerIDs.append(lastID)
        lastID = 0
        body(&self)
        output.append(0)
        lastID = outerIDs.removeLast()
    }

    private mutating func list(_ id: Int, _ kind: ThriftKind, count: Int) {
        field(id, .list)
        if count < 15 {
            output.append(UInt8(count) << 4 | kind.rawValue)
        } else {
            output.append(0xF0 | kind.rawValue)
            output.append(count: count)
        }
    }

    mutating func structures<T>(_ id: Int, _ elements: [T], _ body: (inout ThriftWriter, T) -> Void) {
        list(id, .structure, count: elements.count)
        for item in elements { element { body(&$0, item) } }
    }

    mutating func integers(_ id: Int, _ kind: ThriftKind, _ values: [Int]) {
        list(id, kind, count: values.count)
        for value in values { output.append(signed: Int64(value)) }
    }

    mutating func binaries(_ id: Int, _ values: [[UInt8]]) {
        list(id, .binary, count: values.count)
        for value in values { output.append(lengthPrefixed: value) }
    }

    mutating func bools(_ id: Int, _ values: [Bool]) {
        list(id, .yes, count: values.count)
        for value in values { output.append(value ? 1 : 2) }
    }
}
