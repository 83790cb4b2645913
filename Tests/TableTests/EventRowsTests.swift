import Bytes
import Events
import JSON
import TestSupport
import Testing
import WAL

@testable import Table

/// Batch columns become table columns: protocol/table.md §2 and §3.
@Suite struct EventRowsTests {
    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func rowsAreWhatTheSlowOracleSays(seed: UInt64) throws {
        let fixture = try TableFixture()
        try fixture.fill(records: 6, seed: seed)
        let found = try gather(fixture)
        let expected = fixture.stored.map(\.row)
        #expect(difference(found, expected) == nil, "seed \(seed)")
    }

    @Test func valuesAreFoundInBatchesOfManyHundredRows() throws {
        let fixture = try TableFixture()
        try fixture.fill(records: 4, seed: 13, eventsMax: 400)
        let found = try gather(fixture)
        #expect(fixture.stored.count > 500)
        #expect(difference(found, fixture.stored.map(\.row)) == nil)
    }

    /// Of the most rows and nearly the most columns, hardly any of which meet.
    @Test func aValueOfManyColumnsAndRowsStaysInItsRow() throws {
        let fixture = try TableFixture()
        var events = (0..<65_536).map { Event(type: "t", timestampMicros: TableEvents.startMicros + Int64($0)) }
        for index in 0..<1000 {
            events[index * 65].values = [EventValue(.property, "n\(index)", .int64(Int64(index)))]
        }
        try fixture.commit([Shipment(events: events)])
        let log = LogReader(folder: fixture.logFolder, disk: .posix)
        let mark = try #require(try log.refresh())
        var gatherer = SliceGatherer(project: fixture.project)
        try log.forEachRecord(after: 0, through: mark.sequence) { try gatherer.add($0) }
        let all = Array(0..<gatherer.events.rowCount)
        let json = gatherer.events.columns[EventSchema.firstJSON].gather(all[...])
        guard case .strings(let texts) = json else { return }
        for index in [0, 1, 999] {
            #expect(texts.dictionary[Int(texts.codes[index * 65])] == "{\"n\(index)\":\(index)}")
        }
        #expect(texts.codes.count { $0 != StringColumn.null } == 1000)
    }

    /// The project's rows in the order of the log, duplicates and all.
    private func gather(_ fixture: TableFixture) throws -> [Row] {
        let log = LogReader(folder: fixture.logFolder, disk: .posix)
        guard let mark = try log.refresh() else { return [] }
        var gatherer = SliceGatherer(project: fixture.project)
        try log.forEachRecord(after: 0, through: mark.sequence) { try gatherer.add($0) }
        let all = Array(0..<gatherer.events.rowCount)
        let columns = zip(EventSchema.parquet.columns, gatherer.events.columns)
        return try rows(columns.map { ($0.name, $1.gather(all[...])) })
    }

    private func single(_ events: [Event], _ change: (inout Shipment) -> Void = { _ in }) throws -> [Row] {
        let fixture = try TableFixture()
        var shipment = Shipment(events: events)
        change(&shipment)
        try fixture.commit([shipment])
        return try gather(fixture)
    }

    private func purchase(_ amount: EventValue.Value) -> Event {
        var event = Event(type: "purchase", timestampMicros: TableEvents.startMicros)
        event.userID = "u1"
        event.values = [EventValue(.property, "amount", amount)]
        return event
    }

    @Test func wholeAndFractionalAmountsShareOneColumn() throws {
        let found = try single([purchase(.int64(10)), purchase(.float64(10.5)), purchase(.int64(-(1 << 53)))])
        let amounts = [10, 10.5, -9_007_199_254_740_992] as [Double]
        #expect(found.map { $0["properties_amount"] } == amounts.map(\.cell))
        #expect(found.allSatisfy { $0["_properties_json"] == nil })
    }

    @Test func anAmountThatNoDoubleHoldsStaysInJSONAndCostsItsNeighboursNothing() throws {
        let found = try single([purchase(.int64(10)), purchase(.int64((1 << 53) + 1)), purchase(.string("much"))])
        #expect(found.map { $0["properties_amount"] } == [Double(10).cell, nil, nil])
        #expect(
            found.map { $0["_properties_json"] } == [nil, #"{"amount":9007199254740993}"#, #"{"amount":"much"}"#])
    }

    @Test func excludedEventsLeaveTheirPositionAndSequenceBehind() throws {
        let events = (0..<5).map { Event(type: "t\($0)", timestampMicros: TableEvents.startMicros) }
        let found = try single(events) { $0.excluded = [0, 3] }
        #expect(found.map { $0["event_type"] } == ["t1", "t2", "t4"])
        #expect(found.map { $0.integer("position") - 1 << 20 } == [1, 2, 4])
        #expect(found.map { $0["sequence"] } == ["2", "3", "5"])
    }

    @Test func aClockThatIsOffByMoreThanTwoSecondsIsCorrectedUnlessItIsAnImport() throws {
        let event = Event(type: "t", timestampMicros: TableEvents.startMicros)
        let live = try single([event]) { $0.clockOffsetMicros = 2_000_001 }
        #expect(live[0].integer("timestamp") == TableEvents.startMicros + 2_000_001)
        #expect(live[0].integer("original_timestamp") == TableEvents.startMicros)
        let near = try single([event]) { $0.clockOffsetMicros = 2_000_000 }
        #expect(near[0].integer("timestamp") == TableEvents.startMicros && near[0]["original_timestamp"] == nil)
        let imported = try single([event]) { ($0.clockOffsetMicros, $0.flags) = (5_000_000, .isImport) }
        #expect(imported[0].integer("timestamp") == TableEvents.startMicros && imported[0]["original_timestamp"] == nil)
    }

    @Test func jsonValuesAreKeptAsTheyAreWritten() throws {
        var event = Event(type: "t", timestampMicros: TableEvents.startMicros)
        event.values = [EventValue(.property, "items", .json(#"[ {"sku" : "a", "n":1e2} ]"#))]
        let fixture = try TableFixture()
        try fixture.commit([Shipment(events: [event])])
        let run = try fixture.reader().snapshot().runs[0]
        let column = try run.chunks[0].column("_properties_json")
        #expect(column?.cells == [#"{"items":[ {"sku" : "a", "n":1e2} ]}"#])
    }

    @Test func columnsOfUnknownKindsAreKeptOnTheFirstEventThatIsKept() throws {
        let found = try single(TableEvents.few) { shipment in
            shipment.codec = .raw
            shipment.excluded = [0]
            shipment.unknownColumn = (200, [0xAB, 0xCD])
        }
        #expect(found.map { $0["_extra_json"] } == [#"{"200":"abcd"}"#, nil])
    }

    /// By ClickHouse: sipHash64Keyed((0x0706050403020100, 0x0f0e0d0c0b0a0908), kind ‖ id).
    @Test(arguments: [
        (Project.IdentifierKind.user, "u1", -3_678_935_006_591_938_112),
        (.anonymous, "u1", 8_031_469_460_027_297_885),
        (.user, "alice@example.com", -5_985_682_201_379_804_461),
        (.anonymous, "3f2504e0-4f89-41d3-9a0c-0305e82c3301", -2_591_181_340_286_400_361),
        (.user, "Жанна 😀", -8_903_529_639_941_268_471),
    ] as [(Project.IdentifierKind, String, Int64)])
    func userKeysAreSipHash(kind: Project.IdentifierKind, id: String, key: Int64) throws {
        let project = try TableFixture().project
        let found = project.userKey(kind, Array(id.utf8).rawSpan)
        #expect(found == key)
        #expect(project.keyCheck == "74f839c593dc67fd")
    }
}
