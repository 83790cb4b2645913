import Events
import JSON
import Table
import Testing

@testable import Query

/// The rules of docs/questions.md, each worked by hand.
@Suite struct AggregateRuleTests {
    private func answer(_ events: [Event], _ json: JSONValue, clock: String = "2024-06-01") throws -> Answer {
        let fixture = try TableFixture()
        let half = events.count / 2
        // Half from files, half from the log.
        if half > 0 {
            try fixture.commit(Array(events[..<half]), nowMicros: micros(clock) - 1)
            try fixture.publish()
        }
        if half < events.count { try fixture.commit(Array(events[half...]), nowMicros: micros(clock)) }
        return try QueryEngine.answer(try question(json), try fixture.snapshot())
    }

    private func error(_ body: () throws -> Answer) -> QueryError? {
        do {
            _ = try body()
            return nil
        } catch { return error as? QueryError }
    }

    private let noon = "2024-03-01T12:00:00Z"

    @Test func theDashboardsWidgetsAreUnderstoodAsTheyStand() throws {
        let events = [
            event("feature_used", "2024-03-19T10:00:00Z", user: "u1", [("feature_name", .string("search"))]),
            event("feature_used", "2024-03-19T11:00:00Z", user: "u1", [("feature_name", .string("search"))]),
            event("feature_used", "2024-03-19T11:00:00Z", user: "u2", [("feature_name", .string("export"))]),
            event("feature_used", "2024-03-19T12:00:00Z", user: "u3", [("feature_name", .string("export"))]),
            event("page_view", "2024-03-20T11:00:00Z", anonymous: "a1"),
            event("page_view", "2024-01-20T11:00:00Z", user: "u9"),
        ]
        let total: JSONValue = [
            "kind": "aggregate", "filters": ["start_date": "30_days_ago", "end_date": "today"],
            "metrics": [["type": "count_distinct", "field": "user_id"]],
        ]
        let answer = try answer(events, total)
        #expect(answer.columns == ["count_distinct_user_id"])
        #expect(answer.rows == [[4]])
        let adoption: JSONValue = [
            "kind": "aggregate",
            "filters": ["start_date": "30_days_ago", "end_date": "today", "event_type": "feature_used"],
            "dimensions": ["properties.feature_name"],
            "metrics": [["type": "count_distinct", "field": "user_id"]],
            "group_by": ["properties.feature_name"], "order_by": ["count DESC"],
        ]
        #expect(try self.answer(events, adoption).rows == [["export", 2], ["search", 1]])
    }

