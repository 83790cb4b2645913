import Testing

@testable import Events

@Suite struct ContentTests {
    private static let now: Int64 = 1_736_640_000_000_000
    private static let hour: Int64 = 3_600_000_000

    private func verdicts(_ events: [Event], offset: Int64 = 0) throws -> [ContentVerdict] {
        let batch = try decode(try encode(events, .raw))
        return contentVerdicts(of: batch, receivedAtMicros: ContentTests.now, clockOffsetMicros: offset)
    }

    private func at(_ time: Int64) -> Event { Event(type: "t", timestampMicros: time) }

    @Test func timesOutsideTheAllowedRangeCostTheirEventOnly() throws {
        let now = ContentTests.now
        let hour = ContentTests.hour
        let events = [
            at(now), at(now + hour), at(now + hour + 1), at(31_536_000_000_000), at(31_536_000_000_000 - 1), at(0),
            at(.min), at(.max), at(now),
        ]
        let verdicts = try verdicts(events)
        #expect(verdicts == [2, 4, 5, 6, 7].map { ContentVerdict(index: $0, code: .future) })
    }

    @Test func aClockThatIsOffByMoreThanTwoSecondsIsCorrectedFirst() throws {
        let late = at(ContentTests.now + 2 * ContentTests.hour)
        let uncorrected = try verdicts([late])
        #expect(uncorrected.count == 1)
        let corrected = try verdicts([late], offset: 2 * ContentTests.hour)
        #expect(corrected.isEmpty)
        let small = try verdicts([at(ContentTests.now + ContentTests.hour + 1_000_000)], offset: 2_000_000)
        #expect(small.count == 1)
        for offset in [Int64.min, Int64.max] {
            let extreme = try verdicts([at(.min), at(.max), at(0)], offset: offset)
            #expect(!extreme.isEmpty)
        }
    }

    @Test func aReservedTypeNeedsItsIDs() throws {
        let ids: [(String, (inout Event) -> Void)] = [
            ("u", { $0.userID = "u" }), ("a", { $0.anonymousID = "a" }), ("g", { $0.groupKey = "g" }),
            ("p", { $0.values = [EventValue(.property, "previous_id", .string("p"))] }),
        ]
        // What of user id, anonymous id, group key and previous id is enough, by protocol/batch.md §9.
        let enough: [ReservedType: (Set<String>) -> Bool] = [
            .identify: { $0.isSuperset(of: ["u", "a"]) }, .alias: { $0.isSuperset(of: ["u", "p"]) },
            .group: { $0.contains("g") && !$0.isDisjoint(with: ["u", "a"]) },
            .setTraits: { !$0.isDisjoint(with: ["u", "a"]) }, .signOut: { $0.contains("a") },
            .reset: { $0.contains("a") }, .consent: { !$0.isDisjoint(with: ["u", "a"]) },
        ]
        for type in ReservedType.allCases {
            let isEnough = try #require(enough[type])
            for mask in 0..<16 {
                var event = Event(type: type.rawValue, timestampMicros: ContentTests.now)
                var given: Set<String> = []
                for (index, (name, change)) in ids.enumerated() where mask >> index & 1 == 1 {
                    change(&event)
                    given.insert(name)
                }
                let verdicts = try verdicts([at(ContentTests.now), event])
                let expected = isEnough(given) ? [] : [ContentVerdict(index: 1, code: .schema)]
                #expect(verdicts == expected, "\(type) with \(given)")
            }
        }
    }

    @Test func unknownReservedTypesCostTheirEventOnly() throws {
        var odd = at(ContentTests.now)
        odd.type = "$identity"
        var dollar = at(ContentTests.now)
        dollar.type = "$"
        // A text with a dollar that is no type is nobody's business.
        var harmless = at(ContentTests.now)
        harmless.userID = "$identity"
        let verdicts = try verdicts([harmless, odd, dollar])
        #expect(verdicts == [1, 2].map { ContentVerdict(index: $0, code: .schema) })
    }

    @Test(arguments: [EventValue.Value.string(""), .string(String(repeating: "a", count: 513)), .int64(1)])
    func aPreviousIDIsAnID(value: EventValue.Value) throws {
        var event = Event(type: "$alias", timestampMicros: ContentTests.now)
        event.userID = "u"
        event.values = [EventValue(.property, "previous_id", value)]
        let verdicts = try verdicts([event])
        #expect(verdicts == [ContentVerdict(index: 0, code: .schema)])
    }
}
