import Events
import Files
import TestSupport
import Testing
import Zones

@testable import CommandLine

@Suite struct DemoTests {
    private static let day = CivilDate(year: 2024, month: 3, day: 31)!

    private func events(_ change: (inout DemoSettings) -> Void = { _ in }) -> [Event] {
        var settings = DemoSettings(endDate: Self.day)
        settings.eventCount = 30_000
        change(&settings)
        var stream = DemoStream(settings)
        var events: [Event] = []
        while let hour = stream.nextHour() { events += hour }
        return events
    }

    private func value(_ event: Event, _ name: String) -> EventValue.Value? {
        event.values.first { $0.scope == .property && $0.name == name }?.value
    }

    @Test func theSameSeedGivesTheSameEventsAnotherSeedOthers() {
        let first = events { $0.eventCount = 3000 }
        #expect(events { $0.eventCount = 3000 } == first)
        #expect(events { ($0.eventCount, $0.seed) = (3000, 2) } != first)
    }

    @Test func thereAreAboutAsManyEventsAsAskedAndNoMoreInOrderAndWithinTheDays() {
        let all = events()
        #expect((29_000...30_000).contains(all.count))
        let first = Int64(Self.day.adding(days: -29).daysSinceEpoch) * 86_400_000_000
        #expect(all.allSatisfy { $0.timestampMicros >= first && $0.timestampMicros < first + 30 * 86_400_000_000 })
        #expect(zip(all, all.dropFirst()).allSatisfy { $0.timestampMicros <= $1.timestampMicros })
    }

    @Test func everyTypeOfTheProductComesUp() {
        let types = Set(events().map(\.type))
        #expect(types.isSuperset(of: [
            "page_view", "click", "submit", "sign_up", "sign_in", "sign_out", "feature_used", "purchase", "error",
            "custom", "$identify",
        ]))
    }

    @Test func theSignupFunnelNarrowsStepByStep() {
        func who(_ event: Event) -> String { event.anonymousID ?? event.userID ?? "" }
        let all = events()
        let steps: [(String, String, String)] = [
            ("page_view", "page_name", "signup"), ("click", "element_id", "signup_button"),
            ("submit", "form_name", "signup"), ("sign_up", "", ""),
        ]
        let counts = steps.map { type, name, text in
            Set(all.filter { $0.type == type && (name.isEmpty || value($0, name) == .string(text)) }.map(who)).count
        }
        #expect(counts[3] > 50)
        #expect(counts[0] > counts[1] && counts[1] > counts[2] && counts[2] > counts[3], "\(counts)")
        let joined = all.filter { $0.type == "$identify" }
        #expect(joined.count > counts[3] / 4 && joined.count < counts[3])
        #expect(joined.allSatisfy { $0.anonymousID != nil && $0.userID != nil })
    }

    @Test func usersDifferSessionsCrossMidnightAndSomeTimesTie() {
        let all = events()
        let perUser = Dictionary(grouping: all.compactMap(\.userID), by: \.self).mapValues(\.count).values.sorted()
        #expect(perUser[perUser.count / 2] * 5 < perUser[perUser.count - 1])
        let sessions = Dictionary(grouping: all, by: { $0.sessionID ?? "" })
        #expect(sessions.values.contains { Set($0.map { $0.timestampMicros / 86_400_000_000 }).count == 2 })
        #expect(sessions.values.contains { session in
            zip(session, session.dropFirst()).contains { $0.timestampMicros == $1.timestampMicros }
        })
    }

    @Test func purchasesAddUpInTwoCurrencies() throws {
        let purchases = events().filter { $0.type == "purchase" }
        let currencies = Set(purchases.map { "\(value($0, "currency")!)" })
        #expect(currencies == [#"string("EUR")"#, #"string("USD")"#])
        #expect(Set(purchases.map { "\(value($0, "purchase_id")!)" }).count == purchases.count)
    }

    @Test func nightsAndWeekendsAreQuiet() {
        let all = events()
        func count(hours: Range<Int64>) -> Int {
            all.count { hours.contains($0.timestampMicros / 3_600_000_000 % 24) }
        }
        #expect(count(hours: 9..<12) > 3 * count(hours: 1..<4))
        let days = Dictionary(grouping: all) { CivilDate(daysSinceEpoch: Int($0.timestampMicros / 86_400_000_000)) }
        let sunday = days.filter { $0.key.weekday == .sunday }.map(\.value.count).max() ?? 0
        let tuesday = days.filter { $0.key.weekday == .tuesday }.map(\.value.count).min() ?? 0
        #expect(sunday < tuesday)
    }

    @Test func itIsStoredAndCanBeWrittenAndImported() throws {
        let collector = try FakeCollector()
        defer { collector.stop() }
        let capture = Capture()
        let code = capture.run("demo", "--data", collector.folder.path, "--events", "3000", "--end", "2024-03-31")
        #expect(code == 0, "\(capture.error)")
        let sent = collector.content.events
        #expect(sent.count > 2500 && sent.allSatisfy { $0.eventID == nil })

        let path = collector.folder("demo.ndjson")
        #expect(capture.run("demo", "--events", "3000", "--end", "2024-03-31", "--out", path) == 0)
        #expect(capture.run("import", "--data", collector.folder.path, path) == 0, "\(capture.error)")
        var imported = Array(collector.content.events.dropFirst(sent.count))
        for index in imported.indices { imported[index].eventID = nil }
        // JSON has no way to tell 19.0 from 19; all else is the same.
        #expect(imported.map(\.timestampMicros) == sent.map(\.timestampMicros))
        #expect(imported.map(\.type) == sent.map(\.type))
        #expect(imported.map(\.values.count) == sent.map(\.values.count))
    }

    @Test func withoutAnEndItStopsAtTheLastFullHour() {
        let capture = Capture()
        let folder = TemporaryFolder()
        #expect(capture.run("demo", "--events", "2000", "--days", "2", "--out", folder("d.ndjson")) == 0)
        #expect(capture.run("import", "--dry-run", folder("d.ndjson")) == 0)
        // The console's clock stands at 2023-11-14T22:13:20Z.
        #expect(capture.output.contains("2023-11-13T"))
    }
}

@Suite struct BenchTests {
    @Test func eventsAreDurableAndCounted() throws {
        let collector = try FakeCollector()
        defer { collector.stop() }
        let capture = Capture()
        let code = capture.run(
            "bench", "ingest", "--data", collector.folder.path, "--seconds", "1", "--warmup", "0", "--batches", "10",
            "--connections", "2", "--window", "4", "--threads", "2", "--events-per-batch", "20")
        #expect(code == 0, "\(capture.error)")
        #expect(capture.output.contains("durable events/s"))
        #expect(collector.content.events.count > 100)
    }

    @Test func quantilesAreWithinSixPercent() {
        var histogram = LatencyHistogram()
        for micros in 1...100_000 { histogram.add(micros: Int64(micros)) }
        for share in [0.01, 0.5, 0.9, 0.99, 1] {
            let expected = share * 100_000
            let actual = Double(histogram.quantileMicros(share))
            #expect(actual >= expected && actual <= expected * 1.07, "\(share): \(actual)")
        }
        #expect(LatencyHistogram().quantileMicros(0.5) == 0)
        histogram.add(micros: .max)
        histogram.add(micros: -1)
        #expect(histogram.quantileMicros(1) == .max)
    }
}
