import Config
import Files
import JSON
import TestSupport
import Testing

/// Sections in several files, and the dashboards among them.
@Suite struct SeveralFilesTests {
    private let folder = String(#filePath.dropLast("Tests/ConfigTests/SeveralFilesTests.swift".utf8.count)) + "config/"

    private func files(_ texts: (String, String)...) throws(ConfigError) -> ConfigFiles {
        try ConfigFiles(texts.map { ($0.0, Array($0.1.utf8)) }, environment: ["COUNTRY": "DE"])
    }

    private func message(_ texts: (String, String)...) -> String? {
        do throws(ConfigError) {
            _ = try ConfigFiles(texts.map { ($0.0, Array($0.1.utf8)) }, environment: [:]).dashboards()
            return nil
        } catch {
            return error.description
        }
    }

    @Test func bothFilesOfTheSeedAreReadTogether() throws {
        let paths = ["analytics_config.yaml", "dashboard_config.yaml", "tidemark.example.yaml"].map { folder + $0 }
        let files = try ConfigFiles(paths: paths, environment: [:], disk: .posix)
        #expect(try files.analytics().storageType == .postgresql)
        let dashboards = try files.dashboards()
        #expect(dashboards.map(\.key) == ["overview"])
        let json = dashboards.first.map { JSONValue.object($0.json) }
        #expect(json?["name"]?.asString == "Product Overview")
        #expect(json?["widgets"]?.asArray?.count == 4)
        #expect(json?["widgets"]?[2]?["order_by"] == ["count DESC"])
        #expect(json?["widgets"]?[3]?["funnel_steps"]?[1]?["filters"] == ["element_id": "signup_button"])
    }

    @Test func withoutTheSectionTheBuiltInDashboardIsTheSeeds() throws {
        let file = try ConfigFiles(paths: [folder + "dashboard_config.yaml"], environment: [:], disk: .posix)
        #expect(try ConfigFiles().dashboards().map(\.key) == file.dashboards().map(\.key))
        #expect(try ConfigFiles().dashboards().map(\.json) == file.dashboards().map(\.json))
        #expect(try files(("a.yaml", "dashboards: {}")).dashboards().isEmpty)
    }

    @Test func sectionsOfSeveralFilesAreOneConfiguration() throws {
        let files = try files(("a.yaml", "collector: {data: /d}"), ("b.yaml", "query: {threads: 3}"))
        #expect(try files.query().data == "/d" && files.query().threads == 3)
    }

    @Test func aSectionInTwoFilesIsAnErrorThatNamesBoth() {
        #expect(
            message(("a.yaml", "\nquery: {threads: 1}"), ("b.yaml", "\n\nquery: {}"))
                == #"b.yaml:3: section "query" stands in a.yaml:2 already"#)
        #expect(message(("a.yaml", "query:\n"), ("b.yaml", "query: {}")) == nil)
    }

    @Test func anUnknownSectionNamesItsFile() {
        #expect(
            message(("a.yaml", ""), ("b.yaml", "dashboard: {}"))
                == #"b.yaml:1: unknown key "dashboard", did you mean "dashboards"?"#)
    }

    @Test func scalarsBecomeTheJSONTheyReadAs() throws {
        let text = """
            dashboards:
              a: {i: 10, n: -1.5, t: true, f: false, z: null, e: , q: "10", s: 7_days, d: 2026-11-01, v: "${COUNTRY}",
                  x: 007, l: [1, a], o: {b: c}, minus: -, big: 1e400}
            """
        let json = try files(("a.yaml", text)).dashboards().first.map { JSONValue.object($0.json) }
        #expect(
            json == [
                "i": 10, "n": -1.5, "t": true, "f": false, "z": nil, "e": nil, "q": "10", "s": "7_days",
                "d": "2026-11-01", "v": "DE", "x": "007", "l": [1, "a"], "o": ["b": "c"], "minus": "-", "big": "1e400",
            ])
    }

    @Test func aRefusalNamesTheLineOfTheNearestMember() throws {
        let text = "dashboards:\n  a:\n    name: A\n    widgets:\n      - title: T\n        type: chart\n"
        let dashboard = try #require(try files(("a.yaml", text)).dashboards().first)
        for (path, line) in [("widgets[0].type", 6), ("widgets[0].metrics[1].field", 5), ("filters.x", 2), ("", 2)] {
            let key = "dashboards.a" + (path.isEmpty ? "" : ".\(path)")
            #expect(dashboard.error(at: path, "wrong").description == "a.yaml:\(line): \(key): wrong")
        }
    }

    @Test func aDashboardIsAMapping() {
        #expect(
            message(("a.yaml", "dashboards:\n  a: 5\n")) == "a.yaml:2: dashboards.a: expected a mapping, found number")
        #expect(message(("a.yaml", "dashboards: [1]")) == "a.yaml:1: dashboards: expected a mapping, found a list")
    }

    @Test func theEmbeddedDatabaseHasTwoNames() throws {
        for (word, type) in [("sqlite", "sqlite"), ("embedded", "sqlite"), ("postgresql", "postgresql")] {
            let files = try files(("a.yaml", "analytics: {storage: {type: \(word)}}"))
            #expect(try files.analytics().storageType.rawValue == type)
        }
    }
}
