import Files
import Foundation
import JSON
import TestSupport
import Testing

@testable import Query

/// A JSON Schema validator must draw the line between questions and errors where the code draws it.
@Suite struct SchemaJudgeTests {
    private struct JudgeFailure: Error, CustomStringConvertible { let description: String }

    @Test func aValidatorAcceptsAndRefusesWhatTheCodeDoes() throws {
        var lines = QuestionTests.good.map { "accept " + $0 }
        lines += QuestionTests.senseless.map { "accept " + $0.json }
        lines += QuestionTests.ungrammatical.map { "refuse " + $0.json }
        var data = RandomData(seed: 11, start: "2024-03-01", days: 5)
        for _ in 0..<200 {
            let question = data.aggregate(zones: ["UTC", "Asia/Kolkata"]).encoded()
            lines.append("accept " + String(decoding: question, as: UTF8.self))
            let segment: JSONValue = ["kind": "segment", "segment": data.segment(), "date_range": data.dateRange()]
            lines.append("accept " + String(decoding: segment.encoded(), as: UTF8.self))
        }
        let folder = TemporaryFolder()
        try Data(lines.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: folder("questions")))
        try judge(folder("questions"))
    }

    private func judge(_ questions: String) throws {
        guard let python = ProcessInfo.processInfo.environment["TIDEMARK_PYTHON"] else {
            throw JudgeFailure(
                description: "TIDEMARK_PYTHON does not name a Python with jsonschema; scripts/test sets it")
        }
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let schema = tests.appendingPathComponent("../../protocol/query.schema.json").standardized.path
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = [tests.appendingPathComponent("judges/check_questions.py").path, schema, questions]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw JudgeFailure(description: text) }
    }
}
