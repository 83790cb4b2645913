import Files
import JSON

/// Tells of rows that were not taken: the first few to the person, all of them to a file if one is named.
final class RejectReport {
    static let shownMax = 20

    private let console: Console
    private let file: OutputFile?
    private var count = 0

    /// - Parameter path: of NDJSON lines `{"file", "line", "reason"}`; replaced if it exists.
    init(_ path: String?, console: Console, disk: Disk) throws {
        self.console = console
        file = try path.map { try OutputFile($0, disk: disk) }
    }

    func add(_ rejection: Rejection) throws {
        count += 1
        if count <= Self.shownMax { console.note(rejection.text) }
        if count == Self.shownMax + 1 { console.note("... more are not shown; --rejects FILE writes them all") }
        let json: JSONValue = [
            "file": .string(rejection.file), "line": .integer(Int64(rejection.line)),
            "reason": .string(rejection.error.description),
        ]
        try file?.append(json.encoded() + [UInt8(ascii: "\n")])
    }

    func finish() throws { try file?.flush() }
}