    @Test func anAnswerSaysWhatItDoesNotReach() throws {
        var limits = TailLimits()
        limits.memoryBytes = 1
        let fixture = try TableFixture(tail: limits)
        for _ in 0..<3 { try fixture.commit([event("a", noon, user: "u")], nowMicros: micros(noon)) }
        let json = try QueryEngine.answer(try question(["kind": "aggregate"]), try fixture.snapshot()).json
        #expect(json["rows"]?[0]?["count"] == 1)
        #expect(json["meta"]?["behind"] == ["records": 2, "reason": "tail memory full"])
        #expect(json["meta"]?["warnings"] == [
            .string(
                "2 durable records of the log, through 3, are not in the answer: "
                    + "query.tail_memory is full until more is published")
        ])
        try fixture.publish()
        let whole = try QueryEngine.answer(try question(["kind": "aggregate"]), try fixture.snapshot()).json
        #expect(whole["rows"]?[0]?["count"] == 3 && whole["meta"]?["behind"] == nil)
        #expect(whole["meta"]?["warnings"] == [])
    }

    @Test func reservedTypesAreNoActivityUnlessTheyAreNamed() throws {
        let events = [event("a", noon, user: "u"), event("$identify", noon, user: "u"), event("$x", noon, user: "u")]
        #expect(try answer(events, ["kind": "aggregate"]).rows == [[1]])
        #expect(try answer(events, ["kind": "aggregate", "filters": ["event_type": "$identify"]]).rows == [[1]])
        #expect(try answer(events, ["kind": "aggregate", "filters": ["event_type": ["$x", "a"]]]).rows == [[2]])
        let prefix: JSONValue = ["field": "event_type", "op": "starts_with", "value": "$"]
        #expect(try answer(events, ["kind": "aggregate", "filters": prefix]).rows == [[2]])
    }

    @Test func aBareNameIsAPropertyFirstAndTwoMeaningsAreWarnedOf() throws {
        var both = event("a", noon, user: "u", [("plan", .string("pro"))])
        both.values.append(EventValue(.context, "plan", .string("free")))
        var context = event("a", noon, user: "u")
        context.values.append(EventValue(.context, "plan", .string("free")))
        let json: JSONValue = ["kind": "aggregate", "group_by": "plan"]
        let answer = try answer([both, context, both, context], json)
        #expect(answer.rows == [["free", 2], ["pro", 2]])
        #expect(answer.meta.warnings.count == 1)
        #expect(try self.answer([context, context], json).meta.warnings.isEmpty)
    }

    @Test func aNameThatOnlyOneScopeHasIsNotWarnedOf() throws {
        let sum: JSONValue = ["kind": "aggregate", "metrics": [["type": "sum", "field": "amount"]]]
        var context = event("a", noon, user: "u")
        context.values.append(EventValue(.context, "amount", .float64(2)))
        let property = event("a", noon, user: "u", [("amount", .float64(1))])
        let alone = try answer([context, context], sum)
        #expect(alone.rows == [[4]] && alone.meta.warnings.isEmpty)
        let both = try answer([context, property, context, property], sum)
        #expect(both.rows == [[6]] && both.meta.warnings.count == 1)
    }

    @Test func numbersEqualByWorthOtherTypesNeverAndWrongTypesAreCounted() throws {
        let events = [
            event("a", noon, user: "u", [("n", .int64(1))]), event("a", noon, user: "u", [("n", .float64(1))]),
            event("a", noon, user: "u", [("n", .string("1"))]), event("a", noon, user: "u", [("n", .bool(true))]),
            event("a", noon, user: "u", [("n", .float64(0.5))]), event("a", noon, user: "u"),
        ]
        func count(_ value: JSONValue) throws -> [[JSONValue]] {
            try self.answer(events, ["kind": "aggregate", "filters": ["n": value]]).rows
        }
        #expect(try count(1) == [[2]])
        #expect(try count("1") == [[1]])
        #expect(try count(true) == [[1]])
        let metrics: JSONValue = [
            ["type": "sum", "field": "n"], ["type": "avg", "field": "n"], ["type": "min", "field": "n"],
            ["type": "max", "field": "n"], ["type": "count_distinct", "field": "n"],
        ]
        let answer = try answer(events, ["kind": "aggregate", "metrics": metrics])
        #expect(answer.rows == [[2.5, .number(2.5 / 3), 0.5, 1, 4]])
        // A text and a boolean, in each of the four metrics that want numbers.
        #expect(answer.meta.skipped == 8)
    }

    @Test func integersThatNoDoubleHoldsStayWhatTheyAre() throws {
        let large: Int64 = 9_007_199_254_740_993
        let events = [
            event("a", noon, user: "u", [("n", .int64(large))]),
            event("a", noon, user: "u", [("n", .int64(large - 1))]),
        ]
        let json: JSONValue = [
            "kind": "aggregate", "metrics": [["type": "max", "field": "n"], "count"],
            "filters": ["field": "n", "op": "gt", "value": .integer(large - 1)],
        ]
        #expect(try answer(events, json).rows == [[.integer(large), 1]])
    }

    @Test func wholeSumsAreExactWhereverTheyFit() throws {
        let large: Int64 = 9_007_199_254_740_993
        func results(_ values: [EventValue.Value]) throws -> [JSONValue] {
            let events = values.map { event("a", noon, user: "u", [("n", $0)]) }
            let metrics: JSONValue = [["type": "sum", "field": "n"], ["type": "avg", "field": "n"]]
            return try answer(events, ["kind": "aggregate", "metrics": metrics]).rows[0]
        }
        #expect(try results([.int64(large)]) == [.integer(large), .integer(large)])
        #expect(try results([.int64(large), .int64(large)]) == [.integer(2 * large), .integer(large)])
        #expect(try results([.float64(0.5), .int64(large), .float64(-0.5)])[0] == .integer(large))
        // Past 2^63 and back, in either order.
        #expect(try results([.int64(.max), .int64(5), .int64(-6)])[0] == .integer(.max - 1))
        #expect(try results([.int64(-6), .int64(.max), .int64(5)])[0] == .integer(.max - 1))
        #expect(try results([.int64(.min), .int64(-5), .int64(5)])[0] == .integer(.min))
    }

    @Test func whatIsTooLargeForANumberIsRefused() throws {
        let most = Double.greatestFiniteMagnitude
        let events = [most, most, most].map { event("a", noon, user: "u", [("n", .float64($0))]) }
        let average: JSONValue = ["kind": "aggregate", "metrics": [["type": "avg", "field": "n"]]]
        #expect(try answer(events, average).rows == [[.number(most)]])
        let sum: JSONValue = ["kind": "aggregate", "metrics": ["count", ["type": "sum", "field": "n"]]]
        #expect(error { try answer(events, sum) }?.description.hasPrefix("metrics[1]: ") == true)
    }

    @Test func averagesAndBoundsIgnoreEventsWithoutTheValue() throws {
        let events = [
            event("a", noon, user: "u", [("n", .int64(4))]), event("a", noon, user: "u"),
            event("b", noon, user: "u"),
        ]
        let json: JSONValue = [
            "kind": "aggregate", "group_by": "event_type",
            "metrics": [["type": "avg", "field": "n"], ["type": "min", "field": "n"], ["type": "sum", "field": "n"]],
        ]
        #expect(try answer(events, json).rows == [["a", 4, 4, 4], ["b", nil, nil, 0]])
    }

    @Test func aSumOverSeveralCurrenciesIsRefusedUnlessTheyAreToldApart() throws {
        func purchase(_ amount: Double, _ currency: String?) -> Event {
            let amount = [("amount", EventValue.Value.float64(amount))]
            return event("purchase", noon, user: "u", amount + (currency.map { [("currency", .string($0))] } ?? []))
        }
        let events = [purchase(10, "EUR"), purchase(20.5, "USD"), purchase(1, nil), purchase(2, "EUR")]
        var json: JSONObject = JSONObject([
            .init("kind", "aggregate"), .init("metrics", [["type": "sum", "field": "amount"]]),
        ])
        let refusal = QueryError.mixedCurrencies(path: "metrics[0]", currencies: ["EUR", "USD"])
        #expect(error { try answer(events, .object(json)) } == refusal)
        #expect(try answer([events[0], events[2], events[3]], .object(json)).rows == [[13]])
        json["group_by"] = "properties.currency"
        #expect(try answer(events, .object(json)).rows == [["EUR", 12], ["USD", 20.5], [nil, 1]])
        json["group_by"] = nil
        json["filters"] = ["currency": "USD"]
        #expect(try answer(events, .object(json)).rows == [[20.5]])
        // To name the currency is not to choose one.
        for filter in [
            ["field": "currency", "op": "exists"], ["field": "currency", "op": "ne", "value": "GBP"],
            ["currency": ["EUR", "USD"]],
        ] as [JSONValue] {
            json["filters"] = filter
            #expect(error { try answer(events, .object(json)) } == refusal, "\(filter)")
        }
        json["filters"] = ["field": "currency", "op": "ne", "value": "EUR"]
        #expect(try answer(events, .object(json)).rows == [[21.5]])
        json["filters"] = nil
        for type in ["avg", "min", "max"] {
            json["metrics"] = [["type": .string(type), "field": "properties.amount"]]
            #expect(error { try answer(events, .object(json)) } == refusal, "\(type)")
        }
        json["metrics"] = [["type": "count_distinct", "field": "amount"]]
        #expect(try answer(events, .object(json)).rows == [[4]])
    }

    @Test func aUserIsAPersonInMetricsAndAnyOfHisIdsInFilters() throws {
        let events = [
            event("a", noon, user: "x", anonymous: "d1"), event("a", noon, anonymous: "d1"),
            event("a", noon, anonymous: "x"), event("a", noon),
        ]
        let distinct: JSONValue = ["kind": "aggregate", "metrics": [["type": "count_distinct", "field": "user_id"]]]
        // User x, device d1, device x; what has no id is nobody.
        #expect(try answer(events, distinct).rows == [[3]])
        #expect(try answer(events, ["kind": "aggregate", "filters": ["user_id": "d1"]]).rows == [[2]])
        #expect(try answer(events, ["kind": "aggregate", "filters": ["user_id": "x"]]).rows == [[2]])
        let groups = try answer(events, ["kind": "aggregate", "group_by": "user_id"])
        #expect(groups.rows == [["x", 1], ["d1", 1], ["x", 1], [nil, 1]])
    }

    @Test func bucketsAreLocalAndUnfinishedOnesSaySo() throws {
        let events = [
            event("a", "2024-03-09T18:20:00Z", user: "u"), event("a", "2024-03-09T18:40:00Z", user: "u"),
            event("a", "2024-03-11T10:00:00Z", user: "u"),
        ]
        let json: JSONValue = [
            "kind": "aggregate", "group_by": "day", "time_zone": "Asia/Kolkata",
            "date_range": ["start": "2024-03-09T00:00:00Z", "end": "2024-03-12"],
        ]
        // Midnight in Kolkata is 18:30 UTC. The 9th began before the range; the 11th is not over at the clock.
        let answer = try answer(events, json, clock: "2024-03-11T12:00:00Z")
        #expect(answer.columns == ["day", "complete", "count"])
        #expect(answer.rows == [["2024-03-09", false, 1], ["2024-03-10", true, 1], ["2024-03-11", false, 1]])
        #expect(answer.json["meta"]?["from"] == "2024-03-09T05:30:00.000000+05:30")
        #expect(answer.json["meta"]?["to"] == "2024-03-13T00:00:00.000000+05:30")
    }

    @Test func aRepeatedHourIsTwoBuckets() throws {
        let events = ["2024-11-03T05:30:00Z", "2024-11-03T06:30:00Z"].map { event("a", $0, user: "u") }
        let json: JSONValue = ["kind": "aggregate", "group_by": "hour", "time_zone": "America/New_York"]
        let rows = try answer(events, json, clock: "2024-12-01").rows
        #expect(
            rows
                == [["2024-11-03T05:00:00.000000Z", true, 1], ["2024-11-03T06:00:00.000000Z", true, 1]])
    }

    @Test func theLimitComesAfterTheOrderTiesByValueAndMissingValuesLast() throws {
        let events = ["b", "a", "c", "a", "b", nil].map { name in
            event("e", noon, user: "u", name.map { [("p", .string($0))] } ?? [])
        }
        func rows(_ order: JSONValue, _ limit: JSONValue = nil) throws -> [[JSONValue]] {
            try answer(events, ["kind": "aggregate", "group_by": "p", "order_by": order, "limit": limit]).rows
        }
        #expect(try rows("count DESC", 2) == [["a", 2], ["b", 2]])
        #expect(try rows(["count DESC", "p DESC"], 3) == [["b", 2], ["a", 2], ["c", 1]])
        #expect(try rows(nil) == [["a", 2], ["b", 2], ["c", 1], [nil, 1]])
        #expect(try rows("p DESC") == [["c", 1], ["b", 2], ["a", 2], [nil, 1]])
    }

    @Test func dimensionsChooseWhichGroupsAreShown() throws {
        let events = ["a", "b"].map { event($0, noon, user: "u", [("p", .string("x"))]) }
        let json: JSONValue = ["kind": "aggregate", "group_by": ["event_type", "p"], "dimensions": ["p"]]
        let answer = try answer(events, json)
        #expect(answer.columns == ["p", "count"])
        #expect(answer.rows == [["x", 1], ["x", 1]])
    }

    @Test func anEventsIdIsItsOwnOrTheOneOfItsSourceAndSequence() throws {
        var named = event("a", noon, user: "u")
        named.eventID = EventID("evt_00112233445566778899aabbccddeeff")
        let events = [named, event("a", noon, user: "u")]
        let rows = try answer(events, ["kind": "aggregate", "group_by": "event_id"]).rows
        #expect(rows == [["evt_00112233445566778899aabbccddeeff", 1], ["evt_0102030405060708090a000000000002", 1]])
    }

    @Test func anAnswerSaysWhatItWasComputedFromAndReadsNoDayItNeedsNot() throws {
        let events = (1...6).map { event("a", "2024-03-0\($0)T12:00:00Z", user: "u\($0)") }
        let fixture = try TableFixture()
        try fixture.commit(events, nowMicros: micros("2024-03-07"))
        try fixture.publish()
        try fixture.commit([event("a", "2024-03-02T13:00:00Z", user: "u")], nowMicros: micros("2024-03-08"))
        let json: JSONValue = ["kind": "aggregate", "date_range": ["start": "2024-03-02", "end": "2024-03-03"]]
        let answer = try QueryEngine.answer(try question(json), try fixture.snapshot())
        #expect(answer.rows == [[3]])
        let meta = answer.json["meta"]
        #expect(meta?["rows_read"] == 3)
        #expect(meta?["tail_rows"] == 1)
        #expect(meta?["table_version"] == 0)
        #expect(meta?["as_of"]?["clock"] == "2024-03-08T00:00:00.000000Z")
        #expect(meta?["exact"] == true)
        #expect(answer.json["rows"] == [["count": 3]])
    }

    @Test func anInstantAsTheEndIsOutOfTheRangeAlsoWhereNothingLaterIsRead() throws {
        let events = ["12:00", "13:00", "12:00", "13:00"].map { event("a", "2024-03-02T\($0):00Z", user: "u") }
        let json: JSONValue = [
            "kind": "aggregate", "date_range": ["start": "2024-03-02T12:00:00Z", "end": "2024-03-02T13:00:00Z"],
        ]
        #expect(try answer(events, json).rows == [[2]])
    }

    @Test func overItsBudgetAQuestionIsRefusedAndACancelledOneEnds() throws {
        let events = (0..<2000).map { event("a", noon, user: "u\($0)", [("p", .string("v\($0)"))]) }
        let fixture = try TableFixture()
        try fixture.commit(events, nowMicros: micros("2024-06-01"))
        let snapshot = try fixture.snapshot()
        let groups = try question(["kind": "aggregate", "group_by": "p"])
        let refusal = error { try QueryEngine.answer(groups, snapshot, Execution(budgetBytes: 10_000)) }
        #expect(refusal?.description.hasPrefix("the answer needs at least ") == true)
        let distinct = try question(["kind": "aggregate", "metrics": [["type": "count_distinct", "field": "user_id"]]])
        // In bands it needs a few hundred bytes at a time.
        #expect(try QueryEngine.answer(distinct, snapshot, Execution(budgetBytes: 10_000)).rows == [[2000]])
        #expect(throws: QueryError.overBudget(neededBytes: 24_000 / 256, budgetBytes: 10)) {
            try QueryEngine.answer(distinct, snapshot, Execution(budgetBytes: 20))
        }
        #expect(throws: QueryError.cancelled) {
            try QueryEngine.answer(groups, snapshot, Execution(isCancelled: { true }))
        }
    }
}
