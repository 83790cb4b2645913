import Bytes
import TestSupport
import Testing

@testable import Events

/// The plan against a reading of its rules event by event, and what each mode makes of a violation.
@Suite struct TrackingPlanTests {
    private static let now: Int64 = 1_736_640_000_000_000

    private static let types: [TrackingPlan.EventType] = [
        .init("page_view", properties: [.init("url"), .init("referrer"), .init("page_name")]),
        .init(
            "purchase",
            properties: [
                .init("amount", type: .number, isRequired: true), .init("currency", type: .string),
                .init("items", type: .json), .init("gift", type: .boolean), .init("url"),
            ]),
        .init("legacy", isEnabled: false, properties: [.init("url", isRequired: true)]),
        .init("bare"),
    ]

    private func plan(_ mode: TrackingPlan.Mode, strict: Bool = false) -> TrackingPlan {
        TrackingPlan(mode: mode, isStrict: strict, types: Self.types)
    }

    private func judgement(_ events: [Event], _ plan: TrackingPlan) throws -> PlanJudgement {
        var judge = PlanJudge(plan)
        return judge.judge(try decode(try encode(events, .raw)), [])
    }

    private func event(_ type: String, _ properties: [(String, EventValue.Value)] = []) -> Event {
        var event = Event(type: type, timestampMicros: Self.now)
        event.userID = "u"
        event.values = properties.map { EventValue(.property, $0.0, $0.1) }
        return event
    }

    /// What is wrong with one event, the gravest first.
    private func violation(_ event: Event, _ plan: TrackingPlan) -> PlanViolation? {
        if event.type.hasPrefix("$") { return nil }
        guard let type = Self.types.first(where: { $0.name == event.type }) else {
            return plan.isStrict && plan.mode != .off ? .undeclaredType : nil
        }
        if !type.isEnabled { return .disabledType }
        if plan.mode == .off { return nil }
        var found: Set<PlanViolation> = []
        let values = event.values.filter { $0.scope == .property }
        for property in type.properties where property.isRequired {
            if !values.contains(where: { $0.name == property.name }) { found.insert(.missingProperty) }
        }
        for value in values {
            guard let property = type.properties.first(where: { $0.name == value.name }) else {
                found.insert(.undeclaredProperty)
                continue
            }
            let isRight: Bool
            switch (property.type, value.value) {
            case (nil, _), (_, .json("null")), (.string, .string), (.boolean, .bool), (.json, .json): isRight = true
            case (.number, .int64), (.number, .float64): isRight = true
            default: isRight = false
            }
            if !isRight { found.insert(.wrongType) }
        }
        return found.min { $0.rawValue < $1.rawValue }
    }

    private func randomEvents(_ random: inout SeededRandom, count: Int) -> [Event] {
        let types = ["page_view", "purchase", "legacy", "bare", "other", "$set_traits"]
        let names = ["url", "referrer", "amount", "currency", "items", "gift", "secret", "null"]
        // Some batches keep to the plan nearly everywhere.
        let chance = [0.02, 0.2, 0.6].randomElement(using: &random) ?? 0.2
        return (0..<count).map { _ in
            var event = event(types.randomElement(using: &random) ?? "other")
            for name in names where random.chance(chance) {
                let values: [EventValue.Value] = [
                    .bool(true), .int64(5), .float64(0.5), .string("null"), .string("text"), .json("null"),
                    .json("[1]"),
                ]
                let scope: EventValue.Scope = random.chance(0.8) ? .property : .trait
                event.values.append(EventValue(scope, name, values.randomElement(using: &random) ?? .bool(true)))
            }
            if event.type == "purchase", random.chance(0.7), !event.values.contains(where: { $0.name == "amount" }) {
                event.values.append(EventValue(.property, "amount", .int64(1)))
            }
            return event
        }
    }

    @Test(arguments: TrackingPlan.Mode.allCases, [false, true])
    func everyEventIsJudgedByItself(mode: TrackingPlan.Mode, strict: Bool) throws {
        let plan = plan(mode, strict: strict)
        var judge = PlanJudge(plan)
        var violationCount = 0
        for seed in 1...60 as ClosedRange<UInt64> {
            var random = SeededRandom(seed: seed)
            let events = randomEvents(&random, count: Int.random(in: 1...200, using: &random))
            let content = events.indices.filter { _ in random.chance(0.05) }
                .map { ContentVerdict(index: $0, code: .future) }
            let judgement = judge.judge(try decode(try encode(events, .raw)), content)
            var expected = content
            var counts: [String: Int] = [:]
            for (index, event) in events.enumerated() where !content.contains(where: { $0.index == index }) {
                guard let kind = violation(event, plan) else { continue }
                violationCount += 1
                let isDeclared = Self.types.contains { $0.name == event.type }
                counts["\(isDeclared ? event.type : "?") \(kind)", default: 0] += 1
                if kind == .disabledType || mode == .reject {
                    expected.append(ContentVerdict(index: index, code: .schema))
                } else if mode == .quarantine {
                    expected.append(ContentVerdict(index: index, code: .quarantined(kind)))
                }
            }
            expected.sort { $0.index < $1.index }
            #expect(judgement.verdicts == expected, "seed \(seed)")
            var found: [String: Int] = [:]
            for count in judgement.counts { found["\(count.eventType ?? "?") \(count.kind)"] = count.events }
            #expect(found == counts, "seed \(seed)")
        }
        #expect(violationCount > 100)
    }

