import Bytes
import Events
import TestSupport
import Testing
import WAL

@testable import Table

/// The same id of the same user on days at most one apart is the same event: protocol/table.md §7.
@Suite struct DuplicateFilterTests {
    private func event(_ id: UInt8?, day: Int64, user: String? = "u1") -> Event {
        var event = Event(type: "t", timestampMicros: TableEvents.startMicros + day * TableEvents.dayMicros)
        event.userID = user
        event.eventID = id.flatMap { EventID(bytes: [UInt8](repeating: $0, count: 16)) }
        return event
    }

    /// Positions that stay of each event, one event a record, the first `published` of them published before.
    private func kept(_ events: [Event], published: Int = 0) throws -> [Int] {
        let fixture = try TableFixture()
        for event in events { try fixture.commit([Shipment(events: [event])]) }
        let first = try fixture.reader().snapshot().lastRecord - UInt64(events.count) + 1
        if published > 0 { _ = try fixture.publisher().publish(through: first + UInt64(published) - 1) }
        let rows = try fixture.reader().snapshot().rows()
        #expect(difference(rows, fixture.expectedRows()) == nil)
        return rows.map { Int($0.integer("position") >> 20) - Int(first) }.sorted()
    }

    @Test(arguments: 0...4)
    func theLaterPositionGoesWhereverTheEarlierOneIs(published: Int) throws {
        let days: [Int64] = [1, 1, 2, 0]
        #expect(try kept(days.map { event(1, day: $0) }, published: published) == [0])
    }

    @Test(arguments: 0...5)
    func aChainOfDaysIsCutWhereTheLastKeptIsTwoDaysAway(published: Int) throws {
        #expect(try kept((0..<5).map { event(1, day: $0) }, published: published) == [0, 2, 4])
    }

    @Test(arguments: [0, 2])
    func otherUsersOtherIdsAndDerivedIdsAreOtherEvents(published: Int) throws {
        let events = [
            event(1, day: 0), event(2, day: 0), event(1, day: 0, user: "u2"), event(1, day: 0, user: nil),
            event(nil, day: 0), event(nil, day: 0), event(1, day: 0, user: nil),
        ]
        #expect(try kept(events, published: published) == [0, 1, 2, 3, 4, 5])
    }

    @Test(arguments: [0, 1, 3, 5000])
    func theFilterOfAFileNeverDeniesWhatItHolds(count: Int) {
        var random = SeededRandom(seed: UInt64(count))
        func identities(_ count: Int) -> [EventIdentity] {
            let ids = random.bytes(count * 16)
            return (0..<count).map { row in
                EventIdentity(userKey: Int64(bitPattern: random.next()), ids.rawSpan, row)
            }
        }
        var filter = IdentityFilter(count: count)
        let held = identities(count)
        for identity in held { filter.insert(identity) }
        #expect(held.allSatisfy { filter.mayHold($0) })
        let wrong = identities(10_000).count { filter.mayHold($0) }
        // In one word the bits of few identities often fall together.
        #expect(wrong < (count < 16 ? 160 : 60), "about one in 400 at most")
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func piecesOfTheTailAndSlicesAgreeWithTheOracle(seed: UInt64) throws {
        let fixture = try TableFixture()
        try fixture.fill(records: 10, seed: seed)
        var random = SeededRandom(seed: seed)
        let log = LogReader(folder: fixture.logFolder, disk: .posix)
        let last = try log.refresh()?.sequence ?? 0
        let half = last - UInt64.random(in: 0...9, using: &random)
        _ = try fixture.publisher(sliceRows: 20).publish(through: half)
        let version = try fixture.project.newestEvents(disk: .posix)
        var filter = DuplicateFilter(
            version: version, files: FileCache(tableFolder: fixture.project.eventsFolder, disk: .posix))
        var kept: [Int64] = []
        var next = version.lastRecord
        while next < last {
            let end = min(last, next + UInt64.random(in: 1...3, using: &random))
            var gatherer = SliceGatherer(project: fixture.project)
            try log.forEachRecord(after: next, through: end) { try gatherer.add($0) }
            let keep = try filter.keep(gatherer.events)
            kept += zip(gatherer.events.columns[.position].int64s, keep).filter(\.1).map(\.0)
            next = end
        }
        let expected = EventOracle.withoutDuplicates(fixture.stored).filter { $0.record > version.lastRecord }
        #expect(kept == expected.map(\.position), "seed \(seed)")
    }
}
