import Bytes
import Events
import JSON

/// The examples of protocol/batch.md: batches that say what they hold, and batches that must be refused.
enum BatchVectors {
    static var all: [Vector] {
        get throws { try good + BatchFaultVectors.all }
    }

    private static let midnight: Int64 = 1_736_640_000_000_000

    private static var good: [Vector] {
        get throws {
            [
                try canonical("minimal", "one event, no optional column", [event("page_view", 0)]),
                try canonical("all_columns", "every column and every type of value", allColumns),
                try canonical("nulls", "absent, empty and null are three things", nulls),
                try canonical("unicode", "text of one to four bytes a character", unicode),
                try canonical("explicit_ids", "some events bring an id of their own", explicitIDs),
                try canonical("consent_and_flags", "server-side and consent in every combination", consent),
                try canonical("json_values", "JSON texts are kept as they are written", jsonValues),
                try canonical("numbers", "the ends of int64, the corners of float64", numbers),
                try canonical("mixed_types", "one name with values of several types, in rows of their own", mixedTypes),
                try canonical("reserved_types", "the operations of section 9", reservedTypes),
                try canonical("times", "times that fall, repeat, and differ by more than 2^63", times),
                try canonical("many_rows", "130 events: bitmaps of several words, refs of two bytes", manyRows),
                try zstd(),
                unknownColumn,
            ]
        }
    }

    /// A batch as a sender must write these events, byte by byte.
    private static func canonical(_ name: String, _ about: String, _ events: [Event]) throws -> Vector {
        var encoder = BatchEncoder(codec: .raw)
        let meaning: JSONValue = [
            "about": .string(about), "codec": "raw", "canonical": true, "events": .array(events.map(\.json)),
        ]
        return Vector(name: name, bytes: try encoder.encode(events), meaning: meaning)
    }

    /// Not canonical: zstd's bytes are the library's.
    private static func zstd() throws -> Vector {
        var encoder = BatchEncoder(codec: .raw)
        let body = Array(try encoder.encode(allColumns).dropFirst(BatchHeader.byteCount))
        let batch = HandmadeBatch(codec: 1, eventCount: UInt32(allColumns.count), decodedByteCount: UInt32(body.count))
        let bytes = batch.bytes(payload: HandmadeZstd.frame(body, declaring: body.count))
        let meaning: JSONValue = [
            "about": "the body of all_columns in one zstd frame", "codec": "zstd", "canonical": false,
            "events": .array(allColumns.map(\.json)),
        ]
        return Vector(name: "zstd", bytes: bytes, meaning: meaning)
    }

    private static var unknownColumn: Vector {
        let batch = HandmadeBatch().with(9, [1, 2, 3]).with(200, [])
        let events = [event("page_view", 0), event("page_view", 1)]
        let meaning: JSONValue = [
            "about": "kinds of a later version are kept; the string table may hold more than is used", "codec": "raw",
            "canonical": false, "events": .array(events.map(\.json)),
            "unknown_columns": [["kind": 9, "bytes": "010203"], ["kind": 200, "bytes": ""]],
        ]
        return Vector(name: "unknown_columns", bytes: batch.bytes, meaning: meaning)
    }

    /// An event so many seconds after 2025-01-12T00:00:00Z.
    private static func event(
        _ type: String, _ second: Int64, user: String? = nil, anonymous: String? = nil, _ values: [EventValue] = []
    ) -> Event {
        var event = Event(type: type, timestampMicros: midnight + second * 1_000_000)
        event.userID = user
        event.anonymousID = anonymous
        event.values = values
        return event
    }

