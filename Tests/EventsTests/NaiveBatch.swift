import Bytes
import JSON

@testable import Events

/// Reads a raw batch the slow, obvious way, straight from protocol/batch.md: the oracle of the decoder's tests.
struct NaiveBatch {
    struct Refused: Error {}

    private let bytes: [UInt8]
    private var offset = 0
    private var strings: [[UInt8]] = []

    /// - Returns: the events, values in column order; nil if any rule is broken.
    static func events(_ bytes: [UInt8]) -> [Event]? {
        var batch = NaiveBatch(bytes: bytes)
        return try? batch.read()
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func read() throws -> [Event] {
        try require(take(2) == [0, 0] && take(2) == [0, 0])
        let count = try number(take(4))
        let decoded = try number(take(4))
        try require((1...65_536).contains(count) && decoded <= 16 << 20 && decoded == bytes.count - 12)
        try readStrings()
        let columnCount = try varint()
        try require(columnCount <= 1024)
        var events = [Event](repeating: Event(type: "", timestampMicros: 0), count: count)
        var kinds: [UInt8] = []
        var valueKeys: [[UInt8]] = []
        for _ in 0..<columnCount {
            let kind = try take(1)[0]
            let length = Int(clamping: try varint())
            try require(length <= bytes.count - offset)
            let end = offset + length
            if let last = kinds.last { try require(last < kind || (kind == 32 && last == 32)) }
            kinds.append(kind)
            if kind == 32 {
                let key = try readValues(&events)
                if let last = valueKeys.last { try require(last.lexicographicallyPrecedes(key)) }
                valueKeys.append(key)
            } else {
                try readColumn(kind, &events, end)
            }
            try require(offset == end)
        }
        try require(offset == bytes.count && kinds.contains(1) && kinds.contains(5))
        return events
    }

    private mutating func readStrings() throws {
        let count = try varint()
        try require(count <= 262_144 && count <= UInt64(bytes.count))
        let lengths = try (0..<count).map { _ in try varint() }
        try require(lengths.allSatisfy { $0 <= 1 << 20 })
        for length in lengths {
            let string = try take(Int(length))
            try require(String(validating: string, as: UTF8.self) != nil)
            strings.append(string)
        }
    }

    private mutating func readColumn(_ kind: UInt8, _ events: inout [Event], _ end: Int) throws {
        let rows = events.indices
        switch kind {
        case 1: for row in rows { events[row].type = try text(Int(clamping: varint()), 1...200) }
        case 2: for row in rows { events[row].userID = try identifier() }
        case 3: for row in rows { events[row].anonymousID = try identifier() }
        case 4: for row in rows { events[row].sessionID = try identifier() }
        case 8: for row in rows { events[row].groupKey = try identifier() }
        case 5:
            var time: Int64 = 0
            for row in rows {
                time &+= zigzagDecode(try varint())
                events[row].timestampMicros = time
            }
        case 6:
            for row in rows {
                let bits = try take(1)[0]
                try require(bits < 8)
                events[row].isServerSide = bits % 2 == 1
                guard let consent = Event.Consent(rawValue: bits / 2) else { throw Refused() }
                events[row].consent = consent
            }
        case 7:
            let set = try bitmap(events.count)
            for row in rows where set[row] { events[row].eventID = EventID(bytes: try take(16)) }
        default: offset = end
        }
    }

    /// Adds one value column; returns what columns are ordered by. A 0 after the name makes a prefix come first.
    private mutating func readValues(_ events: inout [Event]) throws -> [UInt8] {
        let scopeByte = try take(1)[0]
        let type = try take(1)[0]
        guard let scope = EventValue.Scope(rawValue: scopeByte) else { throw Refused() }
        let nameIndex = Int(clamping: try varint())
        let name = try text(nameIndex, 1...255)
        let set = try bitmap(events.count)
        let rows = events.indices.filter { set[$0] }
        try require(!rows.isEmpty)
        let bools = type == 1 ? try bitmap(rows.count) : []
        for (ordinal, row) in rows.enumerated() {
            let value: EventValue.Value
            switch type {
            case 1: value = .bool(bools[ordinal])
            case 2: value = .int64(zigzagDecode(try varint()))
            case 3:
                let double = Double(bitPattern: UInt64(bitPattern: Int64(try number(take(8)))))
                try require(double.isFinite)
                value = .float64(double)
            case 4: value = .string(try text(Int(clamping: varint()), 0...(1 << 20)))
            case 5:
                let json = try text(Int(clamping: varint()), 0...(1 << 20))
                try require(JSONScanner.isValid(Array(json.utf8).rawSpan))
                value = .json(json)
            default: throw Refused()
            }
            try require(!events[row].values.contains { $0.scope == scope && Array($0.name.utf8) == Array(name.utf8) })
            events[row].values.append(EventValue(scope, name, value))
        }
        return [scopeByte] + strings[nameIndex].flatMap { [1, $0] } + [0, type]
    }

    private mutating func identifier() throws -> String? {
        let ref = try varint()
        return ref == 0 ? nil : try text(Int(clamping: ref - 1), 1...512)
    }

    private func text(_ index: Int, _ length: ClosedRange<Int>) throws -> String {
        try require(strings.indices.contains(index))
        try require(length.contains(strings[index].count))
        return String(decoding: strings[index], as: UTF8.self)
    }

    private mutating func bitmap(_ count: Int) throws -> [Bool] {
        let bits = try take((count + 7) / 8).flatMap { byte -> [Bool] in (0..<8).map { byte >> $0 & 1 == 1 } }
        try require(!bits[count...].contains(true))
        return Array(bits[..<count])
    }

    private mutating func varint() throws -> UInt64 {
        var value: UInt64 = 0
        for index in 0..<10 {
            let byte = try take(1)[0]
            try require(index < 9 || byte <= 1)
            value |= UInt64(byte & 0x7F) << UInt64(7 * index)
            if byte < 0x80 { return value }
        }
        throw Refused()
    }

    private mutating func take(_ count: Int) throws -> [UInt8] {
        try require(count <= bytes.count - offset)
        offset += count
        return Array(bytes[(offset - count)..<offset])
    }

    private func number(_ bytes: [UInt8]) -> Int {
        Int(truncatingIfNeeded: bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }

    private func require(_ condition: Bool) throws {
        if !condition { throw Refused() }
    }
}
