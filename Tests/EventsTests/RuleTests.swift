import Bytes
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

    @Test(.timeLimit(.minutes(1))) func aJSONTextThatAllRowsShareIsParsedOnce() throws {
        let text = "[" + String(repeating: "0,", count: 400_000) + "0]"
        var builder = BatchBuilder()
        for row in 0..<2 {
            var event = Event(type: "t", timestampMicros: Int64(row))
            event.values = [EventValue(.property, "j", .json(text))]
            try builder.add(event)
        }
        var encoder = BatchEncoder(codec: .raw)
        var bytes = try encoder.encode(builder)
        // Widen by hand to 65,536 rows: adding the event so often would parse the text so often.
        let rows = Limits.batchEventsMax
        let refs = [UInt8](repeating: 2, count: rows)
        let bitmap = [UInt8](repeating: 0xFF, count: rows / 8)
        let headBytes = BatchHeader.byteCount + 1 + 1 + 1 + 3 + 2 + text.utf8.count
        var body = ByteWriter()
        body.append(Array(bytes[BatchHeader.byteCount..<headBytes]))
        body.append(count: 3)
        for (kind, data) in [
            (UInt8(1), [UInt8](repeating: 0, count: rows)), (5, [UInt8](repeating: 0, count: rows)),
            (32, [1, 5, 1] + bitmap + refs),
        ] {
            body.append(kind)
            body.append(lengthPrefixed: data)
        }
        var writer = ByteWriter()
        BatchHeader(codec: .raw, eventCount: rows, decodedByteCount: body.count).write(to: &writer)
        writer.append(body.bytes)
        bytes = writer.bytes
        let batch = try decode(bytes)
        #expect(batch.valueColumns.first?.presence.onesCount == rows)
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
