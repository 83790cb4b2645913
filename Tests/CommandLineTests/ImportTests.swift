import Events
import Foundation
import TestSupport
import Testing

@testable import CommandLine

@Suite struct ImportTests {
    private let folder = TemporaryFolder()

    private func csv(rows: Int) -> String {
        "user_id,event,timestamp,n\n" + (0..<rows).map { "u\($0 % 7),click,\(1_700_000_000 + $0),\($0)\n" }.joined()
    }

    private func importing(_ path: String, into collector: FakeCollector, _ more: String...) -> (Int32, Capture) {
        let capture = Capture()
        let arguments = ["import", "--data", collector.folder.path] + more + [path]
        return (TidemarkCommands.run(arguments, capture.console), capture)
    }

    @Test func everyRowArrivesOnceAndTheSecondTimeIsAllDuplicates() throws {
        let collector = try FakeCollector()
        defer { collector.stop() }
        let path = try folder.file("e.csv", csv(rows: 1234))
        let (code, capture) = importing(path, into: collector, "--batch", "100")
        #expect(code == 0, "\(capture.error)")
        #expect(capture.output == "read      1,234\nstored    1,234\nduplicate     0\nrejected      0\n")
        let events = collector.content.events
        #expect(events.count == 1234)
        #expect(events[5].userID == "u5" && events[5].type == "click")
        #expect(events[5].values == [EventValue(.property, "n", .int64(5))])
        let (_, again) = importing(path, into: collector)
        #expect(again.output.contains("duplicate 1,234\n"))
    }

    @Test(arguments: [true, false])
    func aCutConnectionLosesAndRepeatsNothing(keepsWhatWasCut: Bool) throws {
        let collector = try FakeCollector(.init(cutsAfterBatches: 3, keepsWhatWasCut: keepsWhatWasCut))
        defer { collector.stop() }
        let path = try folder.file("e.csv", csv(rows: 1000))
        let (code, capture) = importing(path, into: collector, "--batch", "50")
        #expect(code == 0, "\(capture.error)")
        let content = collector.content
        #expect(content.connectionCount >= 3)  // two for events, one for publishing
        #expect(content.events.count == 1000)
        #expect(Set(content.events.compactMap(\.eventID)).count == 1000)
    }

    @Test func whatOthersLeftInTheLogIsNotCountedAsItsOwn() throws {
        let collector = try FakeCollector()
        defer { collector.stop() }
        let (first, _) = importing(try folder.file("a.csv", csv(rows: 500)), into: collector, "--no-publish")
        #expect(first == 0)
        let (_, capture) = importing(try folder.file("b.csv", csv(rows: 3)), into: collector)
        #expect(capture.output == "read      3\nstored    0\nduplicate 3\nrejected  0\n")
    }

    @Test func withoutATableItSaysWhatWasSentAndWhoseTheFiguresAre() throws {
        let collector = try FakeCollector(.init(hidesTable: true))
        defer { collector.stop() }
        let (code, capture) = importing(try folder.file("e.csv", csv(rows: 30)), into: collector)
        #expect(code == 0)
        #expect(capture.output == "read      30\nsent      30\nrejected   0\n")
        #expect(capture.error.contains("published by the project, whoever sent it: 30 rows; 0 duplicates left out"))
    }

    @Test func anAdminTokenThatCannotBeReadCostsOnlyThePublish() throws {
        let collector = try FakeCollector()
        defer { collector.stop() }
        let token = collector.folder("admin.token")
        try FileManager.default.removeItem(atPath: token)
        try FileManager.default.createDirectory(atPath: token, withIntermediateDirectories: false)
        let (code, capture) = importing(try folder.file("e.csv", csv(rows: 3)), into: collector)
        #expect(code == 0)
        #expect(capture.output == "read      3\nsent      3\nrejected  0\n")
        #expect(capture.error.contains("stored, but not published now"))
    }

    @Test func exactRepeatsAllCount() throws {
        let collector = try FakeCollector()
        defer { collector.stop() }
        let row = "u,click,1700000000\n"
        let path = try folder.file("e.csv", "user_id,event,timestamp\n" + String(repeating: row, count: 30))
        let (_, capture) = importing(path, into: collector)
        #expect(capture.output.contains("stored    30\n"))
    }

