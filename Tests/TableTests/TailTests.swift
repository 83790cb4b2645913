import Events
import TestSupport
import Testing

@testable import Table

/// The tail takes up the log in steps and within its memory, and says what it leaves out.
@Suite struct TailTests {
    private func limits(_ change: (inout TailLimits) -> Void) -> TailLimits {
        var limits = TailLimits()
        change(&limits)
        return limits
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func aBacklogIsTakenUpStepByStep(seed: UInt64) throws {
        let fixture = try TableFixture()
        try fixture.fill(records: 30, seed: seed)
        let reader = fixture.reader(limits { $0.stepBodyBytes = 10_000 })
        var (reached, snapshots) = (UInt64(0), 0)
        while true {
            let snapshot = try reader.snapshot()
            #expect(snapshot.lastRecord > reached, "seed \(seed): each step gets nearer")
            reached = snapshot.lastRecord
            snapshots += 1
            let expected = fixture.expectedRows(through: snapshot.lastRecord)
            #expect(difference(try snapshot.rows(), expected) == nil, "seed \(seed), record \(reached)")
            guard let behind = snapshot.behind else { break }
            #expect(behind.records == 30 - reached && behind.lastDurable == 30 && behind.reason == .catchingUp)
        }
        #expect(reached == 30 && snapshots > 3, "seed \(seed): \(snapshots) snapshots")
    }

    @Test func whatCameSinceTheLastCallIsThereAtOnce() throws {
        let fixture = try TableFixture()
        let reader = fixture.reader(limits { $0.stepBodyBytes = 20_000 })
        for seed in 1...40 as ClosedRange<UInt64> {
            try fixture.fill(records: 1, seed: seed)
            let snapshot = try reader.snapshot()
            #expect(snapshot.behind == nil && snapshot.lastRecord == seed)
            #expect(snapshot.runs.count < 12)
        }
        #expect(difference(try reader.snapshot().rows(), fixture.expectedRows()) == nil)
    }

    /// Segments are freed when every project has published past them; one without events has no table that says so.
    @Test func aProjectWithoutEventsIsNotBehindWhenOthersAreFreed() throws {
        let fixture = try TableFixture()
        let quiet = try Project.create("quiet", dataFolder: fixture.dataFolder, key: TableFixture.key, disk: .posix)
        try fixture.fill(records: 5, seed: 1)
        let reader = TableReader(project: quiet, logFolder: fixture.logFolder, disk: .posix)
        #expect(try reader.snapshot().behind == nil)
        let report = try fixture.publisher().publish(through: .max)
        try fixture.writer.rotate(nowMicros: 0)
        try fixture.writer.free(published: ["default": report.lastRecord, "other": .max, "quiet": .max])
        for reader in [reader, TableReader(project: quiet, logFolder: fixture.logFolder, disk: .posix)] {
            let snapshot = try reader.snapshot()
            #expect(snapshot.behind == nil && snapshot.rowCount == 0 && snapshot.lastRecord == 5)
        }
        // What comes later is found.
        try fixture.commit([Shipment(events: TableEvents.few, project: "quiet", source: TableFixture.otherSource)])
        #expect(try reader.snapshot().rowCount == TableEvents.few.count)
    }

    @Test func aFullTailWaitsForThePublishAndSaysSo() throws {
        let fixture = try TableFixture()
        try fixture.fill(records: 20, seed: 5)
        let reader = fixture.reader(limits { $0.memoryBytes = 30_000 })
        var snapshot = try reader.snapshot()
        for _ in 0..<20 { snapshot = try reader.snapshot() }
        let behind = try #require(snapshot.behind)
        #expect(behind.reason == .tailFull && behind.records == 20 - snapshot.lastRecord)
        #expect(snapshot.lastRecord > 0 && snapshot.lastRecord < 15)
        let expected = fixture.expectedRows(through: snapshot.lastRecord)
        #expect(difference(try snapshot.rows(), expected) == nil)
        _ = try fixture.publisher().publish(through: 18)
        let after = try reader.snapshot()
        #expect(after.behind == nil && after.lastRecord == 20)
        #expect(difference(try after.rows(), fixture.expectedRows()) == nil)
    }

    @Test func othersRecordsTakeNoRoom() throws {
        let fixture = try TableFixture()
        let event = Event(type: "t", timestampMicros: TableEvents.startMicros)
        try fixture.commit([Shipment(events: [event])])
        let reader = fixture.reader(limits { $0.memoryBytes = 1 })
        for _ in 0..<5 {
            try fixture.commit([Shipment(events: [event], project: "other", source: TableFixture.otherSource)])
        }
        #expect(try reader.snapshot().lastRecord == 6)
        try fixture.commit([Shipment(events: [event])])
        let behind = try reader.snapshot().behind
        #expect(behind == Snapshot.Behind(records: 1, lastDurable: 7, reason: .tailFull))
    }

    /// A new version means a new tail, which must not show less than the one before.
    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func aPublishTakesNothingBack(seed: UInt64) throws {
        let fixture = try TableFixture()
        let reader = fixture.reader(limits { $0.stepBodyBytes = 5000 })
        var reached: UInt64 = 0
        for round in 0..<6 as Range<UInt64> {
            try fixture.fill(records: 8, seed: seed * 10 + round)
            while try reader.snapshot().behind != nil {}
            reached = fixture.writer.lastSequence
            _ = try fixture.publisher().publish(through: round * 8 + 2)
            let snapshot = try reader.snapshot()
            #expect(snapshot.lastRecord == reached && snapshot.behind == nil, "seed \(seed), round \(round)")
            #expect(difference(try snapshot.rows(), fixture.expectedRows()) == nil, "seed \(seed), round \(round)")
        }
    }
}
