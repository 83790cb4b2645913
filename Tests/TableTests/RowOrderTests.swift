import Bytes
import TestSupport
import Testing
import WAL

@testable import Table

/// Rows are sorted by (user_key, timestamp, position) and cut at ranges: protocol/table.md §4.
@Suite struct RowOrderTests {
    @Test func rangesCutTheSignedKeysInOrder() {
        #expect(KeyRange.index(of: .min) == 0)
        #expect(KeyRange.index(of: -1) == 127)
        #expect(KeyRange.index(of: 0) == 128)
        #expect(KeyRange.index(of: .max) == 255)
    }

    @Test(arguments: 1...60 as ClosedRange<UInt64>)
    func rowGroupsHoldWholeRangesOrPartOfOne(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let rangeCount = Int.random(in: 1...9, using: &random)
        let keys = (0..<Int.random(in: 0...400, using: &random)).map { _ in
            Int64(Int.random(in: 0..<rangeCount, using: &random) - 4) << 56 + Int64.random(in: 0..<5, using: &random)
        }.sorted()
        let rowsMax = Int.random(in: 1...90, using: &random)
        let groups = KeyRange.rowGroups(keys, rowsMax: rowsMax)
        #expect(groups.flatMap { Array($0) } == Array(0..<keys.count), "seed \(seed)")
        let whole = Dictionary(grouping: keys, by: KeyRange.index(of:)).mapValues(\.count)
        for group in groups {
            #expect((1...rowsMax).contains(group.count), "seed \(seed)")
            let inside = Dictionary(grouping: keys[group], by: KeyRange.index(of:)).mapValues(\.count)
            #expect(inside.count == 1 || inside.allSatisfy { $1 == whole[$0] }, "seed \(seed): \(group)")
        }
        for pair in zip(groups, groups.dropFirst()) where pair.0.count + pair.1.count <= rowsMax {
            // Two neighbours that would fit together are parts of a range that did not.
            let ranges = Set(keys[pair.0.lowerBound..<pair.1.upperBound].map(KeyRange.index(of:)))
            #expect(ranges.contains { whole[$0, default: 0] > rowsMax }, "seed \(seed)")
        }
    }

    @Test(arguments: [(1, true), (2, false), (3, true), (4, false)] as [(UInt64, Bool)])
    func orderIsThatOfAPlainSort(seed: UInt64, byDay: Bool) throws {
        let fixture = try TableFixture()
        try fixture.fill(records: 8, seed: seed)
        let log = LogReader(folder: fixture.logFolder, disk: .posix)
        let mark = try log.refresh()
        var gatherer = SliceGatherer(project: fixture.project)
        try log.forEachRecord(after: 0, through: mark?.sequence ?? 0) { try gatherer.add($0) }
        var random = SeededRandom(seed: seed)
        let isKept = fixture.stored.map { _ in random.chance(0.8) }
        let order = RowOrder(gatherer.events, byDay: byDay, isKept: isKept)
        let kept = fixture.stored.indices.filter { isKept[$0] }
        let plain = kept.sorted { left, right in
            let (one, other) = (fixture.stored[left], fixture.stored[right])
            return byDay && one.day != other.day ? one.day < other.day : one.row.precedes(other.row)
        }
        #expect(order.rows == plain, "seed \(seed)")
        #expect(order.days.flatMap { Array($0.range) } == Array(plain.indices), "seed \(seed)")
        for day in order.days where byDay {
            #expect(order.rows[day.range].allSatisfy { fixture.stored[$0].day == day.day }, "seed \(seed)")
        }
        #expect(byDay ? Set(order.days.map(\.day)).count == order.days.count : order.days.count == 1)
    }

    @Test func noRowsHaveNoDays() throws {
        let order = RowOrder(EventRows(project: try TableFixture().project), byDay: true)
        #expect(order.rows.isEmpty && order.days.isEmpty)
    }
}
