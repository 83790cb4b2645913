import Bytes
import Files
import Glibc
import TestSupport
import Testing

@testable import WAL

@Suite struct LogTests {
    let log = LogFixture()

    @Test func aDirectorySurvivesTheRoundTrip() throws {
        var generator = SystemRandomNumberGenerator()
        let source = SourceID.random(using: &generator)
        let totals = SourceTotals(unknownBefore: 1, skipped: 2, stored: 3, rejected: 4, quarantined: 5)
        var batch = BatchEntry(
            receivedMicros: 1, clockOffsetMicros: -2, fingerprint: 3, minTimestampMicros: -4, maxTimestampMicros: 5,
            exclusions: [Exclusion(index: 2, code: 5)])
        (batch.block, batch.offset, batch.length, batch.bodyCRC) = (0, 10, 20, 7)
        let kinds: [Entry.Kind] = [
            .batch(batch), .skip(reason: 1), .open(tokenName: "web"), .rejectedBatch(fingerprint: 9, code: 1), .close,
        ]
        let directory = Directory(
            blocks: [Block(isCompressed: true, storedBytes: 20, decodedBytes: 100, crc: 1)],
            entries: kinds.enumerated().map { index, kind in
                Entry(
                    kind: kind, project: index % 2 == 0 ? "a" : "b", source: source, flags: [.isImport, .recheck],
                    base: 77, count: 3, totals: totals)
            })
        let bytes = directory.encoded()
        let decoded = try Directory(bytes.rawSpan)
        #expect(decoded == directory)
        for end in 0..<bytes.count {
            let part = Array(bytes[0..<end])
            #expect(throws: DecodeError.self) { try Directory(part.rawSpan) }
        }
    }

    @Test func flippedDirectoryBitsNeverTrap() throws {
        var draft = GroupDraft()
        for base in [1, 4, 7] as [UInt64] { try LogFixture.add(base, to: &draft) }
        let bytes = Directory(blocks: [], entries: draft.entries).encoded()
        for bit in 0..<(bytes.count * 8) {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            _ = try? Directory(damaged.rawSpan)
        }
    }

    @Test func whatIsCommittedIsReadInOrderAcrossSegmentsAndRestarts() throws {
        var expected: [UInt64] = []
        for start in [0, 40, 80] as [UInt64] {
            let (writer, report) = try log.open()
            #expect(report.isNew == (start == 0) && !report.wasUnclean)
            for base in start..<(start + 40) {
                try LogFixture.commit(base + 1, to: writer, byteCount: 10_000)
                expected.append(base + 1)
            }
            #expect(writer.segmentCount > 1)
            try writer.seal(nowMicros: 2_000_000)
        }
        #expect(try log.basesRead() == expected)
    }

    @Test func smallRawBodiesSharePacksAndCompressedOnesStandAlone() throws {
        let (writer, _) = try log.open(segmentBytes: 1 << 20)
        var draft = GroupDraft()
        for base in 1...2000 as ClosedRange<UInt64> {
            try LogFixture.add(base, byteCount: 50, isCompressed: base % 500 == 0, to: &draft)
        }
        try LogFixture.add(5000, byteCount: 100_000, to: &draft)
        _ = try writer.commit(&draft, nowMicros: 5)
        let isEmpty = draft.isEmpty
        #expect(isEmpty)
        #expect(try log.basesRead() == Array(1...2000) + [5000])
        let reader = LogReader(folder: log.path, disk: .posix)
        let mark = try reader.refresh()
        try reader.forEachRecord(after: 0, through: mark!.sequence) { record in
            #expect(record.blocks.count == 4 + 4 + 1)
            #expect(record.header.eventCount == 2001 * 3)
        }
    }

    @Test func anUncleanStopLosesNothingThatWasDurable() throws {
        do {
            let (writer, _) = try log.open()
            for base in 1...5 as ClosedRange<UInt64> { try LogFixture.commit(base, to: writer) }
        }
        let (writer, report) = try log.open()
        #expect(report.wasUnclean && report.recordsCopied == 0 && report.tornBytes == 0)
        try LogFixture.commit(6, to: writer)
        #expect(try log.basesRead() == [1, 2, 3, 4, 5, 6])
    }

