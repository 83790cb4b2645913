import Access
import Bytes
import Crypto
import Files
import Foundation
import TestSupport
import Testing

@testable import CommandLine

@Suite struct AdminTests {
    @Test func statusAndCompactAskTheCollector() throws {
        let collector = try FakeCollector()
        defer { collector.stop() }
        let capture = Capture()
        #expect(capture.run("status", "--data", collector.folder.path) == 0, "\(capture.error)")
        #expect(capture.output == "state        running\nlog.records  3\n")
        #expect(capture.run("compact", "--data", collector.folder.path) == 0)
        #expect(collector.content.adminVerbs == ["status", "publish"])
    }

    @Test func whatTheCollectorRefusesIsSaid() throws {
        let collector = try FakeCollector()
        defer { collector.stop() }
        let capture = Capture()
        #expect(capture.run("project", "create", "shop", "--data", collector.folder.path) == 1)
        #expect(capture.error.contains("create_project failed: unknown verb"))
        #expect(capture.run("project", "create", "Shop!", "--data", collector.folder.path) == 64)
        let ingest = collector.folder("default.token")
        #expect(capture.run("status", "--data", collector.folder.path, "--token-file", ingest) == 1)
        #expect(capture.error.contains("the token is not an admin's"))
    }

    @Test func aTokenIsShownOnceAndKeptAsAHash() throws {
        let collector = try FakeCollector()
        defer { collector.stop() }
        let data = collector.folder.path
        let capture = Capture()
        #expect(capture.run("token", "create", "--name", "web", "--data", data) == 0, "\(capture.error)")
        let token = capture.output.trimmingCharacters(in: .newlines)
        #expect(token.hasPrefix("tdm_ingest_") && token.utf8.count > 64)
        let text = try String(contentsOfFile: data + "/tokens", encoding: .utf8)
        #expect(!text.contains(token) && text.contains(Hex.encode(SHA256.hash(Array(token.utf8)))))
        #expect(collector.content.adminVerbs == ["reload_tokens"])
        let mode = try FileManager.default.attributesOfItem(atPath: data + "/tokens")[.posixPermissions] as? Int
        #expect(mode == 0o600)

        #expect(capture.run("token", "create", "--name", "web", "--data", data) == 1)
        let projects = ["--project", "a", "--project=b"]
        let relay = ["token", "create", "--name", "r", "--role", "relay", "--data", data] + projects
        #expect(TidemarkCommands.run(relay, capture.console) == 0)
        let listed = Capture()
        #expect(listed.run("token", "list", "--data", data) == 0)
        #expect(listed.output.contains("web   ingest  default") && listed.output.contains("r     relay   a, b"))
        #expect(listed.run("token", "revoke", "web", "--data", data) == 0)
        #expect(listed.run("token", "revoke", "web", "--data", data) == 1)
        let left = try TokenFile(try Disk.posix.contents(data + "/tokens"), path: "").tokens
        #expect(left.map(\.name) == ["r"])
    }

    @Test func tokensAreMadeWithoutACollectorToo() throws {
        let folder = TemporaryFolder()
        let capture = Capture()
        #expect(capture.run("token", "create", "--name", "a", "--role", "admin", "--data", folder.path) == 0)
        #expect(capture.error.contains("a running collector was not told"))
        let two = ["token", "create", "--name", "b", "--project", "x", "--project", "y", "--data", folder.path]
        #expect(TidemarkCommands.run(two, capture.console) == 64)
    }

    @Test func aDamagedTokenFileIsNotOverwritten() throws {
        let folder = TemporaryFolder()
        _ = try folder.file("tokens", "{\"format\":0,")
        let capture = Capture()
        #expect(capture.run("token", "create", "--name", "a", "--data", folder.path) == 1)
        #expect(try String(contentsOfFile: folder("tokens"), encoding: .utf8) == "{\"format\":0,")
    }
}

@Suite struct CommandTests {
    @Test func everyCommandHasHelpWithExamples() {
        for command in TidemarkCommands.all {
            let capture = Capture()
            #expect(TidemarkCommands.run(command.words + ["--help"], capture.console) == 0)
            #expect(capture.output.hasPrefix("usage: tidemark \(command.name)"))
            #expect(capture.output.contains("\nexamples:\n  "))
            #expect(command.helpText.split(separator: "\n").allSatisfy { $0.count <= 130 }, "\(command.name)")
        }
    }

    @Test func wrongCallsAreUsageErrors() {
        for arguments in [["frobnicate"], [], ["wal"], ["wal", "eat"], ["import"], ["import", "--bogus", "x"],
            ["query", "--format", "xml", "{}"], ["token", "create"], ["wal", "cat", "--limit", "x"]] {
            let capture = Capture()
            #expect(TidemarkCommands.run(arguments, capture.console) == 64, "\(arguments)")
            #expect(!capture.error.isEmpty)
        }
    }

    @Test func groupsAndHelpExplainThemselves() {
        for arguments in [["help"], ["--help"], ["help", "wal"], ["wal", "--help"], ["help", "wal", "cat"]] {
            let capture = Capture()
            #expect(TidemarkCommands.run(arguments, capture.console) == 0, "\(arguments)")
            #expect(capture.output.contains("usage: tidemark"))
        }
    }
}

@Suite struct ProgressTests {
    @Test func figuresAreReadable() {
        #expect(Figures.grouped(1_234_567) == "1,234,567")
        #expect(Figures.grouped(-1000) == "-1,000")
        #expect(Figures.short(812) == "812")
        #expect(Figures.short(1234) == "1.23 k")
        #expect(Figures.short(45_600_000) == "45.6 M")
        #expect(Figures.short(999_999) == "1.00 M")
        #expect(Figures.bytes(1536) == "1.50 KiB")
        #expect(Figures.clock(7) == "0:07")
        #expect(Figures.clock(3723) == "1:02:03")
        #expect(Figures.fixed(-0.125, 2) == "-0.13")
        #expect(Figures.fixed(-0.001, 2) == "0.00")
    }

    @Test func theLineTellsShareSpeedAndTimeLeft() {
        let line = ProgressLine(
            label: "import", eventCount: 500_000, doneBytes: 25, totalBytes: 100, elapsedMicros: 10_000_000)
        #expect(line.text == "import  [#####...............]  25.0 %  500 k events  50.0 k/s  ETA 0:30")
        #expect(ProgressLine(label: "x", eventCount: 0, doneBytes: 0, totalBytes: nil, elapsedMicros: 0).text
            == "x  0 events  0/s")
    }
}
