import Files
import Foundation
import JSON
import TestSupport

/// Runs programs to their end.
enum Programs {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    struct Output: Sendable {
        let status: Int32
        let text: String
        let errors: String
    }

    /// The Python with the judging engines and the real data sets; scripts/test sets it.
    static func python() throws -> String {
        guard let path = ProcessInfo.processInfo.environment["TIDEMARK_PYTHON"], !path.isEmpty else {
            throw Failure(
                description: "TIDEMARK_PYTHON does not name a Python with retentioneering; scripts/test sets it")
        }
        return path
    }

    /// A program that was built beside the tests.
    static func built(_ name: String) -> String {
        URL(fileURLWithPath: CollectorProcess.binary).deletingLastPathComponent().appendingPathComponent(name).path
    }

    /// A judge of this folder.
    static func judge(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("judges/" + name).path
    }

    static func run(_ program: String, _ arguments: [String]) throws -> Output {
        let folder = TemporaryFolder()
        let (output, errors) = (folder("output"), folder("errors"))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try writable(output)
        process.standardError = try writable(errors)
        try process.run()
        process.waitUntilExit()
        func text(_ path: String) throws -> String { String(decoding: try Disk.posix.contents(path), as: UTF8.self) }
        return Output(status: process.terminationStatus, text: try text(output), errors: try text(errors))
    }

    static func writable(_ path: String) throws -> FileHandle {
        guard FileManager.default.createFile(atPath: path, contents: nil),
            let handle = FileHandle(forWritingAtPath: path)
        else { throw Failure(description: "\(path) cannot be written") }
        return handle
    }
}

/// A real queryd on a port of its own over somebody else's data folder.
final class QueryProcess {
    private let folder = TemporaryFolder()
    private let process = Process()
    let url: String
    /// Of the token that collectord left for asking.
    let token: String

    init(data: String) throws {
        let text = String(decoding: try Disk.posix.contents(data + "/query.token"), as: UTF8.self)
        token = text.trimmingCharacters(in: .whitespacesAndNewlines)
        process.executableURL = URL(fileURLWithPath: Programs.built("queryd"))
        process.arguments = ["--data", data, "--listen", "127.0.0.1:0"]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        let errors = folder("errors")
        process.standardError = try Programs.writable(errors)
        try process.run()
        var listen: String?
        _ = try waitUntil(withinMillis: 20_000) {
            let lines = String(decoding: try Disk.posix.contents(errors), as: UTF8.self).split(separator: "\n")
            let ready = lines.compactMap { try? JSONValue(parsing: String($0)) }
                .first { $0["message"]?.asString == "ready" }
            listen = ready?["listen"]?.asString
            return listen != nil
        }
        guard let listen else { throw Programs.Failure(description: "queryd is not ready") }
        url = "http://" + listen
    }

    deinit { stop() }

    /// - Returns: its exit code.
    @discardableResult
    func stop() -> Int32 {
        if process.isRunning { process.terminate() }
        process.waitUntilExit()
        return process.terminationStatus
    }
}
