import CommandLine
import Foundation

/// The command line.
@main
struct TidemarkProgram {
    static func main() {
        exit(TidemarkCommands.run(Array(Swift.CommandLine.arguments.dropFirst()), .standard()))
    }
}
