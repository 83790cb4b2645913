import Events
import Files
import JSON
import Testing
import Zones

@testable import CommandLine

@Suite struct RowMappingTests {
    @Test func knownNamesMapByThemselvesAndTheRestBecomesProperties() {
        let names = ["user_id", "event", "timestamp", "session_id", "device.os", "price", "event_type"]
        #expect(RowMapping().roles(names) == [
            .identity(.user), .value(.property, name: "event", .auto), .timestamp, .identity(.session),
            .value(.device, name: "os", .auto), .value(.property, name: "price", .auto), .identity(.type),
        ])
    }

    @Test func optionsComeBeforeKnownNames() {
        var mapping = RowMapping()
        mapping.identityColumns[.user] = "customer"
        mapping.timestampColumn = "at"
        #expect(mapping.roles(["customer", "user_id", "at", "timestamp"]) == [
            .identity(.user), .value(.property, name: "user_id", .auto), .timestamp,
            .value(.property, name: "timestamp", .auto),
        ])
        #expect(mapping.missing(in: ["customer"]) == ["at"])
    }

    @Test func withNamedValuesNoOtherColumnBecomesOne() throws {
        var mapping = RowMapping()
        mapping.namedValues = [try #require(RowMapping.NamedValue(.property, "amount:float=total"))]
        #expect(mapping.roles(["event", "total", "other"]) == [
            .identity(.type), .value(.property, name: "amount", .float), .ignored,
        ])
    }

    @Test func namedValuesAreReadStrictly() {
        #expect(RowMapping.NamedValue(.property, "a:int")?.column == "a")
        #expect(RowMapping.NamedValue(.property, "a=b=c")?.column == "b=c")
        #expect(RowMapping.NamedValue(.property, "a:number=b") == nil)
        #expect(RowMapping.NamedValue(.property, "=b") == nil)
        #expect(RowMapping.NamedValue(.property, "a=") == nil)
    }

    @Test func onlyPlainNumbersAreInferred() throws {
        func read(_ text: String) throws -> EventValue.Value? { try ValueReader.value(text, .auto, column: "c") }
        #expect(try read("42") == .int64(42))
        #expect(try read("-7") == .int64(-7))
        #expect(try read("0") == .int64(0))
        #expect(try read("1.50") == .float64(1.5))
        #expect(try read("true") == .bool(true))
        #expect(try read("[1,2]") == .json("[1,2]"))
        #expect(try read("") == nil)
        for text in ["007", "+1", "1e3", "-0", "1.", ".5", "True", "{x", "NaN", "9223372036854775808", "1,5", "-"] {
            #expect(try read(text) == .string(text))
        }
        #expect(try read("0.12345678901234567890") == .string("0.12345678901234567890"))
    }

    @Test func aTypedValueThatDoesNotFitIsRefused() {
        #expect(throws: RowError.value(column: "c", expected: "a whole number of 64 bits", found: "x")) {
            try ValueReader.value("x", .int, column: "c")
        }
        #expect(throws: RowError.self) { try ValueReader.value("inf", .float, column: "c") }
        #expect(throws: RowError.self) { try ValueReader.value("maybe", .bool, column: "c") }
        #expect(throws: RowError.self) { try ValueReader.value("{", .json, column: "c") }
    }

    @Test func timestampsAreReadInEveryUnit() {
        let reader = TimestampReader()
        let expected: Int64 = 1_700_000_000_000_000
        #expect(reader.micros("1700000000") == expected)
        #expect(reader.micros("1700000000000") == expected)
        #expect(reader.micros("1700000000000000") == expected)
        #expect(reader.micros("1700000000.25") == expected + 250_000)
        #expect(reader.micros("-1.5") == -1_500_000)
        #expect(reader.micros("2023-11-14T22:13:20Z") == expected)
        #expect(reader.micros("2023-11-14 23:13:20+01:00") == expected)
        #expect(reader.micros(" 1700000000 ") == expected)
        for text in ["", "yesterday", "1700000000000000000", "1e9", "2023-13-01", "9223372036854775807.5", "1.5.5"] {
            #expect(reader.micros(text) == nil)
        }
        #expect(TimestampReader(unit: .ms).micros("1000") == 1_000_000)
    }

    @Test func aTimeWithoutOffsetIsOfTheNamedZone() throws {
        let reader = TimestampReader(zone: try Zone(named: "Europe/Berlin", disk: .posix))
        #expect(reader.micros("2023-11-14T23:13:20") == 1_700_000_000_000_000)
    }
}

@Suite struct ImportIDTests {
    private func event(_ user: String, _ values: [EventValue] = []) -> Event {
        var event = Event(type: "click", timestampMicros: 1)
        event.userID = user
        event.values = values
        return event
    }

    @Test func sameContentGivesTheSameIDsInEveryImport() {
        let events = [event("a"), event("b"), event("a"), event("a")]
        var first = ImportIDs()
        var second = ImportIDs()
        let ids = events.map { first.id(for: $0) }
        #expect(Set(ids).count == 4)
        // Another order, other rows between: the n-th repeat has the n-th id all the same.
        let edited = [event("a"), event("c"), event("a"), event("b"), event("a")].map { second.id(for: $0) }
        #expect(edited.filter(ids.contains) == [ids[0], ids[2], ids[1], ids[3]])
    }

    @Test func idsNeverChangeBetweenVersions() {
        var ids = ImportIDs()
        let sample = event("ada", [EventValue(.property, "n", .int64(3)), EventValue(.device, "os", .string("linux"))])
        let id = ids.id(for: sample).description
        #expect(id == "evt_66eb9e93b62bcae58d3743f1eccdae9e")
    }

    @Test func theOrderOfValuesDoesNotMatterTheirTypesDo() {
        let a = EventValue(.property, "a", .int64(1))
        let b = EventValue(.property, "b", .string("x"))
        func first(_ values: [EventValue]) -> EventID {
            var ids = ImportIDs()
            return ids.id(for: event("u", values))
        }
        #expect(first([a, b]) == first([b, a]))
        #expect(first([a]) != first([EventValue(.property, "a", .string("1"))]))
        #expect(first([a]) != first([EventValue(.device, "a", .int64(1))]))
        #expect(first([]) != first([a]))
    }

    @Test func givenIDsAreKept() {
        let digits = "0123456789abcdef0123456789abcdef"
        #expect(ImportIDs.id(given: "evt_" + digits).description == "evt_" + digits)
        #expect(ImportIDs.id(given: "01234567-89AB-CDEF-0123-456789abcdef").description == "evt_" + digits)
        #expect(ImportIDs.id(given: "order-17") == ImportIDs.id(given: "order-17"))
        #expect(ImportIDs.id(given: "order-17") != ImportIDs.id(given: "order-18"))
    }
}
