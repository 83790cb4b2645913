import Bytes

/// Writes a payload of fields: `varint id · varint length · value`, ids ascending. protocol/frames.md §3.
struct FieldWriter {
    private(set) var writer = ByteWriter()
    private var lastID: UInt64 = 0

    mutating func uint(_ id: UInt64, _ value: UInt64) {
        var content = ByteWriter()
        content.append(varint: value)
        bytes(id, content.bytes)
    }

    mutating func int(_ id: UInt64, _ value: Int64) { uint(id, zigzagEncode(value)) }

    mutating func text(_ id: UInt64, _ value: String) { bytes(id, Array(value.utf8)) }

    mutating func bytes(_ id: UInt64, _ value: [UInt8]) {
        precondition(id >= lastID, "fields ascend")
        lastID = id
        writer.append(varint: id)
        writer.append(lengthPrefixed: value)
    }

    /// A field whose value is several varints.
    mutating func varints(_ id: UInt64, _ values: [UInt64]) {
        var content = ByteWriter()
        for value in values { content.append(varint: value) }
        bytes(id, content.bytes)
    }
}

/// The fields of one payload, checked for order and for unknown odd ids. Unknown even ones are passed over.
struct Fields {
    private let type: FrameType
    private let bytes: [UInt8]
    private var ranges: [(id: UInt64, range: Range<Int>)] = []

    /// - Parameter known: the ids the message defines.
    /// - Parameter list: the id that may repeat; 0 if none may.
    /// - Throws: `.field` or `.unknownField`.
    init(_ payload: RawSpan, of type: FrameType, known: [UInt64], list: UInt64 = 0) throws(WireError) {
        self.type = type
        bytes = payload.copy()
        var offset = 0
        var lastID: UInt64 = 0
        while offset < payload.byteCount {
            let id: UInt64
            let range: Range<Int>
            do {
                id = try payload.varint(&offset)
                let count = try payload.count("field", limit: payload.byteCount, &offset)
                range = try payload.take(count, &offset)
            } catch {
                throw .field(type: type, id: lastID)
            }
            guard id > lastID || (id == lastID && id == list && id != 0) else { throw .field(type: type, id: id) }
            lastID = id
            if known.contains(id) {
                ranges.append((id, range))
            } else if id % 2 == 1 {
                throw .unknownField(type: type, id: id)
            }
        }
    }

    func has(_ id: UInt64) -> Bool { ranges.contains { $0.id == id } }

    /// The values of a field that may repeat, in order.
    func list(_ id: UInt64) -> [[UInt8]] { ranges.filter { $0.id == id }.map { Array(bytes[$0.range]) } }

    func bytes(_ id: UInt64) throws(WireError) -> [UInt8] {
        guard let found = ranges.first(where: { $0.id == id }) else { throw .missingField(type: type, id: id) }
        return Array(bytes[found.range])
    }

    /// - Throws: `.missingField`; `.field` unless the value has exactly `count` bytes.
    func bytes(_ id: UInt64, count: Int) throws(WireError) -> [UInt8] {
        let value = try bytes(id)
        guard value.count == count else { throw .field(type: type, id: id) }
        return value
    }

    func uint(_ id: UInt64) throws(WireError) -> UInt64 { try varints(id, count: 1)[0] }

    func uint(_ id: UInt64, ifAbsent fallback: UInt64) throws(WireError) -> UInt64 {
        has(id) ? try uint(id) : fallback
    }

    /// - Throws: `.field` if the value is over `limit`.
    func uint(_ id: UInt64, limit: UInt64) throws(WireError) -> UInt64 {
        let value = try uint(id)
        guard value <= limit else { throw .field(type: type, id: id) }
        return value
    }

    func int(_ id: UInt64, ifAbsent fallback: Int64) throws(WireError) -> Int64 {
        has(id) ? zigzagDecode(try uint(id)) : fallback
    }

    /// - Throws: `.field` if it is over `limit` bytes or not UTF-8.
    func text(_ id: UInt64, bytesMax: Int) throws(WireError) -> String {
        let value = try bytes(id)
        let text = String(decoding: value, as: UTF8.self)
        guard value.count <= bytesMax, text.utf8.elementsEqual(value) else { throw .field(type: type, id: id) }
        return text
    }

    func text(_ id: UInt64, bytesMax: Int, ifAbsent fallback: String) throws(WireError) -> String {
        has(id) ? try text(id, bytesMax: bytesMax) : fallback
    }

    /// A listed number as its enum.
    func code<Code: RawRepresentable<UInt64>>(_ id: UInt64, _ type: Code.Type) throws(WireError) -> Code {
        guard let code = Code(rawValue: try uint(id)) else { throw .field(type: self.type, id: id) }
        return code
    }

    /// Exactly `count` varints that fill the value.
    func varints(_ id: UInt64, count: Int) throws(WireError) -> [UInt64] {
        try varints(try bytes(id), of: id, count: count, trailing: 0)
    }

    /// Exactly `count` varints at the front of `value`, then `trailing` bytes.
    func varints(_ value: [UInt8], of id: UInt64, count: Int, trailing: Int) throws(WireError) -> [UInt64] {
        var numbers: [UInt64] = []
        var offset = 0
        do {
            for _ in 0..<count { numbers.append(try value.rawSpan.varint(&offset)) }
        } catch {
            throw .field(type: type, id: id)
        }
        guard offset + trailing == value.count else { throw .field(type: type, id: id) }
        return numbers
    }
}
