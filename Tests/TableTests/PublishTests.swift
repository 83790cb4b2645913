import Bytes
import Events
import Files
import JSON
import Synchronization
import TestSupport
import Testing
import WAL

@testable import Table

/// From the log into the tables, each event once: protocol/table.md §6, §8, §9, §10.
@Suite struct PublishTests {
    @Test(arguments: [(1, 1 << 20), (2, 1 << 20), (3, 25), (4, 1)] as [(UInt64, Int)])
    func aReaderSeesEachEventOnceAtEveryStep(seed: UInt64, sliceRows: Int) throws {
        let fixture = try TableFixture()
        let longLived = fixture.reader()
        func check(_ step: String) throws {
            for reader in [longLived, fixture.reader()] {
                let rows = try reader.snapshot().rows()
                #expect(difference(rows, fixture.expectedRows()) == nil, "seed \(seed), \(step)")
            }
        }
        try check("empty")
        for round in 0..<3 {
            for index in 0..<3 {
                try fixture.fill(records: 1, seed: seed * 100 + UInt64(round * 3 + index), eventsMax: 20)
                try check("round \(round), record \(index)")
            }
            let last = fixture.writer.lastSequence
            let half = try fixture.publisher(sliceRows: sliceRows).publish(through: last - 2) { _ in
                do { try check("round \(round), between slices") } catch { Issue.record(error) }
            }
            #expect(half.lastRecord <= last - 2)
            try check("round \(round), half published")
            let whole = try fixture.publisher(sliceRows: sliceRows).publish(through: .max)
            try check("round \(round), published")
            try fixture.checkSiblings()
            try fixture.writer.rotate(nowMicros: 0)
            try fixture.writer.free(published: ["default": whole.lastRecord, "other": .max])
            try check("round \(round), freed")
        }
        let report = try fixture.publisher().publish(through: .max)
        #expect(report.slices == 0 && report.rows == 0, "seed \(seed): a second publish has nothing to do")
    }

    /// What counts is neither the stored bytes nor those of the body alone.
    @Test func slicesEndByWhatBatchesBecome() throws {
        let fixture = try TableFixture()
        for index in 0..<12 {
            var event = Event(type: "t", timestampMicros: TableEvents.startMicros + Int64(index))
            let text = String(repeating: "x", count: 100_000)
            event.values = (0..<3).map { EventValue(.property, "v\($0)", .string(text)) }
            try fixture.commit([Shipment(events: [event])])
        }
        let bodies = try fixture.publisher { $0.sliceBodyBytes = 400_000 }.publish(through: 6)
        #expect(bodies.slices == 2, "4 bodies of 100,000 bytes decoded, and 2")
        let values = try fixture.publisher { $0.sliceValueBytes = 600_000 }.publish(through: .max)
        #expect(values.slices == 3, "2 events of 300,000 bytes of values each")
        #expect(try fixture.reader().snapshot().rowCount == 12)
    }

    @Test func escapesEndSlicesToo() throws {
        let fixture = try TableFixture()
        for index in 0..<6 {
            var event = Event(type: "t", timestampMicros: TableEvents.startMicros + Int64(index))
            event.values = [EventValue(.property, "v", .string(String(repeating: "\u{1}", count: 50_000)))]
            try fixture.commit([Shipment(events: [event])])
        }
        let report = try fixture.publisher { $0.sliceValueBytes = 600_000 }.publish(through: .max)
        #expect(report.slices == 3, "2 events of 300,000 bytes as JSON each")
        #expect(try fixture.reader().snapshot().rowCount == 6)
    }

    @Test func rowsThatTakeMuchEndASlice() throws {
        let fixture = try TableFixture()
        for index in 0..<4 {
            let event = Event(type: "t", timestampMicros: TableEvents.startMicros + Int64(index))
            try fixture.commit([Shipment(events: [Event](repeating: event, count: 100))])
        }
        let report = try fixture.publisher { $0.sliceValueBytes = 8_000 }.publish(through: .max)
        #expect(report.slices == 2, "events without values, of 61 bytes and a little a row")
    }

    @Test func aReportCountsWhatWasDone() throws {
        let fixture = try TableFixture()
        for seed in 1...5 as ClosedRange<UInt64> { try fixture.fill(records: 2, seed: seed) }
        let expected = fixture.expectedRows()
        let report = try fixture.publisher(sliceRows: 30).publish(through: .max)
        let table = try fixture.project.newestEvents(disk: .posix)
        #expect(report.rows == expected.count)
        #expect(report.duplicates == fixture.stored.count - expected.count && report.duplicates > 0)
        #expect(report.files == table.files.count && report.bytes == table.files.reduce(0) { $0 + $1.byteCount })
        #expect(report.slices == Int(table.version) + 1 && report.version == table.version)
        #expect(report.lastRecord == table.lastRecord)
        #expect(table.files.reduce(0) { $0 + $1.rowCount } == expected.count)
    }

