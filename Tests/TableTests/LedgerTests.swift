import Files
import Testing
import TestSupport

@testable import Table

@Suite struct LedgerTests {
    @Test(arguments: 1...4) func totalsAreThoseOfThePublishedEvents(seed: UInt64) throws {
        let fixture = try TableFixture()
        var ledger = Ledger(projectFolder: fixture.project.folder, disk: .posix)
        #expect(try ledger.totals() == Ledger.Totals(), "there is no table yet")
        // Read again and again: each time what came since.
        for round in 0..<3 {
            try fixture.fill(records: 6, seed: seed &* 10 &+ UInt64(round))
            _ = try fixture.publisher(sliceRows: 50).publish(through: .max)
            let kept = EventOracle.withoutDuplicates(fixture.stored)
            let totals = try ledger.totals()
            #expect(totals.stored == Int64(fixture.stored.count), "seed \(seed)")
            #expect(totals.stored - totals.duplicates == Int64(kept.count), "seed \(seed)")
            #expect(totals.quarantined == Int64(fixture.quarantined.count), "seed \(seed)")
            #expect(totals.sourceCount == Set(fixture.stored.map(\.source)).count, "seed \(seed)")
        }
        var other = Ledger(projectFolder: fixture.project.folder, disk: .posix)
        #expect(try other.totals() == ledger.totals(), "read at once or bit by bit")
        #expect(try ledger.newRows().isEmpty, "nothing came since")
    }
}
