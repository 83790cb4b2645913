import Config
import Files
import TestSupport
import Testing

@Suite struct ConfigFilesTests {
    private let folder = String(#filePath.dropLast("Tests/ConfigTests/ConfigFilesTests.swift".utf8.count)) + "config/"

    private func file(_ text: String, _ environment: [String: String] = [:]) throws(ConfigError) -> ConfigFiles {
        try ConfigFiles([("config.yaml", Array(text.utf8))], environment: environment)
    }

    private func message(_ text: String, _ environment: [String: String] = [:]) -> String? {
        do throws(ConfigError) {
            let file = try file(text, environment)
            _ = try (file.analytics(), file.collector(), file.query())
            return nil
        } catch {
            return error.description
        }
    }

    @Test func aMisspeltFileOfTLSIsNamedWithTheNearestKey() {
        let told = message("query:\n  tls: {certificat: server.pem, key: server.key}\n")
        #expect(told == "config.yaml:2: unknown key \"certificat\", did you mean \"certificate\"?")
        let missing = message("query:\n  tls:\n    key: server.key\n")
        #expect(missing?.contains("query.tls.certificate: expected a file") == true)
    }

    @Test func withoutAFileEverythingHasItsDefault() throws {
        #expect(try ConfigFiles().analytics() == AnalyticsConfig())
        let collector = try ConfigFiles().collector()
        #expect(collector == CollectorConfig())
        #expect(collector.listen.description == "127.0.0.1:7311" && collector.socket == "./data/collector.sock")
        #expect(try ConfigFiles().query() == QueryConfig())
        #expect(try file("# nothing\n").query() == QueryConfig())
    }

    @Test func theExampleOfTheAnalyticsSectionIsRead() throws {
        let file = try ConfigFiles(paths: [folder + "analytics_config.yaml"], environment: [:], disk: .posix)
        let config = try file.analytics()
        #expect(config.tracking.isEnabled && config.tracking.batchSize == 100)
        #expect(config.tracking.flushInterval == .seconds(5))
        #expect(config.events.keys.sorted() == ["click", "error", "feature_used", "page_view", "purchase"])
        #expect(config.events["purchase"]?.properties.map(\.name) == ["purchase_id", "amount", "currency", "items"])
        #expect(config.storageType == .postgresql && config.connection.port == 5432)
        let retention = config.retention
        #expect([retention.eventsDays, retention.sessionsDays, retention.usersDays] == [365, 90, 3650])
        #expect(config.identity.mergeWindowDays == 30)
        #expect(config.privacy.anonymizesIP && !config.privacy.hashesUserID && config.privacy.isGDPRCompliant)
        // The variables are looked for only where their values are used.
        #expect(throws: ConfigError.self) { try config.connection.username?.expanded([:]) }
        #expect(try config.connection.password?.expanded(["DB_PASSWORD": "s3cret"]) == "s3cret")
    }

    @Test func theCommentedExampleShowsEveryKeyWithItsDefault() throws {
        let path = folder + "tidemark.example.yaml"
        let asIs = try ConfigFiles(paths: [path], environment: [:], disk: .posix)
        #expect(try asIs.collector() == CollectorConfig())
        let text = String(decoding: try Disk.posix.contents(path), as: UTF8.self)
        let lines = text.split(separator: "\n").map { line in
            line.hasPrefix("  #") && !line.hasPrefix("  # ") ? "  " + line.dropFirst(3) : line
        }
        let uncommented = try file(lines.joined(separator: "\n"))
        #expect(try uncommented.collector() == CollectorConfig())
        var query = QueryConfig()
        query.threads = 4
        #expect(try uncommented.query() == query)
        #expect(lines.filter { $0.hasPrefix("  ") && !$0.hasPrefix("  #") }.count == 21)
    }

    @Test func theCommentedAnalyticsSectionShowsEveryKey() throws {
        let path = folder + "analytics.example.yaml"
        let asIs = try ConfigFiles(paths: [path], environment: [:], disk: .posix).analytics()
        #expect(asIs == AnalyticsConfig())
        let text = String(decoding: try Disk.posix.contents(path), as: UTF8.self)
        let lines = text.split(separator: "\n").map { line in
            let rest = line.drop { $0 == " " }
            guard rest.hasPrefix("#"), !rest.hasPrefix("# "), rest != "#" else { return String(line) }
            return String(line.prefix(line.count - rest.count) + rest.dropFirst())
        }
        let shown = try file(lines.joined(separator: "\n")).analytics()
        #expect(shown.tracking == asIs.tracking && shown.storageType == asIs.storageType)
        #expect(shown.identity == asIs.identity && shown.privacy == asIs.privacy)
        #expect(shown.connection.host == asIs.connection.host && shown.retention.usersDays == 3650)
        #expect(
            shown.events["purchase"]?.properties == [
                .init(name: "purchase_id"), .init(name: "amount", type: .number),
                .init(name: "currency", isRequired: true),
            ])
        let keys = lines.filter { $0.hasPrefix("    ") && !$0.contains("#") && !$0.hasSuffix(":") }
        #expect(keys.count == 21, "\(keys)")
    }