    @Test func badRowsAreNamedWithLineAndReason() throws {
        let collector = try FakeCollector(.init(refusedType: "forbidden"))
        defer { collector.stop() }
        let text = """
            event,timestamp,user_id
            click,1700000000,a
            click,soon,a
            ,1700000000,a
            click,1700000000
            forbidden,1700000000,a
            "click"x,1700000000,a
            click,1700000001,b
            """
        let path = try folder.file("e.csv", text)
        let (code, capture) = importing(path, into: collector, "--rejects", folder("rejects"))
        #expect(code == 2)
        #expect(capture.output == "read      7\nstored    2\nduplicate 0\nrejected  5\n")
        for line in [
            "e.csv:3: no timestamp can be read from \"soon\"", "e.csv:4: no event type",
            "e.csv:5: 2 fields where the header has 3", "e.csv:6: not stored by the collector: schema",
            "e.csv:7: text behind the closing quote of field 1",
        ] { #expect(capture.error.contains(line)) }
        let rejects = try String(contentsOfFile: folder("rejects"), encoding: .utf8)
        #expect(rejects.split(separator: "\n").count == 5)
    }

    @Test func linesOfJSONInTheShapeOfEventsAreRead() throws {
        let collector = try FakeCollector()
        defer { collector.stop() }
        let text = """
            {"event_id":"evt_0123456789abcdef0123456789abcdef","event_type":"purchase","user_id":"u1","session_id":"s",\
            "timestamp":"2023-11-14T22:13:20Z","properties":{"amount":9.5,"items":[{"sku":"a"}],"gift":true,\
            "note":null},"device":{"os":"linux"},"location":{"country":"DE"},"context":{"v":1}}

            {"event":"click","time":1700000000,"user_id":17,"plan":"pro"}
            [1]
            {"event":
            """
        let path = try folder.file("e.ndjson", text)
        let (code, capture) = importing(path, into: collector)
        #expect(code == 2)
        let events = collector.content.events
        #expect(events.count == 2, "\(capture.error)")
        let first = try #require(events.first)
        #expect(first.eventID?.description == "evt_0123456789abcdef0123456789abcdef")
        #expect(first.timestampMicros == 1_700_000_000_000_000)
        #expect(Set(first.values.map { "\($0.scope) \($0.name) \($0.value)" }) == [
            "property amount float64(9.5)", #"property items json("[{\"sku\":\"a\"}]")"#, "property gift bool(true)",
            "device os string(\"linux\")", "location country string(\"DE\")", "context v int64(1)",
        ])
        #expect(events[1].userID == "17")
        #expect(events[1].values == [EventValue(.property, "plan", .string("pro"))])
        #expect(capture.error.contains("e.ndjson:4: a JSON object is expected"))
        #expect(capture.error.contains("e.ndjson:5: not JSON"))
    }

    @Test func gzipWithSeveralMembersAndAByteOrderMarkIsRead() throws {
        let collector = try FakeCollector()
        defer { collector.stop() }
        let whole = Array("\u{FEFF}\(csv(rows: 300))".utf8)
        let gzip = try GzipFixture.compressed(Array(whole[..<1000])) + GzipFixture.compressed(Array(whole[1000...]))
        let path = folder("e.csv.gz")
        try Data(gzip + [0, 0, 0]).write(to: URL(fileURLWithPath: path))
        let (code, capture) = importing(path, into: collector)
        #expect(code == 0, "\(capture.error)")
        #expect(collector.content.events.count == 300)
    }

    @Test func aCutGzipFileIsAnErrorAfterWhatWasRead() throws {
        let gzip = try GzipFixture.compressed(Array(csv(rows: 300).utf8))
        for count in [3, 12, gzip.count / 2, gzip.count - 1] {
            try Data(gzip.prefix(count)).write(to: URL(fileURLWithPath: folder("cut.gz")))
            let capture = Capture()
            #expect(capture.run("import", "--dry-run", folder("cut.gz")) == 1)
            #expect(capture.error.contains("cut.gz: the gzip data ends too early"))
        }
    }

    @Test func aFailedImportTellsWhatWasSentAndWritesItsRejects() throws {
        let collector = try FakeCollector()
        defer { collector.stop() }
        let gzip = try GzipFixture.compressed(Array(("event,timestamp\nclick,soon\n" + csv(rows: 3)).utf8))
        try Data(gzip.dropLast(2)).write(to: URL(fileURLWithPath: folder("cut.gz")))
        let (code, capture) = importing(folder("cut.gz"), into: collector, "--rejects", folder("rejects"))
        #expect(code == 1)
        #expect(capture.output == "read      5\nsent      0\nrejected  5\n")
        #expect(capture.error.contains("cut.gz: the gzip data ends too early"))
        let rejects = try String(contentsOfFile: folder("rejects"), encoding: .utf8)
        #expect(rejects.split(separator: "\n").count == 5)
    }

    @Test func standardInputIsReadForADash() {
        let capture = Capture(input: csv(rows: 3))
        #expect(capture.run("import", "--dry-run", "-") == 0)
        let start = #""event_type":"click","timestamp":"2023-11-14T22:13:20.000000Z","user_id":"u0""#
        #expect(capture.output.contains(start))
        #expect(capture.error.contains("3 rows read, 0 rejected, nothing stored"))
    }

    @Test func withoutACollectorItSaysSoAtOnce() throws {
        _ = try folder.file("default.token", "t")
        let path = try folder.file("e.csv", csv(rows: 3))
        let capture = Capture()
        #expect(capture.run("import", "--data", folder.path, "--socket", folder("none.sock"), path) == 1)
        #expect(capture.error.contains("nothing answers at"))
    }

    @Test func aWrongTokenIsRefusedAtOnce() throws {
        let collector = try FakeCollector()
        defer { collector.stop() }
        let path = try folder.file("e.csv", csv(rows: 3))
        let token = try folder.file("token", "wrong")
        let (code, capture) = importing(path, into: collector, "--token-file", token)
        #expect(code == 1)
        #expect(capture.error.contains("authentication"))
    }

    @Test func aBadHeaderIsToldWithItsReason() throws {
        func failure(_ text: String, _ more: String...) throws -> String {
            let capture = Capture()
            let code = TidemarkCommands.run(
                ["import", "--dry-run"] + more + [try folder.file("e.csv", text)], capture.console)
            #expect(code != 0)
            return capture.error
        }
        let row = "click,1700000000\n"
        #expect(try failure("\"event\"x,timestamp\n\(row)").contains("text behind the closing quote of field 1"))
        #expect(try failure("event,event,timestamp\n").contains("two columns are called \"event\""))
        #expect(try failure(row, "--header", "event,event,timestamp").contains("two columns are called \"event\""))
        #expect(try failure(row, "--header", "event,,timestamp").contains("2 fields where the header has 3"))
    }

    @Test func anEventThatIsNoneIsToldInWordsWithTheMembersName() throws {
        let line = #"{"event":"a","timestamp":1700000000,"n":1,"properties":{"n":2}}"#
        let capture = Capture()
        #expect(capture.run("import", "--dry-run", try folder.file("e.ndjson", line)) == 2)
        #expect(capture.error.contains("not an event: \"n\": two values of one scope and name in one event\n"))
    }

    @Test func aTimestampThatTheCollectorRefusesIsNotCalledTheFuture() throws {
        let collector = try FakeCollector(.init(refusedType: "click", refusal: .future))
        defer { collector.stop() }
        let (_, capture) = importing(try folder.file("e.csv", "event,timestamp\nclick,-1\n"), into: collector)
        #expect(
            capture.error.contains("e.csv:2: not stored by the collector: the timestamp is not between 1971 and"))
    }

    @Test func aFileWithoutTimestampIsRefusedWhole() throws {
        let path = try folder.file("e.csv", "event,when\nclick,1\n")
        let capture = Capture()
        #expect(capture.run("import", "--dry-run", path) == 1)
        #expect(capture.error.contains("--timestamp-column"))
    }
}

/// Gzip files by the system's own tool, so that the inflater is not tested against itself.
enum GzipFixture {
    static func compressed(_ bytes: [UInt8]) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "-c"]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(bytes))
        try input.fileHandleForWriting.close()
        let result = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Array(result)
    }
}
