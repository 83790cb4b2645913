import Bytes
import JSON
import TestSupport
import Testing
import Zstd

@testable import Events

@Suite struct IdentifierTests {
    @Test func anIDPrintsAndReadsBack() throws {
        let id = try #require(EventID(bytes: Array(0..<16)))
        #expect("\(id)" == "evt_000102030405060708090a0b0c0d0e0f")
        #expect(EventID("\(id)") == id)
        #expect(id.bytes == Array(0..<16))
        let digits = "000102030405060708090a0b0c0d0e0f"
        for text in ["", "evt_", digits, "evt_0001", "evt_zz" + digits.dropFirst(2)] {
            #expect(EventID(text) == nil)
        }
    }

    @Test func aDerivedIDIsSourceThenSequence() throws {
        let source = try #require(SourceID("000102030405060708ff"))
        let id = EventID(source: source, sequence: 0x0102_0304_0506)
        #expect("\(id)" == "evt_000102030405060708ff010203040506")
    }
}

@Suite struct LimitTests {
    @Test func aDecoderTakesNoMoreThanWasAnnounced() throws {
        var source = RandomEvents(seed: 42)
        let bytes = try encode(source.events(30), .raw)
        let batch = try decode(bytes)
        #expect(throws: BatchError.overLimit(.events, value: 30, limit: 29)) {
            try decode(bytes, limits: BatchLimits(eventsMax: 29))
        }
        let body = bytes.count - BatchHeader.byteCount
        #expect(throws: BatchError.overLimit(.decodedBytes, value: UInt64(body), limit: body - 1)) {
            try decode(bytes, limits: BatchLimits(decodedBytesMax: body - 1))
        }
        let strings = batch.strings.count
        #expect(throws: BatchError.overLimit(.strings, value: UInt64(strings), limit: strings - 1)) {
            try decode(bytes, limits: BatchLimits(stringsMax: strings - 1))
        }
        #expect(throws: BatchError.self) { try decode(bytes, limits: BatchLimits(columnsMax: 1)) }
        let exact = BatchLimits(eventsMax: 30, decodedBytesMax: body, stringsMax: strings)
        let again = try decode(bytes, limits: exact)
        #expect(again == batch)
    }

    @Test func limitsAreNeverAboveTheFormats() {
        let limits = BatchLimits(eventsMax: .max, decodedBytesMax: .max, stringsMax: .max, columnsMax: .max)
        #expect(limits == .format)
    }

    @Test func onlyWhatACollectorMayLowerIsTooBig() {
        #expect(BatchError.overLimit(.events, value: 2, limit: 1).verdict == .tooBig)
        #expect(BatchError.overLimit(.typeBytes, value: 201, limit: 200).verdict == .malformed)
        #expect(BatchError.notUTF8.verdict == .malformed)
    }

    @Test func aBombIsRefusedByWhatItDeclares() throws {
        var compressor = Compressor(level: 19)
        let bomb = try compressor.compress([UInt8](repeating: 0, count: 64 << 20).rawSpan)
        var writer = ByteWriter()
        BatchHeader(codec: .zstd, eventCount: 1, decodedByteCount: 1000).write(to: &writer)
        writer.append(bomb)
        #expect(throws: BatchError.decodedSizeMismatch(declared: 1000, actual: 64 << 20)) {
            try decode(writer.bytes)
        }
    }

    /// A batch by hand: `rows` events that share `columns` values, of one string each.
    private func batch(
        rows: Int, columns: Int, type: ValueType, text: String, unknown: [UInt8]? = nil
    ) -> [UInt8] {
        let texts = ["t"] + (0..<columns).map { "n\(10_000 + $0)" } + [text]
        var body = ByteWriter()
        body.append(count: texts.count)
        for text in texts { body.append(count: text.utf8.count) }
        for text in texts { body.append(Array(text.utf8)) }
        body.append(count: 2 + columns + (unknown == nil ? 0 : 1))
        let zeros = [UInt8](repeating: 0, count: rows)
        var bitmap = [UInt8](repeating: 0xFF, count: (rows + 7) / 8)
        if rows % 8 != 0 { bitmap[rows / 8] = 1 << UInt8(rows % 8) - 1 }
        for kind in [1, 5] as [UInt8] {
            body.append(kind)
            body.append(lengthPrefixed: zeros)
        }
        for column in 0..<columns {
            var data = ByteWriter()
            data.append([1, type.rawValue])
            data.append(count: 1 + column)
            data.append(bitmap)
            for _ in 0..<rows { data.append(count: 1 + columns) }
            body.append(32)
            body.append(lengthPrefixed: data.bytes)
        }
        if let unknown {
            body.append(200)
            body.append(lengthPrefixed: unknown)
        }
        var writer = ByteWriter()
        BatchHeader(codec: .raw, eventCount: rows, decodedByteCount: body.count).write(to: &writer)
        writer.append(body.bytes)
        return writer.bytes
    }

    @Test func oneStringInManyColumnsIsTooBigForAnEvent() throws {
        let text = String(repeating: "x", count: 1 << 20)
        let three = try decode(batch(rows: 1, columns: 3, type: .string, text: text))
        #expect(three.valueBytes == 3 * (12 + 1 << 20))
        let error = BatchError.overLimit(.eventValueBytes, value: 4 * (12 + 1 << 20), limit: 4 << 20)
        #expect(error.verdict == .tooBig)
        for rows in [1, 9] {
            let bytes = batch(rows: rows, columns: 4, type: .string, text: text)
            #expect(throws: error) { try decode(bytes) }
        }
        let most = String(repeating: "x", count: 1 << 20 - 12)
        let exact = try decode(batch(rows: 16, columns: 4, type: .string, text: most))
        #expect(exact.valueBytes == 64 << 20 && exact.valueBytesMost == 64 << 20)
    }

    @Test func oneStringInManyRowsIsTooBigForABatch() throws {
        let text = "\"" + String(repeating: "x", count: 1 << 20 - 12) + "\""
        let whole = try decode(batch(rows: 64, columns: 1, type: .json, text: text))
        #expect(whole.valueBytes == 64 << 20)
        let bytes = batch(rows: 65, columns: 1, type: .json, text: text)
        #expect(throws: BatchError.overLimit(.valueBytes, value: 65 << 20, limit: 64 << 20)) { try decode(bytes) }
    }

    @Test func escapesCountAsWhatTheyBecome() throws {
        let text = String(repeating: "\u{1}", count: 600_000)
        let one = try decode(batch(rows: 1, columns: 1, type: .string, text: text))
        #expect(one.valueBytes == 6 + 6 + 6 * 600_000 && one.valueBytesMost >= one.valueBytes)
        let long = String(repeating: "\u{1}", count: 700_000)
        let error = BatchError.overLimit(.eventValueBytes, value: 12 + 6 * 700_000, limit: 4 << 20)
        #expect(throws: error) { try decode(batch(rows: 1, columns: 1, type: .string, text: long)) }
        let whole = BatchError.overLimit(.valueBytes, value: 20 * (12 + 6 * 600_000), limit: 64 << 20)
        #expect(throws: whole) { try decode(batch(rows: 20, columns: 1, type: .string, text: text)) }
    }

    @Test func aValueCountsAsMuchAsIsWritten() throws {
        var random = SeededRandom(seed: 5)
        for length in 0..<200 {
            let text = String(decoding: (0..<length).map { _ in random.next() % 128 }.map(UInt8.init), as: UTF8.self)
            let longest: [EventValue.Value] = [
                .bool(false), .int64(.min), .float64(-Double.leastNormalMagnitude), .string(text), .json("[1]"),
            ]
            for value in longest {
                var writer = JSONWriter()
                writer.name("a" + text)
                switch value {
                case .bool(let bool): writer.bool(bool)
                case .int64(let number): writer.integer(number)
                case .float64(let number): writer.number(number)
                case .string(let text): writer.string(text)
                case .json(let text): writer.raw(Array(text.utf8).rawSpan)
                }
                let written = writer.output.count + 1
                let counted = EventValue(.property, "a" + text, value).byteCount
                #expect(counted == written, "seed 5, \(length) bytes, and a comma")
            }
        }
    }

    @Test func unknownColumnsCountAsHex() throws {
        let plain = try decode(batch(rows: 1, columns: 1, type: .string, text: "x"))
        let unknown = [UInt8](repeating: 7, count: 2_000_000)
        let more = try decode(batch(rows: 1, columns: 1, type: .string, text: "x", unknown: unknown))
        #expect(more.valueBytes == plain.valueBytes + 9 + 2 * unknown.count)
        #expect(more.valueBytesMost >= more.valueBytes)
    }

    @Test func whatValuesTakeIsBoundedFromAbove() throws {
        var source = RandomEvents(seed: 77)
        for _ in 0..<50 {
            let events = source.events(30)
            let bytes = try encode(events, .raw)
            let batch = try decode(bytes)
            let sum = events.reduce(0) { $0 + $1.values.reduce(0) { $0 + $1.byteCount } }
            #expect(batch.valueBytes == sum)
            #expect(batch.valueBytesMost >= sum && batch.valueBytesMost <= max(sum, 2 * bytes.count + 1 << 20))
        }
    }

    @Test(.timeLimit(.minutes(1))) func aJSONTextThatAllRowsShareIsParsedOnce() throws {
        let text = "[" + String(repeating: "0,", count: 400_000) + "0]"
        let bytes = batch(rows: Limits.batchEventsMax, columns: 1, type: .json, text: text)
        let total = UInt64(Limits.batchEventsMax * (10 + text.utf8.count))
        #expect(throws: BatchError.overLimit(.valueBytes, value: total, limit: 64 << 20)) { try decode(bytes) }
    }
}

