import Config
import Testing

@Suite struct CommandArgumentsTests {
    private let syntax = CommandSyntax(
        command: "tidemark wal dump", summary: "Shows the records of a log.",
        options: [
            .value("data", "folder", help: "The data folder."), .value("limit", "n", help: "Records, at most."),
            .flag("verbose", help: "Show bodies too."),
        ],
        positionals: [.init("project", .one), .init("segment", .zeroOrMore)])

    @Test func optionsFlagsAndPositionalsMayStandInAnyOrder() throws {
        let arguments = try syntax.parse(["shop", "--data", "/d", "1", "--verbose", "--limit=5", "-", "--", "--data"])
        #expect(arguments.value("data") == "/d")
        #expect(try arguments.integer("limit", in: 1...10) == 5)
        #expect(arguments.has(flag: "verbose") && !arguments.isHelpRequested)
        #expect(arguments.positionals == ["shop", "1", "-", "--data"])
        let address = try arguments.value("data", expected: "host:port") { text in text == "/d" ? 1 : nil }
        #expect(address == 1)
    }

    @Test func anOptionThatMayRepeatHasAllItsValuesInOrder() throws {
        let syntax = CommandSyntax(command: "queryd", summary: "", options: [.values("config", "file", help: "")])
        let given = try syntax.parse(["--config", "b", "--config=a", "--config", "b"])
        #expect(given.values("config") == ["b", "a", "b"])
        #expect(try syntax.parse([]).values("config") == [])
    }

    @Test func whatIsNotGivenIsNil() throws {
        let arguments = try syntax.parse(["shop", "--limit="])
        #expect(arguments.value("data") == nil && arguments.value("limit") == "" && !arguments.has(flag: "verbose"))
    }

    @Test(arguments: [
        (["shop", "--dat", "x"], "unknown option --dat, did you mean --data?"),
        (["shop", "--zebra"], "unknown option --zebra"), (["shop", "-v"], "unknown option -v"),
        (["shop", "-data", "x"], "unknown option -data, did you mean --data?"),
        (["shop", "--data"], "--data needs a value"), (["shop", "--verbose=1"], "--verbose takes no value"),
        (["shop", "--data=a", "--data=b"], "--data is given twice"), ([], "<project> is missing"),
        (["shop", "--limit", "many"], #"--limit: expected a whole number from 1 to 10, found "many""#),
    ])
    func callsThatDoNotFitSayWhy(arguments: [String], expected: String) {
        let error = #expect(throws: UsageError.self) {
            _ = try syntax.parse(arguments).integer("limit", in: 1...10)
        }
        #expect(error?.description == expected)
        #expect(UsageError.exitCode == 64)
    }

    @Test(arguments: [
        (CommandSyntax.Positional.Count.one, [1]), (.zeroOrOne, [0, 1]), (.zeroOrMore, [0, 1, 2]),
        (.oneOrMore, [1, 2]),
    ])
    func positionalsAreCounted(count: CommandSyntax.Positional.Count, allowed: [Int]) {
        let syntax = CommandSyntax(command: "x", summary: "X.", positionals: [.init("name", count)])
        for given in 0...2 {
            let isAllowed = (try? syntax.parse([String](repeating: "a", count: given))) != nil
            #expect(isAllowed == allowed.contains(given))
        }
    }

    @Test(arguments: ["--help", "-h"])
    func helpDemandsNothingElse(argument: String) throws {
        #expect(try syntax.parse([argument]).isHelpRequested)
    }

    @Test func helpIsBuiltFromTheDeclarations() {
        #expect(
            syntax.helpText == """
                usage: tidemark wal dump [options] <project> [<segment>...]

                Shows the records of a log.

                options:
                  --data <folder>  The data folder.
                  --limit <n>      Records, at most.
                  --verbose        Show bodies too.
                  --help           Show this help.

                """)
    }
}
