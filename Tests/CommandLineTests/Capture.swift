import Foundation
import TestSupport

@testable import CommandLine

/// A console whose streams are kept.
final class Capture {
    private(set) var outputBytes: [UInt8] = []
    private(set) var error = ""
    private var input: [UInt8]

    init(input: String = "") { self.input = Array(input.utf8) }

    var output: String { String(decoding: outputBytes, as: UTF8.self) }

    var console: Console {
        Console(
            writeOutput: { [self] in outputBytes += $0 }, writeError: { [self] in error += $0 },
            readInput: { [self] count in
                let piece = Array(input.prefix(count))
                input.removeFirst(piece.count)
                return piece
            }, isErrorTerminal: false, clockMicros: { 1_700_000_000_000_000 }, elapsedMicros: Console.monotonicMicros())
    }

    /// Runs the program.
    func run(_ arguments: String...) -> Int32 { TidemarkCommands.run(arguments, console) }
}

extension TemporaryFolder {
    /// A file of that content; its path.
    func file(_ name: String, _ text: String) throws -> String {
        try Data(text.utf8).write(to: URL(fileURLWithPath: self(name)))
        return self(name)
    }
}