@Suite struct BuilderTests {
    private let now: Int64 = 1_736_640_000_000_000

    @Test func eventsADecoderWouldRefuseAreRefused() {
        let long = String(repeating: "a", count: 513)
        let cases: [(BatchError, (inout Event) -> Void)] = [
            (.emptyString(.column(kind: 1)), { $0.type = "" }),
            (.overLimit(.typeBytes, value: 513, limit: 200), { $0.type = long }),
            (.emptyString(.column(kind: 2)), { $0.userID = "" }),
            (.overLimit(.identifierBytes, value: 513, limit: 512), { $0.groupKey = long }),
            (.emptyString(.valueColumn(0)), { $0.values = [EventValue(.trait, "", .bool(true))] }),
            (.overLimit(.nameBytes, value: 513, limit: 255), { $0.values = [EventValue(.trait, long, .bool(true))] }),
            (.notFinite(.valueColumn(0)), { $0.values = [EventValue(.trait, "a", .float64(.nan))] }),
            (.notJSON(.valueColumn(0)), { $0.values = [EventValue(.trait, "a", .json("{"))] }),
            (
                .repeatedName(.valueColumn(1), row: 1),
                { $0.values = [EventValue(.trait, "a", .int64(1)), EventValue(.trait, "a", .bool(true))] }
            ),
        ]
        for (expected, change) in cases {
            var builder = BatchBuilder()
            #expect(throws: Never.self) { try builder.add(Event(type: "first", timestampMicros: now)) }
            var event = Event(type: "second", timestampMicros: now)
            change(&event)
            #expect(throws: expected) { try builder.add(event) }
            #expect(builder.eventCount == 1)
        }
    }