    @Test func recordsBeyondAStaleMarkAreKept() throws {
        let stale: [UInt8]
        do {
            let (writer, _) = try log.open()
            for base in 1...2 as ClosedRange<UInt64> { try LogFixture.commit(base, to: writer) }
            stale = try Disk.posix.contents(log.path + "/durable.mark")
            for base in 3...5 as ClosedRange<UInt64> { try LogFixture.commit(base, to: writer) }
        }
        try Disk.posix.replace(log.path + "/durable.mark", with: stale)
        let (_, report) = try log.open()
        #expect(report.recordsCopied == 3)
        #expect(try log.basesRead() == [1, 2, 3, 4, 5])
        try Disk.posix.unlink(log.path + "/durable.mark")
        _ = try log.open()
        #expect(try log.basesRead() == [1, 2, 3, 4, 5])
    }

    /// Cuts the last record at each byte, as a crash in the middle of its write would.
    @Test func aTornEndIsCutAndKeptAside() throws {
        let end: Int
        let mark: [UInt8]
        do {
            let (writer, _) = try log.open()
            for base in 1...3 as ClosedRange<UInt64> { try LogFixture.commit(base, to: writer) }
            mark = try Disk.posix.contents(log.path + "/durable.mark")
            end = DurableMark(mark)!.byteOffset
            try LogFixture.commit(4, to: writer)
        }
        let name = log.path + "/" + SegmentHeader.fileName(1)
        let whole = try Disk.posix.contents(name)
        let fourth = try Disk.posix.contents(log.path + "/durable.mark")
        let fourthEnd = DurableMark(fourth)!.byteOffset
        for cut in stride(from: end, to: fourthEnd, by: 3) {
            var torn = whole
            for index in cut..<fourthEnd { torn[index] = 0 }
            for file in try Disk.posix.list(log.path) { try Disk.posix.unlink(log.path + "/" + file) }
            try Disk.posix.replace(log.path + "/" + SegmentHeader.checkpointName(1), with: [])
            try Disk.posix.replace(name, with: torn)
            try Disk.posix.replace(log.path + "/durable.mark", with: mark)
            let (_, report) = try log.open()
            let isWhole = torn == whole
            #expect(report.recordsCopied == (isWhole ? 1 : 0), "cut at \(cut)")
            #expect(try log.basesRead() == (isWhole ? [1, 2, 3, 4] : [1, 2, 3]), "cut at \(cut)")
            if let path = report.tornPath { #expect(try Disk.posix.contents(path).count == report.tornBytes) }
        }
    }

    @Test func rotBelowTheMarkIsRefusedAndNamed() throws {
        do {
            let (writer, _) = try log.open()
            for base in 1...3 as ClosedRange<UInt64> { try LogFixture.commit(base, to: writer) }
        }
        let name = log.path + "/" + SegmentHeader.fileName(1)
        var bytes = try Disk.posix.contents(name)
        bytes[SegmentHeader.byteCount + 60] ^= 1
        try Disk.posix.replace(name, with: bytes)
        let error = #expect(throws: WALError.self) { try log.open() }
        #expect(error == .recordsLost(path: name, lastFound: 0, lastDurable: 3))
    }

    /// A segment whose records cannot all be read must not be taken for one that nobody needs.
    @Test func rotInASealedSegmentIsRefusedAndTheSegmentKept() throws {
        do {
            let (writer, _) = try log.open()
            for base in 1...10 as ClosedRange<UInt64> { try LogFixture.commit(base, to: writer, byteCount: 30_000) }
            #expect(writer.segmentCount > 2)
            try writer.seal(nowMicros: 9)
        }
        let name = log.path + "/" + SegmentHeader.fileName(1)
        var bytes = try Disk.posix.contents(name)
        bytes[SegmentHeader.byteCount + 2000] ^= 1
        try Disk.posix.replace(name, with: bytes)
        let error = #expect(throws: WALError.self) { try log.open() }
        #expect(
            error == .corruptRecord(
                path: name, byteOffset: SegmentHeader.byteCount,
                reason: "a damaged record in a segment that has a successor"))
        #expect(Disk.posix.exists(name))
    }