    @Test(arguments: [false, true], [BatchEncoder.Codec.raw, .zstd(level: 3)])
    func strippingLeavesTheEventsWithoutWhatNobodyDeclared(strict: Bool, codec: BatchEncoder.Codec) throws {
        let plan = plan(.strip, strict: strict)
        var judge = PlanJudge(plan)
        var rewrittenCount = 0
        for seed in 1...60 as ClosedRange<UInt64> {
            var random = SeededRandom(seed: seed)
            let events = randomEvents(&random, count: Int.random(in: 1...100, using: &random))
            let bytes = try encode(events, codec)
            let batch = try decode(bytes)
            let header: BatchHeader.Codec = codec == .raw ? .raw : .zstd
            let rewritten = try judge.judge(batch, []).rewritten(batch, codec: header)
            let expected = events.map { event in
                var event = event
                let type = Self.types.first { $0.name == event.type }
                let isUndeclared = type == nil && strict && !event.type.hasPrefix("$")
                event.values.removeAll { value in
                    guard value.scope == .property, type?.isEnabled ?? isUndeclared else { return false }
                    return type?.properties.contains { $0.name == value.name } != true
                }
                return event
            }
            guard let rewritten else {
                #expect(expected.map(\.values) == events.map(\.values), "seed \(seed)")
                continue
            }
            rewrittenCount += 1
            #expect(rewritten[1] == header.rawValue)
            let canonical = try encode(expected, codec)
            let isCanonical = try decode(rewritten) == decode(canonical)
            #expect(isCanonical, "seed \(seed)")
        }
        #expect(rewrittenCount > 20)
    }

    @Test func textThatIsStrippedIsNotInTheBatch() throws {
        var shared = event("page_view", [("url", .string("shared text")), ("secret", .string("shared text"))])
        shared.userID = "someone"
        let events = [
            shared, event("page_view", [("secret", .string("hidden text")), ("token name", .json("\"hidden json\""))]),
        ]
        var judge = PlanJudge(plan(.strip))
        let batch = try decode(try encode(events, .raw))
        let rewritten = try #require(try judge.judge(batch, []).rewritten(batch, codec: .raw))
        let text = String(decoding: rewritten, as: UTF8.self)
        #expect(!text.contains("hidden") && !text.contains("secret") && !text.contains("token"))
        #expect(text.contains("shared text") && text.contains("someone"))
    }

    @Test func aBatchThatKeepsToThePlanIsLeftAlone() throws {
        let good = [
            event("page_view", [("url", .string("/"))]), event("other", [("anything", .int64(1))]),
            event("purchase", [("amount", .float64(9.5)), ("currency", .json("null"))]), event("$set_traits"),
        ]
        for mode in TrackingPlan.Mode.allCases {
            let judgement = try judgement(good, plan(mode))
            #expect(judgement == PlanJudgement(), "\(mode)")
        }
        let nothing = try judgement(good, TrackingPlan())
        #expect(nothing == PlanJudgement())
    }

    /// Damage makes batches no encoder would: strings that stand twice, columns in many types, ids anywhere.
    @Test(arguments: [TrackingPlan.Mode.strip, .quarantine])
    func whateverIsDecodedIsJudgedAndKept(mode: TrackingPlan.Mode) throws {
        var random = SeededRandom(seed: 11)
        let bytes = try encode(randomEvents(&random, count: 30), .raw)
        var judge = PlanJudge(plan(mode, strict: true))
        var (judgedCount, rewrittenCount) = (0, 0)
        for bit in 0..<(bytes.count * 8) {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            guard let batch = try? decode(damaged) else { continue }
            judgedCount += 1
            let judgement = judge.judge(batch, [])
            #expect(judgement.verdicts.allSatisfy { (0..<batch.eventCount).contains($0.index) })
            guard let rewritten = try judgement.rewritten(batch, codec: .raw) else { continue }
            rewrittenCount += 1
            let kept = try decode(rewritten)
            #expect(kept.eventCount == batch.eventCount && kept.timestampsMicros == batch.timestampsMicros)
            #expect(judge.judge(kept, []).stripped.isEmpty, "bit \(bit): nothing is left to strip")
        }
        #expect(judgedCount > 500 && (mode != .strip || rewrittenCount > 500))
    }

    @Test func whatAnUnknownColumnSaysIsNotKeptBesideStrippedStrings() throws {
        var bytes = try encode([event("page_view", [("secret", .string("hidden text"))])], .raw)
        // Kind 40, two bytes, behind the last of fewer than 127 columns.
        let stringBytes = "page_viewusecrethidden text".utf8.count
        let columnCount = BatchHeader.byteCount + 1 + 4 + stringBytes
        bytes[columnCount] += 1
        bytes += [40, 2, 7, 7]
        bytes[8] += 4
        let batch = try decode(bytes)
        #expect(batch.unknownColumns.count == 1)
        var judge = PlanJudge(plan(.strip))
        let rewritten = try #require(try judge.judge(batch, []).rewritten(batch, codec: .raw))
        #expect(try decode(rewritten).unknownColumns.isEmpty)
    }

    @Test func manyNamesAreFound() {
        var table = NameTable()
        for index in 0..<1000 { #expect(table.add("name \(index)") == index) }
        for index in 0..<1000 { #expect(table.add("name \(index)") == index && table.name(index) == "name \(index)") }
        let unknown = Array("name 1000".utf8)
        let found = table.index(of: unknown.rawSpan)
        #expect(found == nil && table.count == 1000)
    }

    @Test func everyCodeOfTheLogIsReadAgain() {
        let codes: [ContentVerdict.Code] = [.schema, .future]
            + PlanViolation.allCases.filter { $0 != .disabledType }.map { .quarantined($0) }
        for code in codes { #expect(ContentVerdict.Code(rawValue: code.rawValue) == code) }
        #expect([0, 1, 3, 4, 6, 32, 37, 255].allSatisfy { ContentVerdict.Code(rawValue: $0) == nil })
    }
}
