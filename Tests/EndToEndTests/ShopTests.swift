import Files
import Foundation
import JSON
import TestSupport
import Testing

/// Real input through everything: the `ecom` data set of PyPI's retentioneering (31,106 events of 600 users), imported
/// through the wire and asked about over HTTP; plain Python over the CSV judges every answer.
@Suite struct ShopTests {
    private let collector = CollectorProcess()
    private let folder = TemporaryFolder()

    @Test func everyStageAnswersWhatPlainPythonSays() throws {
        let csv = try dataSet()
        try collector.start()
        var queryd = try QueryProcess(data: collector.data)

        // Half of it in the table, half of it in the log, where the first half stands again.
        let half = folder("half.csv")
        let lines = try text(of: csv).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        try write(lines[...15_553], to: half)
        #expect(try imported(half) == ["read": 15_553, "stored": 15_553, "duplicate": 0, "rejected": 0])
        #expect(try run("import", ["--no-publish", csv]).status == 0)
        try judge(queryd, csv)

        // While a compaction runs.
        let compaction = Compacting(self)
        repeat { try judge(queryd, csv) } while !compaction.isDone
        #expect(compaction.status == 0)
        try judge(queryd, csv)
        let counts = try Programs.run(
            try Programs.python(), [Programs.judge("count_events.py"), collector.data + "/default/events"])
        #expect(counts.text == "deltalake 31106\nduckdb 31106\npolars 31106\nchdb 31106\n", "\(counts.errors)")

        // After a restart of both.
        #expect(queryd.stop() == 0)
        #expect(try collector.stop() == .init(code: 0, wasSignalled: false))
        try collector.start()
        queryd = try QueryProcess(data: collector.data)
        try judge(queryd, csv)

        // Again, and with a row more in the middle.
        #expect(try imported(csv) == ["read": 31_106, "stored": 0, "duplicate": 31_106, "rejected": 0])
        try judge(queryd, csv)
        let extra = "user_0007,sess_new,purchase,2024-03-15 12:00:00,desktop,email,2024-01,returning"
        let edited = folder("edited.csv")
        try write(lines[..<9000] + [extra] + lines[9000...], to: edited)
        #expect(try imported(edited) == ["read": 31_107, "stored": 1, "duplicate": 31_106, "rejected": 0])
        let row: JSONValue = [
            "user_id": "user_0007", "event": "purchase", "timestamp": "2024-03-15 12:00:00", "platform": "desktop",
        ]
        try judge(queryd, csv, extra: [row.description])
    }

    /// Rows that cannot be events are named by their lines, and the rest is stored.
    @Test func badRowsAreRejectedByLineAndCostNobodyElse() throws {
        try collector.start()
        let file = folder("bad.csv")
        try write(
            [
                "user_id,event,timestamp", "a,view,2024-01-01 00:00:00", "b,,2024-01-01 00:00:00", "c,view,yesterday",
                "d,view,2024-01-02 00:00:00",
            ], to: file)
        let output = try run("import", [file])
        #expect(output.status == 2)
        #expect(try figures(output.text) == ["read": 4, "stored": 2, "duplicate": 0, "rejected": 2])
        for line in ["3", "4"] { #expect(output.errors.contains("bad.csv:\(line)"), "\(output.errors)") }
    }

    // MARK: Steps

    /// Runs a compaction in the background.
    private final class Compacting: @unchecked Sendable {
        // Safe: written once, before `done` is signalled, and read after.
        private(set) var status: Int32?
        private let done = DispatchSemaphore(value: 0)

        init(_ tests: ShopTests) {
            let data = tests.collector.data
            Thread.detachNewThread { [self] in
                status = (try? Programs.run(Programs.built("tidemark"), ["compact", "--data", data]))?.status
                done.signal()
            }
        }

        var isDone: Bool { done.wait(timeout: .now()) == .success }
    }

    private func run(_ command: String, _ arguments: [String]) throws -> Programs.Output {
        try Programs.run(Programs.built("tidemark"), [command, "--data", collector.data] + arguments)
    }

    private func imported(_ path: String) throws -> [String: Int] {
        let output = try run("import", [path])
        #expect(output.status == 0, "\(output.errors)")
        return try figures(output.text)
    }

    /// The lines `name  1,234` of an import.
    private func figures(_ text: String) throws -> [String: Int] {
        var figures: [String: Int] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 2, let count = Int(words[1].filter { $0 != "," }) else { continue }
            figures[String(words[0])] = count
        }
        return figures
    }

    private func judge(_ queryd: QueryProcess, _ csv: String, extra: [String] = []) throws {
        let rows = extra.isEmpty ? [] : ["[" + extra.joined(separator: ",") + "]"]
        let arguments = [Programs.judge("check_ecom.py"), queryd.url, queryd.token, csv] + rows
        let output = try Programs.run(try Programs.python(), arguments)
        #expect(output.status == 0, "\(output.text)\(output.errors)")
    }

    private func dataSet() throws -> String {
        let script = "import importlib.util, os; "
            + "print(os.path.dirname(importlib.util.find_spec('retentioneering').origin))"
        let output = try Programs.run(try Programs.python(), ["-c", script])
        let folder = output.text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard output.status == 0, !folder.isEmpty else { throw Programs.Failure(description: output.errors) }
        return folder + "/datasets/ecom.csv.gz"
    }

    private func text(of archive: String) throws -> String {
        let script = "import gzip, sys; sys.stdout.write(gzip.open(sys.argv[1], 'rt', newline='').read())"
        return try Programs.run(try Programs.python(), ["-c", script, archive]).text
    }

    private func write(_ lines: some Sequence<String>, to path: String) throws {
        try Disk.posix.replace(path, with: Array(lines.joined(separator: "\n").utf8))
    }
}
