import Bytes
import Events
import Files
import Foundation
import JSON
import TestSupport
import Testing

@testable import CommandLine
@testable import WAL

/// A log of real batches in a data folder of its own.
private struct LogFixture {
    let data = TemporaryFolder()
    static let source = SourceID(bytes: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])!
    static let eventsPerBatch = 4

    /// - Parameter isSealed: whether the writer stops cleanly.
    init(records: Int, isSealed: Bool, segmentBytes: Int = 1 << 17) throws {
        let (writer, _) = try LogWriter.open(
            folder: data("wal"), options: .init(segmentBytes: segmentBytes), disk: .posix, state: .none,
            highestPublished: 0, nowMicros: 1_000_000)
        for record in 0..<records { try Self.commit(record, to: writer) }
        if isSealed { try writer.seal(nowMicros: 9_000_000) }
    }

    static func event(_ number: Int) -> Event {
        var event = Event(type: number % 2 == 0 ? "click" : "page_view", timestampMicros: Int64(number) * 1_000_000)
        event.userID = "user-\(number % 3)"
        event.values = [EventValue(.property, "secret", .string("word-\(number)"))]
        return event
    }

    private static func commit(_ record: Int, to writer: LogWriter) throws {
        var encoder = BatchEncoder(codec: record % 2 == 0 ? .raw : .zstd(level: 1))
        let first = record * eventsPerBatch
        let bytes = try encoder.encode((first..<(first + eventsPerBatch)).map(event))
        let base = UInt64(first + 1)
        let entry = Entry(
            kind: .close, project: "default", source: source, flags: [], base: base, count: eventsPerBatch,
            totals: SourceTotals(stored: base + UInt64(eventsPerBatch) - 1))
        let batch = BatchEntry(
            receivedMicros: 5, clockOffsetMicros: -7, fingerprint: XXH64.hash(bytes),
            minTimestampMicros: Int64(first) * 1_000_000,
            maxTimestampMicros: Int64(first + eventsPerBatch - 1) * 1_000_000,
            exclusions: record == 1 ? [Exclusion(index: 2, code: 2)] : [])
        var draft = GroupDraft()
        try draft.add(entry, batch, body: bytes.rawSpan, isCompressed: record % 2 == 1)
        _ = try writer.commit(&draft, nowMicros: 2_000_000 + Int64(record))
    }

    var segment: String { data("wal/0000000000000001.wal") }

    func bytes() throws -> [UInt8] { try Disk.posix.contents(segment) }

    func write(_ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(fileURLWithPath: segment)) }

    var mark: DurableMark { get throws { try #require(try DurableMark.read(in: data("wal"), disk: .posix)) } }
}

@Suite struct WALCommandTests {
    private func run(_ arguments: String...) -> (code: Int32, capture: Capture) {
        let capture = Capture()
        return (TidemarkCommands.run(["wal"] + arguments, capture.console), capture)
    }

    @Test func anImpossibleLengthIsToldWithItsBounds() {
        let header = RecordHeader(
            recordBytes: 6000, kind: .group, sequence: 1, commitMicros: 0, tag: 7, directoryBytes: 72, eventCount: 1,
            directoryCRC: 0)
        let bytes = header.encoded() + [UInt8](repeating: 0, count: 100)
        let found = RecordHeader.find(in: bytes.rawSpan, at: 0, tag: 7)
        let reason = "record length 6000 is impossible: "
            + "a multiple of 8 from 120 to \(Limits.recordBytesMax), of which 148 bytes are left"
        #expect(found == .bad(reason))
    }

    @Test(arguments: [true, false])
    func aSoundLogVerifies(isSealed: Bool) throws {
        let log = try LogFixture(records: 5, isSealed: isSealed)
        for path in [log.data.path, log.data("wal"), log.segment] {
            let (code, capture) = run("verify", "--decode", path)
            #expect(code == 0, "\(capture.output)")
            #expect(capture.output.hasPrefix("5 records, 20 events, 5 bodies"))
        }
    }

    @Test func manySegmentsVerifyAndAreListed() throws {
        let log = try LogFixture(records: 1500, isSealed: true, segmentBytes: 1 << 14)
        #expect(run("verify", log.data.path).code == 0)
        let (code, capture) = run("list", "--data", log.data.path)
        #expect(code == 0)
        let lines = capture.output.split(separator: "\n")
        #expect(lines.count > 5)
        #expect(lines.dropFirst(2).allSatisfy { $0.hasSuffix("sealed") })
    }

    @Test(arguments: [true, false])
    func everyFlippedBitOfWhatIsDurableIsFound(isSealed: Bool) throws {
        let log = try LogFixture(records: 3, isSealed: isSealed)
        let sound = try log.bytes()
        let end = try log.mark.byteOffset
        for offset in stride(from: 0, to: end, by: 5) {
            var bytes = sound
            bytes[offset] ^= 1 << UInt8(offset % 8)
            try log.write(bytes)
            let (code, capture) = run("verify", log.data.path)
            #expect(code == 3, "byte \(offset): \(capture.output)")
            #expect(capture.output.contains("0000000000000001.wal:"))
        }
    }

    @Test func whatIsExpectedAndWhatIsThereAreBothSaid() throws {
        let log = try LogFixture(records: 3, isSealed: true)
        var bytes = try log.bytes()
        bytes[SegmentHeader.byteCount + 8] ^= 1
        try log.write(bytes)
        let output = run("verify", log.data.path).capture.output
        #expect(output.contains("0000000000000001.wal:256: corrupt: record header checksum: expected "))
        #expect(output.contains(", actual "))
    }

    @Test func aTornEndBeyondTheMarkIsToldFromRot() throws {
        let log = try LogFixture(records: 3, isSealed: false)
        var bytes = try log.bytes()
        let end = try log.mark.byteOffset
        // Half of a record, as a crash leaves it.
        let half = Array(bytes[SegmentHeader.byteCount..<(SegmentHeader.byteCount + 100)])
        bytes.replaceSubrange(end..<(end + half.count), with: half)
        bytes[end + 20] ^= 1
        try log.write(bytes)
        let (code, capture) = run("verify", log.data.path)
        #expect(code == 2, "\(capture.output)")
        #expect(capture.output.contains("0000000000000001.wal:\(end): torn: "))
        #expect(run("verify", log.segment).code == 2)
    }

    @Test func aLogWithoutSomeOfItsFilesIsCorruptOrTorn() throws {
        let log = try LogFixture(records: 3, isSealed: true)
        try Disk.posix.unlink(log.data("wal/durable.mark"))
        #expect(run("verify", log.data.path).code == 2)
        try Disk.posix.unlink(log.data("wal/0000000000000001.sources"))
        #expect(run("verify", log.data.path).code == 3)
        #expect(run("verify", log.data("nothing")).code == 1)
    }

    @Test func aLostSegmentIsMissed() throws {
        let log = try LogFixture(records: 1500, isSealed: true, segmentBytes: 1 << 14)
        try Disk.posix.unlink(log.data("wal/0000000000000003.wal"))
        let (code, capture) = run("verify", log.data.path)
        #expect(code == 3)
        #expect(capture.output.contains("number: expected 3, actual 4"))
    }

    @Test func eventsAreShownInOrderWithTheirIDs() throws {
        let log = try LogFixture(records: 3, isSealed: false)
        let (code, capture) = run("cat", log.data.path)
        #expect(code == 0)
        let lines = try capture.output.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
        #expect(lines.count == 12)
        #expect(lines.map { $0["source_sequence"]?.asInteger } == (1...12).map { Int64($0) })
        #expect(lines[6]["excluded"]?.asString == "schema")
        #expect(lines[0]["event_id"]?.asString == EventID(source: LogFixture.source, sequence: 1).description)
        #expect(lines[5]["record"]?.asInteger == 2 && lines[5]["ordinal"]?.asInteger == 1)
    }

    @Test func filtersChooseAndLimitsEnd() throws {
        let log = try LogFixture(records: 3, isSealed: false)
        func count(_ more: String...) -> Int {
            let capture = Capture()
            #expect(TidemarkCommands.run(["wal", "cat", log.data.path] + more, capture.console) == 0)
            return capture.output.split(separator: "\n").count
        }
        #expect(count("--type", "click") == 6)
        #expect(count("--user", "user-1") == 4)
        #expect(count("--from", "2", "--to", "2") == 4)
        #expect(count("--limit", "5") == 5)
        #expect(count("--source", "ffffffffffffffffffff") == 0)
        #expect(count("--project", "default") == 12)
        #expect(count("--records") == 3)
    }

    @Test func oneArrayIsValidJSON() throws {
        let log = try LogFixture(records: 2, isSealed: false)
        let value = try JSONValue(parsing: run("cat", "--format", "json", log.data.path).capture.output)
        #expect(value.asArray?.count == 8)
        let none = try JSONValue(parsing: run("cat", "--format", "json", "--type", "x", log.data.path).capture.output)
        #expect(none == .array([]))
    }

    @Test func redactionHidesWhoAndWhat() throws {
        let log = try LogFixture(records: 2, isSealed: false)
        let output = run("cat", "--redact", log.data.path).capture.output
        #expect(!output.contains("user-") && !output.contains("word-"))
        let users = try output.split(separator: "\n").map { try JSONValue(parsing: String($0))["user_id"]?.asString }
        #expect(Set(users).count == 3 && users[0] == users[3])
    }

    @Test func rawBytesAreShownAsTheyLie() throws {
        let log = try LogFixture(records: 1, isSealed: false)
        let output = run("cat", "--format", "hex", log.data.path).capture.output
        #expect(output.contains("\n00000100  "))
    }

    @Test func statsCountProjectsSourcesAndTypes() throws {
        let log = try LogFixture(records: 3, isSealed: true)
        let (code, capture) = run("stats", "--types", log.data.path)
        #expect(code == 0)
        #expect(capture.output.contains("click            6"))
        #expect(capture.output.contains("default 0102030405060708090a"))
    }

    @Test func aDamagedBodyStopsNeitherCatNorStats() throws {
        let log = try LogFixture(records: 3, isSealed: false)
        var bytes = try log.bytes()
        let end = try log.mark.byteOffset
        bytes[end - 20] ^= 1
        try log.write(bytes)
        let (code, capture) = run("cat", log.data.path)
        #expect(code == 3)
        #expect(capture.output.split(separator: "\n").count == 8)
        let stats = run("stats", "--types", log.data.path)
        #expect(stats.code == 3 && stats.capture.output.contains("default        3      12"))
    }
}