    @Test func aSnapshotNamesItsInstant() throws {
        let fixture = try TableFixture()
        let empty = try fixture.reader().snapshot()
        #expect(empty.tableVersion == -1 && empty.rowCount == 0)
        try fixture.commit([Shipment(events: TableEvents.few)])
        try fixture.commit([Shipment(events: TableEvents.few)])
        _ = try fixture.publisher().publish(through: fixture.writer.lastSequence - 1)
        let snapshot = try fixture.reader().snapshot()
        #expect(snapshot.tableVersion == 0 && snapshot.rowCount == 6 && snapshot.tailRowCount == 3)
        #expect(snapshot.lastRecord == fixture.writer.lastSequence)
        #expect(snapshot.clockMicros == fixture.writer.lastCommitMicros)
        #expect(snapshot.position == Int64(fixture.writer.lastSequence + 1) << 20 - 1)
        // Publishing moves no clock: the instant is that of the last record, to the microsecond.
        _ = try fixture.publisher().publish(through: .max)
        let published = try fixture.reader().snapshot()
        #expect(published.tailRowCount == 0 && published.clockMicros == snapshot.clockMicros)
        #expect(published.clockMicros % 1000 != 0, "the fixture's clock must tell µs from ms")
    }

    /// A table put back from yesterday, with the log of today behind it, would lose what lies between in silence.
    @Test func anOlderCopyOfTheTableIsRefused() throws {
        let fixture = try TableFixture()
        try fixture.commit([Shipment(events: TableEvents.few)])
        _ = try fixture.publisher().publish(through: .max)
        try fixture.commit([Shipment(events: TableEvents.few)])
        let second = try fixture.publisher().publish(through: .max)
        try fixture.writer.rotate(nowMicros: 0)
        try fixture.commit([Shipment(events: TableEvents.few)])
        #expect(try fixture.writer.free(published: ["default": second.lastRecord]) == 1)
        try Disk.posix.unlink(fixture.project.eventsFolder + "/_delta_log/00000000000000000001.json")
        #expect(throws: TableError.self) { try fixture.publisher().publish(through: .max) }
        let rows = try DeltaLog(tableFolder: fixture.project.eventsFolder, disk: .posix).newest()
        #expect(rows.version == 0)
    }

    @Test func recordsOfOtherProjectsAloneMakeNoVersion() throws {
        let fixture = try TableFixture()
        try fixture.commit([Shipment(events: TableEvents.few, project: "other")])
        let report = try fixture.publisher().publish(through: .max)
        #expect(report.version == -1 && report.slices == 0)
        try fixture.commit([Shipment(events: TableEvents.few)])
        let snapshot = try fixture.reader().snapshot()
        #expect(snapshot.rowCount == 3)
    }

    @Test func aQuarantinedEventIsInTheQuarantineOnly() throws {
        let fixture = try TableFixture()
        var event = TableEvents.few[1]
        event.values = [EventValue(.property, "url", .string("/x")), EventValue(.property, "odd", .int64(3))]
        let shipment = Shipment(
            events: [TableEvents.few[0], event, TableEvents.few[2]], excluded: [2],
            quarantined: [1: .undeclaredProperty])
        try fixture.commit([shipment])
        let reader = fixture.reader()
        #expect(try reader.snapshot().rows().map { $0["event_type"] } == ["t0"], "in the tail")
        let report = try fixture.publisher().publish(through: .max)
        #expect(report.rows == 1 && report.duplicates == 0)
        #expect(try reader.snapshot().rows().map { $0["event_type"] } == ["t0"], "published")
        let rows = try fixture.tableRows("quarantine")
        #expect(rows.count == 1)
        let row = try #require(rows.first)
        #expect(row["reason"] == "undeclared_property" && row["event_type"] == "t1" && row["user_id"] == "u1")
        #expect(row["properties_url"] == "/x" && row["_properties_json"] == #"{"odd":3}"#)
        // What is not there yet has no table.
        let other = try TableFixture()
        try other.commit([Shipment(events: TableEvents.few)])
        _ = try other.publisher().publish(through: .max)
        #expect(!Disk.posix.exists(other.project.folder + "/quarantine"))
    }

    @Test func quarantinedRowsFillASliceToo() throws {
        let fixture = try TableFixture()
        for index in 0..<4 {
            let event = Event(type: "t", timestampMicros: TableEvents.startMicros + Int64(index))
            let aside = Dictionary(uniqueKeysWithValues: (0..<100).map { ($0, PlanViolation.undeclaredType) })
            try fixture.commit([Shipment(events: [Event](repeating: event, count: 100), quarantined: aside)])
        }
        let report = try fixture.publisher(sliceRows: 150).publish(through: .max)
        #expect(report.slices == 2 && report.rows == 0)
        #expect(try fixture.tableRows("quarantine").count == 400)
        try fixture.checkSiblings()
    }

