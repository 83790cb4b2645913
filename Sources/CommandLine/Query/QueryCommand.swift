import Config
import Files
import Foundation
import JSON

extension Command {
    private enum Format: String, CaseIterable { case table, json, csv }

    /// `tidemark query`.
    static let query = Command(
        "query", "Ask queryd a question and show the answer.",
        notes: """
            The question is JSON: as the argument, in a file, or on standard input with -. docs/questions.md
            describes it. Exit code 1: queryd refused it; the message says where in the question the fault is.
            """,
        examples: [
            #"tidemark query '{"kind":"aggregate","metrics":["count"],"group_by":["event_type"]}'"#,
            "tidemark query signup-funnel.json", "cat question.json | tidemark query --format csv -",
        ],
        options: QueryAccess.options + [
            .value("path", "path", help: "What is asked; /v1/query by default."),
            .value("format", "table|json|csv", help: "How the answer is shown; table by default."),
            .value("timeout", "seconds", help: "How long to wait; 120 by default."),
        ],
        positionals: [.init("question", .zeroOrOne)], run: runQuery)

    private static func runQuery(_ invocation: Invocation) throws -> ExitCode {
        let arguments = invocation.arguments
        let format = try invocation.choice("format", ifAbsent: Format.table)
        let seconds = try arguments.integer("timeout", in: 1...86_400) ?? 120
        let question = try readQuestion(arguments.positionals.first ?? "-", invocation.console)
        let environment = ProcessInfo.processInfo.environment
        let access = try QueryAccess(arguments, environment: environment, disk: .posix)
        let answer = try access.post(
            arguments.value("path") ?? "/v1/query", question, deadlineMillis: UInt64(seconds) * 1000)
        try show(answer, format, invocation.console)
        return .done
    }

    private static func show(_ answer: JSONValue, _ format: Format, _ console: Console) throws {
        guard format != .json, let table = AnswerTable(answer) else {
            return try console.writeOutput(answer.encoded(.indented(spaces: 2)) + [UInt8(ascii: "\n")])
        }
        try console.writeOutput(Array((format == .csv ? table.csv : table.text).utf8))
        if let skipped = answer["meta"]?["skipped"]?.asInteger, skipped > 0 {
            console.note("\(Figures.grouped(Int(skipped))) values were no numbers where numbers are wanted: left out")
        }
        for warning in answer["meta"]?["warnings"]?.asArray ?? [] {
            console.note("warning: " + (warning.asString ?? warning.description))
        }
    }

    /// JSON itself, a file's name, or `-`.
    private static func readQuestion(_ text: String, _ console: Console) throws -> [UInt8] {
        if text.drop(while: \.isWhitespace).hasPrefix("{") { return Array(text.utf8) }
        guard text == "-" else { return try Disk.posix.contents(text, limit: 16 << 20) }
        var bytes: [UInt8] = []
        while true {
            let piece = try console.readInput(64 << 10)
            if piece.isEmpty { return bytes }
            bytes += piece
        }
    }
}
