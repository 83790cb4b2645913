import Foundation
import Telemetry

/// What a command touches besides files and sockets: the three standard streams and the clocks. Tests give their own.
package struct Console {
    /// Standard output.
    let writeOutput: ([UInt8]) throws -> Void
    /// Standard error.
    let writeError: (String) -> Void
    /// At most so many bytes of standard input; empty at its end.
    let readInput: (Int) throws -> [UInt8]
    /// Whether a person watches standard error.
    let isErrorTerminal: Bool
    /// µs since 1970-01-01 UTC.
    let clockMicros: () -> Int64
    /// µs since any fixed point; never falls.
    let elapsedMicros: () -> Int64

    package init(
        writeOutput: @escaping ([UInt8]) throws -> Void, writeError: @escaping (String) -> Void,
        readInput: @escaping (Int) throws -> [UInt8], isErrorTerminal: Bool, clockMicros: @escaping () -> Int64,
        elapsedMicros: @escaping () -> Int64
    ) {
        self.writeOutput = writeOutput
        self.writeError = writeError
        self.readInput = readInput
        self.isErrorTerminal = isErrorTerminal
        self.clockMicros = clockMicros
        self.elapsedMicros = elapsedMicros
    }

    /// Those of the process.
    package static func standard() -> Console {
        Console(
            writeOutput: { try FileHandle.standardOutput.write(contentsOf: Data($0)) },
            writeError: { text in
                // Nothing is left to tell it to when standard error is gone.
                do { try FileHandle.standardError.write(contentsOf: Data(text.utf8)) } catch {}
            },
            readInput: { count in
                guard let data = try FileHandle.standardInput.read(upToCount: count) else { return [] }
                return Array(data)
            },
            isErrorTerminal: isatty(2) == 1, clockMicros: Logger.systemClock, elapsedMicros: monotonicMicros())
    }

    /// The clock that `elapsedMicros` reads, from zero on.
    package static func monotonicMicros() -> () -> Int64 {
        let start = ContinuousClock.now
        return {
            let (seconds, attoseconds) = (ContinuousClock.now - start).components
            return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
        }
    }

    /// Text to standard output.
    func print(_ text: String) throws { try writeOutput(Array((text + "\n").utf8)) }

    /// A line to standard error.
    func note(_ text: String) { writeError(text + "\n") }
}