    @Test func aSourceWithoutEventsIsInTheLedger() throws {
        let fixture = try TableFixture()
        try fixture.open(TableFixture.sources[2])
        let report = try fixture.publisher().publish(through: .max)
        #expect(report.version == 0 && report.rows == 0)
        let ledger = try fixture.tableRows("ledger")
        #expect(ledger.map { $0["source"] } == [TableFixture.sources[2].description])
        #expect(ledger.map { $0["stored"] } == ["0"])
    }

    @Test func anEarlierIDIsKeptWhateverStandsBesideIt() throws {
        var event = TableEvents.few[0]
        event.type = "$alias"
        // Valid JSON that a parser of unique names and finite numbers refuses.
        event.values = [
            EventValue(.property, "items", .json(#"{"a":1,"a":1e999}"#)),
            EventValue(.property, "previous_id", .string("old id")),
        ]
        var other = event
        other.values.removeLast()
        let fixture = try TableFixture()
        try fixture.commit([Shipment(events: [TableEvents.few[1], other, event, other], excluded: [0])])
        _ = try fixture.publisher().publish(through: .max)
        #expect(try fixture.tableRows("identities").map { $0["previous_id"] } == [nil, "old id", nil])
    }

    @Test func aRerunMakesTheNewestCommitDurableBeforeItSaysSo() throws {
        let fixture = try TableFixture()
        try fixture.commit([Shipment(events: TableEvents.few)])
        // The root's commit is linked, but its folder could not be synchronized: it may yet be lost.
        let root = fixture.project.eventsFolder + "/_delta_log"
        let broken = Disk { $0 == .synchronizeFolder && $1 == root ? .fail(5) : nil }
        #expect(throws: FileError.self) { try fixture.publisher(broken).publish(through: .max) }
        let seen = Mutex<[String]>([])
        let watched = Disk { operation, path in
            if operation == .synchronizeFolder { seen.withLock { $0.append(path) } }
            return nil
        }
        let report = try fixture.publisher(watched).publish(through: .max)
        #expect(report.lastRecord == fixture.writer.lastSequence)
        #expect(seen.withLock { $0 }.contains(root))
    }
}

extension TableFixture {
    /// Quarantine, identities and ledger, at the versions the root names, say what the events say.
    func checkSiblings(_ context: String = "") throws {
        let root = try project.newestEvents(disk: .posix)
        let published = stored.filter { $0.record <= root.lastRecord }
        let kept = EventOracle.withoutDuplicates(published)
        let identities = try siblingRows("identities", root).sorted { $0.integer("position") < $1.integer("position") }
        let expected = kept.filter { $0.row["event_type"]?.first == "$" }.map(identity)
        #expect(difference(identities, expected) == nil, "\(context)")
        let aside = quarantined.filter { $0.record <= root.lastRecord }
        let quarantine = try siblingRows("quarantine", root)
        #expect(difference(quarantine, aside.map(\.row)) == nil, "\(context)")
        let ledger = try siblingRows("ledger", root)
        for source in Self.sources {
            let lines = ledger.filter { $0["source"] == source.description }
            let all = published.count { $0.source == source }
            let rows = kept.count { $0.source == source }
            let stored = lines.map { $0.integer("stored") }
            #expect(stored == stored.sorted(), "\(context)")
            #expect(Set(lines.map { $0["record"] }).count == lines.count, "\(context): a record stands once")
            #expect(stored.last ?? 0 == all, "\(context): stored of \(source)")
            let kept = Int(lines.last?.integer("quarantined") ?? 0)
            #expect(kept == aside.count { $0.source == source }, "\(context): quarantined of \(source)")
            let duplicates = lines.reduce(0) { $0 + $1.integer("duplicates") }
            #expect(Int64(rows) == (stored.last ?? 0) - duplicates, "\(context): rows of \(source)")
        }
    }

    private func siblingRows(_ name: String, _ root: TableVersion) throws -> [Row] {
        guard let version = root.transactions["tidemark-table:" + name] else { return [] }
        return try tableRows(name, version: Int64(version))
    }

    private func identity(_ event: StoredEvent) -> Row {
        var row = event.row.filter {
            ["position", "timestamp", "received_at", "user_id", "anonymous_id", "group_key", "consent"].contains($0.key)
        }
        row["operation"] = event.row["event_type"].map { String($0.dropFirst()) }
        row["traits"] = event.row["_traits_json"]
        let properties = event.row["_properties_json"].flatMap { try? JSONValue(parsing: Array($0.utf8)) }
        row["previous_id"] = properties?["previous_id"]?.asString
        return row
    }
}