    private static var allColumns: [Event] {
        var first = event("purchase", 0, user: "user-1", anonymous: "anon-1")
        first.sessionID = "session-1"
        first.groupKey = "acme"
        first.isServerSide = true
        first.consent = .granted
        first.eventID = EventID("evt_000102030405060708090a0b0c0d0e0f")
        first.values = [
            EventValue(.property, "amount", .float64(19.99)),
            EventValue(.property, "coupon", .string("NEW YEAR")),
            EventValue(.property, "gift", .bool(true)),
            EventValue(.property, "items", .json(#"[{"sku":"a-1","count":2}]"#)),
            EventValue(.property, "quantity", .int64(2)),
            EventValue(.device, "os", .string("linux")),
            EventValue(.location, "country", .string("NZ")),
            EventValue(.context, "path", .string("/checkout")),
            EventValue(.trait, "plan", .string("pro")),
        ]
        let second = event(
            "page_view", 1, anonymous: "anon-2",
            [EventValue(.property, "gift", .bool(false)), EventValue(.context, "path", .string("/"))])
        return [first, second, event("purchase", 2, user: "user-1")]
    }

    private static var nulls: [Event] {
        [
            event("page_view", 0, user: "user-1", [EventValue(.property, "ref", .string(""))]),
            event("page_view", 1, [EventValue(.property, "ref", .json("null"))]),
            event("page_view", 2, user: "user-2"),
        ]
    }

    private static var unicode: [Event] {
        [
            event(
                "café", 0, user: "ユーザー",
                [
                    EventValue(.property, "цвет", .string("синий")),
                    EventValue(.property, "😀", .string("👩‍👧 zero \u{0} end")),
                ]),
            event("cafe\u{301}", 1, user: "\u{10FFFF}\u{FFFD}", [EventValue(.property, "z", .string("é"))]),
        ]
    }

    private static var explicitIDs: [Event] {
        (0..<9).map { index in
            var event = event("page_view", Int64(index))
            if index % 4 == 0 { event.eventID = EventID(bytes: (0..<16).map { UInt8(index * 16 + $0) }) }
            return event
        }
    }

    private static var consent: [Event] {
        Event.Consent.allCases.flatMap { consent in
            [false, true].map { isServerSide in
                var event = event("page_view", Int64(consent.rawValue))
                event.consent = consent
                event.isServerSide = isServerSide
                return event
            }
        }
    }

    private static var jsonValues: [Event] {
        [#"{"b":1,"a":[true,null]}"#, " [ 1.0 , 1e3 ] ", #""text \u00e9 é""#, "null", "1", "{}"].enumerated().map {
            event("save", Int64($0.offset), [EventValue(.trait, "settings", .json($0.element))])
        }
    }

    private static var numbers: [Event] {
        let integers: [Int64] = [.min, -64, -1, 0, 1, 63, 64, 1 << 53 + 1, .max]
        let doubles = [-Double.greatestFiniteMagnitude, -1.5, -0.0, 0, .leastNonzeroMagnitude, 0.1, 1, 1e16, 1e300]
        return zip(integers, doubles).enumerated().map { index, pair in
            event(
                "measure", Int64(index),
                [EventValue(.property, "d", .float64(pair.1)), EventValue(.property, "i", .int64(pair.0))])
        }
    }

    private static var mixedTypes: [Event] {
        let values: [EventValue.Value] = [
            .string("1"), .int64(1), .float64(1), .bool(true), .json("1"), .string("1"), .int64(-1),
        ]
        return values.enumerated().map { index, value in
            event("set", Int64(index), [EventValue(.property, "v", value), EventValue(.device, "v", .int64(1))])
        }
    }

    private static var reservedTypes: [Event] {
        var group = event("$group", 2, user: "user-1", [EventValue(.trait, "industry", .string("rail"))])
        group.groupKey = "acme"
        var consent = event("$consent", 6, anonymous: "anon-1")
        consent.consent = .denied
        return [
            event("$identify", 0, user: "user-1", anonymous: "anon-1"),
            event("$alias", 1, user: "user-1", [EventValue(.property, "previous_id", .string("user-0"))]),
            group,
            event("$set_traits", 3, user: "user-1", [EventValue(.trait, "plan", .string("pro"))]),
            event("$sign_out", 4, anonymous: "anon-1"),
            event("$reset", 5, anonymous: "anon-1"),
            consent,
        ]
    }

    private static var times: [Event] {
        [midnight, midnight - 5, midnight - 5, 0, -1, .max, .min, .max].map { Event(type: "tick", timestampMicros: $0) }
    }

    private static var manyRows: [Event] {
        (0..<130).map { index in
            var values = [EventValue(.property, "n", .string("value \(index)"))]
            if index % 3 == 0 { values.append(EventValue(.property, "third", .bool(index % 2 == 0))) }
            return event("type \(index % 10)", Int64(index), user: "user-\(index % 40)", values)
        }
    }
}