    @Test func anOlderLogThanTheTablesIsRefused() throws {
        do {
            let (writer, _) = try log.open()
            for base in 1...3 as ClosedRange<UInt64> { try LogFixture.commit(base, to: writer) }
        }
        #expect(throws: WALError.behindTables(path: log.path, lastFound: 3, lastPublished: 4)) {
            try log.open(highestPublished: 4)
        }
        _ = try log.open(highestPublished: 3)
    }

    @Test func aReaderDoesNotTakeALostMarkForAnEmptyLog() throws {
        let reader = LogReader(folder: log.path, disk: .posix)
        #expect(try reader.refresh() == nil)
        do {
            let (writer, _) = try log.open()
            try LogFixture.commit(1, to: writer)
        }
        try Disk.posix.replace(log.path + "/durable.mark", with: [UInt8](repeating: 0, count: 64))
        #expect(throws: WALError.unstable(path: log.path)) { try reader.refresh() }
        _ = try log.open()
        #expect(try reader.refresh()?.sequence == 1)
    }

    /// A daemon that starts on a full disk can still free what is published, and goes on when there is room.
    @Test func aFullDiskAtTheStartCostsOnlyNewEvents() throws {
        do {
            let (writer, _) = try log.open()
            for base in 1...3 as ClosedRange<UInt64> { try LogFixture.commit(base, to: writer) }
            try writer.seal(nowMicros: 9)
        }
        let full = FaultyDisk(failing: 0, kind: .error(ENOSPC)) { $0 == .allocate }
        let (writer, _) = try log.open(full.disk)
        #expect(full.didFail)
        try LogFixture.commit(4, to: writer)
        #expect(try log.basesRead() == [1, 2, 3, 4])
    }

    /// Whoever moves the log away and starts a new one must not see the old one through a reader that stayed open.
    @Test func aReaderForgetsALogThatAnotherTookThePlaceOf() throws {
        let reader = LogReader(folder: log.path, disk: .posix)
        for base in [1, 7] as [UInt64] {
            for name in Disk.posix.exists(log.path) ? try Disk.posix.list(log.path) : [] {
                try Disk.posix.unlink(log.path + "/" + name)
            }
            let (writer, _) = try log.open()
            try LogFixture.commit(base, to: writer)
            let mark = try #require(try reader.refresh())
            #expect(reader.lineage == writer.lineage)
            var bases: [UInt64] = []
            try reader.forEachRecord(after: 0, through: mark.sequence) { bases += $0.entries.map(\.base) }
            #expect(bases == [base])
        }
    }

    @Test func aReaderGoesBackToAnyRecordItHasPassed() throws {
        let (writer, _) = try log.open(segmentBytes: 1 << 18)
        for base in 1...400 as ClosedRange<UInt64> { try LogFixture.commit(base, to: writer, byteCount: 900) }
        let reader = LogReader(folder: log.path, disk: .posix)
        let last = try #require(try reader.refresh()).sequence
        for after in [0, 399, 128, 63, 64, 65, 300, 0] as [UInt64] {
            var sequences: [UInt64] = []
            try reader.forEachRecord(after: after, through: min(after + 40, last)) { sequences.append($0.sequence) }
            #expect(sequences == Array(after + 1...min(after + 40, last)), "after \(after)")
        }
    }

    @Test func segmentsAreFreedOnlyWhenEveryProjectHasPublished() throws {
        let (writer, _) = try log.open()
        try LogFixture.commit(1, to: writer, project: "a")
        try LogFixture.commit(2, to: writer, project: "b")
        try writer.rotate(nowMicros: 9)
        try LogFixture.commit(3, to: writer, project: "a")
        #expect(try writer.free(published: ["a": 2]) == 0)
        #expect(try writer.free(published: ["a": 2, "b": 2]) == 1)
        #expect(try log.basesRead() == [3])
        let reader = LogReader(folder: log.path, disk: .posix)
        _ = try reader.refresh()
        #expect(reader.firstAvailable == 3)
    }

    @Test func aNewLogStartsFarAboveWhatTheTablesHold() throws {
        let (writer, _) = try log.open(highestPublished: 10)
        #expect(writer.lastSequence == 10 + (1 << 32))
    }

    @Test func theSourceStateIsRebuiltFromCheckpointAndRecords() throws {
        var seen: [UInt64] = []
        func state() -> SourceState {
            SourceState(
                load: { seen = $0.map { UInt64($0) } },
                apply: { seen += $0.entries.map(\.base) },
                save: { seen.map { UInt8($0) } })
        }
        do {
            let (writer, _) = try log.open(state: state())
            for base in 1...10 as ClosedRange<UInt64> {
                try LogFixture.commit(base, to: writer, byteCount: 30_000)
                seen.append(base)
            }
        }
        seen = []
        let (_, report) = try log.open(state: state())
        #expect(report.wasUnclean)
        #expect(seen == Array(1...10))
    }


}