    @Test func aPlanIsReadInEveryForm() throws {
        let config = try file(
            """
            analytics:
              tracking: {plan: quarantine, strict: true}
              events:
                purchase:
                  properties:
                    - currency
                    - amount: number
                    - {name: items, type: json, required: true}
                    - name: string
                    - {name: gift, required: true}
                click: {enabled: false}
                tick:
            """
        ).analytics()
        #expect(config.tracking.plan == .quarantine && config.tracking.isStrict)
        #expect(
            config.events["purchase"]?.properties == [
                .init(name: "currency"), .init(name: "amount", type: .number),
                .init(name: "items", type: .json, isRequired: true), .init(name: "name", type: .string),
                .init(name: "gift", isRequired: true),
            ])
        let tick = config.events["tick"]
        #expect(config.events["click"]?.isEnabled == false && tick?.isEnabled == true && tick?.properties == [])
        let tracking = try file("analytics: {}").analytics().tracking
        #expect(tracking.plan == .warn && !tracking.isStrict && tracking.isEnabled)
    }

    @Test func settingsThatAskInVainAreNamed() throws {
        func keys(_ text: String) throws -> [String] { try file(text).analytics().keysWithoutEffect }
        let seeds = try ConfigFiles(
            paths: [folder + "analytics_config.yaml"], environment: [:], disk: .posix
        ).analytics()
        #expect(
            seeds.keysWithoutEffect
                == [
                    "storage.retention.events", "storage.retention.sessions", "storage.retention.users",
                    "identity.enabled",
                    "identity.merge_window", "privacy.anonymize_ip", "privacy.gdpr_compliance",
                ].map { "analytics." + $0 })
        #expect(try keys("analytics: {privacy: {anonymize_ip: false, hash_user_id: false}}") == [])
        #expect(try keys("analytics: {storage: {connection: {port: 1}}}") == ["analytics.storage.connection.port"])
        #expect(try keys("analytics: {privacy: {hash_user_id: true}}") == ["analytics.privacy.hash_user_id"])
        #expect(try keys("analytics: {identity: {enabled: false, merge_window: 3}, storage: {type: sqlite}}") == [])
        #expect(try keys("analytics: {storage: {retention: {events: null}}, tracking: {batch_size: 100}}") == [])
        #expect(try keys("analytics: {tracking: {batch_size: 50, sessions: idle_30_minutes, plan: strip}}") == [])
        #expect(
            try keys("analytics: {events: {$identify: {properties: [a]}, click: {properties: [a]}}}")
                == ["analytics.events.$identify.properties"])
        #expect(try keys("collector: {}") == [])
    }

    @Test func everyKeyIsTakenFromTheFile() throws {
        let file = try file(
            """
            collector: {data: /d, listen: "[::1]:1", http: "h:0", segment_bytes: 1 MiB, compact_interval: 90,
                        compact_bytes: 2MiB, compact_events: 5000, connections_max: 7}
            query: {listen: "x:2", threads: 3, memory_budget: 1 GiB, tail_memory: 32 MiB, timeout: 500ms}
            """)
        let collector = try file.collector()
        #expect(collector.listen == ListenAddress(host: "::1", port: 1) && collector.listen.description == "[::1]:1")
        #expect(collector.socket == "/d/collector.sock" && collector.tokenFile == "/d/tokens")
        #expect(collector.http == ListenAddress(host: "h", port: 0))
        #expect(collector.segmentBytes == 1 << 20 && collector.compactBytes == 2 << 20)
        #expect(collector.compactEvents == 5000)
        #expect(collector.compactInterval == .seconds(90) && collector.connectionsMax == 7)
        let query = try file.query()
        #expect(query.data == "/d" && query.listen.port == 2 && query.threads == 3)
        #expect(query.memoryBudgetBytes == 1 << 30 && query.tailMemoryBytes == 32 << 20)
        #expect(query.timeout == .milliseconds(500))
    }

    @Test(arguments: [
        ("colector: {}\n", #"config.yaml:1: unknown key "colector", did you mean "collector"?"#),
        (
            "\ncollector:\n  segment_byte: 1\n",
            #"config.yaml:3: unknown key "segment_byte", did you mean "segment_bytes"?"#
        ),
        ("query:\n  zebra: 1\n", #"config.yaml:2: unknown key "zebra""#),
        (
            "analytics:\n  events:\n    click: {enable: true}\n",
            #"config.yaml:3: unknown key "enable", did you mean "enabled"?"#
        ),
        ("query: 5\n", #"config.yaml:1: query: expected a mapping, found "5""#),
        ("- a\n", "config.yaml:1: the top level: expected a mapping, found a list"),
        ("collector:\n  listen: 7311\n", #"config.yaml:2: collector.listen: expected host:port, found "7311""#),
        ("query: {threads: 0}\n", #"config.yaml:1: query.threads: expected a whole number from 1 to 1024, found "0""#),
        (
            "query: {threads: [1]}\n",
            "config.yaml:1: query.threads: expected a whole number from 1 to 1024, found a list"
        ),
        (
            "analytics: {privacy: {anonymize_ip: yes}}\n",
            #"config.yaml:1: analytics.privacy.anonymize_ip: expected true or false, found "yes""#
        ),
        (
            "analytics: {storage: {type: mysql}}\n",
            #"config.yaml:1: analytics.storage.type: expected sqlite or embedded or postgresql, found "mysql""#
        ),
        (
            "analytics: {events: {click: {properties: x}}}\n",
            #"config.yaml:1: analytics.events.click.properties: expected a list, found "x""#
        ),
        (
            "analytics: {tracking: {plan: drop}}\n",
            "config.yaml:1: analytics.tracking.plan: expected off or warn or strip or quarantine or reject, "
                + "found \"drop\""
        ),
        (
            "analytics: {tracking: {strickt: true}}\n",
            #"config.yaml:1: unknown key "strickt", did you mean "strict"?"#
        ),
        (
            "analytics:\n  events:\n    buy:\n      properties:\n        - {name: a, typ: number}\n",
            #"config.yaml:5: unknown key "typ", did you mean "type"?"#
        ),
        (
            "analytics:\n  events:\n    buy:\n      properties:\n        - a\n        - a: number\n",
            #"config.yaml:6: key "a" occurs twice"#
        ),
        (
            "analytics: {events: {buy: {properties: [{a: int}]}}}\n",
            "config.yaml:1: analytics.events.buy.properties.a: expected string or number or boolean or json, "
                + "found \"int\""
        ),
        (
            "analytics: {events: {buy: {properties: [{type: number, required: true}]}}}\n",
            "config.yaml:1: analytics.events.buy.properties: expected a name of 1 to 255 bytes, found "
        ),
        (
            "collector:\n  data: ${TIDEMARK_DATA}\n",
            "config.yaml:2: collector.data: the environment variable TIDEMARK_DATA is not set"
        ),
        (
            "collector: {data: '${A-b}'}\n",
            #"config.yaml:1: collector.data: expected ${NAME} or ${NAME:-default}, found "${A-b}""#
        ),
        (
            "analytics: {identity: {merge_window: 12h}}\n",
            #"config.yaml:1: analytics.identity.merge_window: expected a number of days from 1 to 36500, found "12h""#
        ),
    ])
    func errorsNameFileLineKeyAndWhatWasExpected(text: String, expected: String) {
        #expect(message(text) == expected)
    }

    @Test func variablesAreExpandedAndTheirValuesAreNot() throws {
        let environment = ["HOST": "db", "EMPTY": "", "NESTED": "${HOST}"]
        for (text, expected) in [
            ("${HOST}", "db"), ("a${HOST}b${HOST}", "adbbdb"), ("${NONE:-x}", "x"), ("${EMPTY:-x}", "x"),
            ("${EMPTY}", ""),
            ("${NESTED}", "${HOST}"), ("$HOST $ 5$", "$HOST $ 5$"), ("${NONE:-}", ""), ("${HOST:-x}", "db"),
        ] {
            let file = try file("collector: {data: '\(text)'}", environment)
            #expect(try file.collector().data == expected, "\(text)")
        }
        for text in ["${", "${}", "${1A}", "${A B}", "${HOST:x}"] {
            #expect(throws: ConfigError.self) { try file("collector: {data: '\(text)'}", environment).collector() }
        }
    }

    @Test func anotherProgramsUnsetVariableIsNoError() throws {
        let file = try file("collector: {data: /d, socket: '${UNSET}'}\nquery: {timeout: 5s}\n")
        #expect(try file.query().data == "/d")
        #expect(throws: ConfigError.self) { try file.collector() }
    }

    @Test func aFileThatIsNotThereIsNamed() {
        let error = #expect(throws: ConfigError.self) {
            try ConfigFiles(paths: ["/nowhere/c.yaml"], environment: [:], disk: .posix)
        }
        #expect(error?.description == "cannot open /nowhere/c.yaml: No such file or directory")
    }
}