    @Test func aRefusedEventLeavesNoTrace() throws {
        var source = RandomEvents(seed: 9)
        let events = source.events(20)
        var builder = BatchBuilder()
        for event in events {
            var bad = event
            bad.values = [EventValue(.trait, "new \(event.timestampMicros)", .int64(1))]
            bad.values.append(contentsOf: bad.values)
            #expect(throws: BatchError.self) { try builder.add(bad) }
            try builder.add(event)
        }
        var encoder = BatchEncoder(codec: .raw)
        let bytes = try encoder.encode(builder)
        let expected = try encode(events, .raw)
        #expect(bytes == expected)
    }

    @Test func aBuilderHoldsToTheValueBytes() throws {
        var builder = BatchBuilder()
        var event = Event(type: "t", timestampMicros: now)
        let text = String(repeating: "x", count: 1 << 20 - 7)
        event.values = (0..<5).map { EventValue(.property, "\($0)", .string(text)) }
        #expect(throws: BatchError.overLimit(.eventValueBytes, value: 5 << 20, limit: 4 << 20)) {
            try builder.add(event)
        }
        event.values.removeLast()
        for _ in 0..<16 { try builder.add(event) }
        #expect(throws: BatchError.overLimit(.valueBytes, value: 68 << 20, limit: 64 << 20)) {
            try builder.add(event)
        }
        var encoder = BatchEncoder(codec: .raw)
        let batch = try decode(try encoder.encode(builder))
        #expect(batch.valueBytes == 64 << 20)
        builder.removeAll()
        try builder.add(event)
    }

    @Test func aFullBuilderSaysSo() throws {
        var builder = BatchBuilder(limits: BatchLimits(eventsMax: 2))
        for _ in 0..<2 { try builder.add(Event(type: "t", timestampMicros: now)) }
        #expect(throws: BatchError.overLimit(.events, value: 3, limit: 2)) {
            try builder.add(Event(type: "t", timestampMicros: now))
        }
        var small = BatchBuilder(limits: BatchLimits(decodedBytesMax: 1000))
        var added = 0
        while (try? small.add(Event(type: "type \(added)", timestampMicros: now))) != nil { added += 1 }
        var encoder = BatchEncoder(codec: .raw)
        let bytes = try encoder.encode(small)
        #expect(added > 10 && bytes.count <= 1000 + BatchHeader.byteCount)
    }
}
