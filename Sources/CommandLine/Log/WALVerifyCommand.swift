import Config
import Files
import WAL

extension Command {
    /// `tidemark wal verify`.
    static let walVerify = Command(
        "wal verify", "Check every checksum of a log.",
        notes: """
            Checks headers, directories, bodies, footers, the chain of segments, the sources files and the
            durable mark. Reads only; the collector may be running.

            Exit codes: 0 all is well; 2 the end is torn beyond what is durable, as a crash leaves it; 3
            corrupt.
            """,
        examples: [
            "tidemark wal verify", "tidemark wal verify --decode backup/wal",
            "tidemark wal verify 0000000000000001.wal",
        ],
        options: [
            CollectorAccess.dataOption, .flag("decode", help: "Decode every batch too."),
            .flag("quiet", help: "Say nothing if all is well."),
        ],
        positionals: [LogFiles.positional],
        run: { invocation in
            let (verifier, lastDurable) = try verify(invocation.arguments)
            for problem in verifier.problems { try invocation.console.print(problem.text) }
            if verifier.problems.isEmpty, invocation.arguments.has(flag: "quiet") { return .done }
            let parts = [
                Figures.grouped(verifier.recordCount) + " records", Figures.grouped(verifier.eventCount) + " events",
                Figures.grouped(verifier.bodyCount) + " bodies", Figures.bytes(Double(verifier.byteCount)),
                lastDurable.map { "durable through record \($0)" },
                "\(verifier.problems.count) problem" + (verifier.problems.count == 1 ? "" : "s"),
            ]
            try invocation.console.print(parts.compactMap(\.self).joined(separator: ", "))
            return verifier.exitCode
        })

    /// A live collector writes behind the mark: what looks torn is looked at again while the mark moves.
    private static func verify(_ arguments: CommandArguments) throws -> (LogVerifier, lastDurable: UInt64?) {
        let path = logPath(arguments)
        var attempts = 0
        while true {
            let files = try LogFiles(path, disk: .posix)
            var verifier = LogVerifier(decodesBatches: arguments.has(flag: "decode"), disk: .posix)
            try verifier.verify(files)
            attempts += 1
            guard verifier.exitCode == .partial, let folder = files.folder, attempts < 5,
                try DurableMark.read(in: folder, disk: .posix) != files.mark
            else { return (verifier, files.mark?.sequence) }
        }
    }
}
