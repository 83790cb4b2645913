extension CommandSyntax {
    /// Runs a program: shows the help if asked for, else calls `body` with what was given.
    /// - Parameter complain: takes a line for standard error.
    /// - Returns: what `body` returns; 0 after the help; 64 for wrong arguments and 1 for an error, which are told.
    package func run(
        _ arguments: [String], complain: ([UInt8]) -> Void, _ body: (CommandArguments) throws -> Int32
    ) -> Int32 {
        do {
            let parsed = try parse(arguments)
            guard !parsed.isHelpRequested else {
                print(helpText)
                return 0
            }
            return try body(parsed)
        } catch let error as UsageError {
            complain(Array("\(command): \(error)\ntry: \(command) --help\n".utf8))
            return UsageError.exitCode
        } catch {
            complain(Array("\(command): \(error)\n".utf8))
            return 1
        }
    }
}
