import Files
import JSON
import Testing
import Zones

@testable import Query

@Suite struct QuestionTests {
    private func error(_ json: JSONValue) -> QueryError? {
        do {
            _ = try question(json)
            return nil
        } catch { return error as? QueryError }
    }

    /// The path of the error, and what it allows.
    private func place(_ json: JSONValue) -> String? {
        guard case .invalid(let path, _, _) = error(json) else { return nil }
        return path
    }

    /// A question for users at a step.
    private static func funnel(_ usersAt: String) -> String {
        #"{"kind":"funnel","steps":[{"event_type":"a"},{"event_type":"b"}],"users_at":\#(usersAt)}"#
    }

    /// An array of so many copies.
    private static func many(_ count: Int, _ json: String) -> String {
        "[" + Array(repeating: json, count: count).joined(separator: ",") + "]"
    }

    private static func tests(_ count: Int) -> String { #"{"or":\#(many(count, #"{"n":1}"#))}"# }

    private static func names(_ count: Int) -> String {
        "[" + (0..<count).map { "\"n\($0)\"" }.joined(separator: ",") + "]"
    }

    /// What the grammar refuses, and the place of the fault.
    static let ungrammatical: [(json: String, path: String)] = [
        ("{}", "kind"), ("[]", ""), (#"{"kind":"retention"}"#, "kind"), (#"{"kind":7}"#, "kind"),
        (#"{"kind":"aggregate","metric":[]}"#, "metric"),
        (#"{"kind":"aggregate","steps":[]}"#, "steps"),
        (#"{"kind":"aggregate","metrics":[]}"#, "metrics"),
        (#"{"kind":"aggregate","metrics":["counts"]}"#, "metrics[0].type"),
        (#"{"kind":"aggregate","metrics":["count",{"type":"sum"}]}"#, "metrics[1].field"),
        (#"{"kind":"aggregate","metrics":[{"type":"count","field":"x"}]}"#, "metrics[0].field"),
        (#"{"kind":"aggregate","metrics":[{"type":"sum","field":"user_id"}]}"#, "metrics[0].field"),
        (#"{"kind":"aggregate","metrics":[{"type":"avg","field":"timestamp"}]}"#, "metrics[0].field"),
        (#"{"kind":"aggregate","metrics":[{"type":"sum","field":"x","as":"y"}]}"#, "metrics[0].as"),
        (#"{"kind":"aggregate","group_by":["day","day"]}"#, "group_by[1]"),
        (#"{"kind":"aggregate","group_by":["timestamp"]}"#, "group_by[0]"),
        (#"{"kind":"aggregate","group_by":[{"time":"days"}]}"#, "group_by[0].time"),
        (#"{"kind":"aggregate","group_by":["property.x"]}"#, "group_by[0]"),
        (#"{"kind":"aggregate","order_by":["count DOWN"]}"#, "order_by[0]"),
        (#"{"kind":"aggregate","limit":0}"#, "limit"), (#"{"kind":"aggregate","limit":1.5}"#, "limit"),
        (#"{"kind":"aggregate","week_start":"noday"}"#, "week_start"),
        (#"{"kind":"aggregate","date_range":{"from":"today"}}"#, "date_range.from"),
        (#"{"kind":"aggregate","date_range":{"start":"30 days ago"}}"#, "date_range.start"),
        (#"{"kind":"aggregate","date_range":{"start":"3_fortnights_ago"}}"#, "date_range.start"),
        (#"{"kind":"aggregate","filters":{"start_date":5}}"#, "filters.start_date"),
        (#"{"kind":"aggregate","filters":{"and":[{"field":"x","op":"eq","value":1},{"field":"x","op":"is"}]}}"#,
            "filters.and[1].op"),
        (#"{"kind":"aggregate","filters":{"and":[],"x":1}}"#, "filters"),
        (#"{"kind":"aggregate","filters":{"or":{}}}"#, "filters.or"),
        (#"{"kind":"aggregate","filters":{"not":{"and":[{"start_date":"today"}]}}}"#, "filters.not.and[0].start_date"),
        (#"{"kind":"aggregate","filters":{"field":"x","op":"eq"}}"#, "filters.value"),
        (#"{"kind":"aggregate","filters":{"field":"x","value":5}}"#, "filters.op"),
        (#"{"kind":"aggregate","filters":{"field":"x","operator":"gt","value":5}}"#, "filters.op"),
        (#"{"kind":"aggregate","filters":{"not":{"field":"x","operator":"gt"}}}"#, "filters.not.op"),
        (#"{"kind":"aggregate","filters":{"feild":"x","op":"gt","value":5}}"#, "filters.feild"),
        (#"{"kind":"aggregate","filters":{"op":"gt","value":5}}"#, "filters.field"),
        (#"{"kind":"aggregate","filters":{"field":"x","op":"in","value":3}}"#, "filters.value"),
        (#"{"kind":"aggregate","filters":{"field":"x","op":"in","value":[1,[]]}}"#, "filters.value[1]"),
        (#"{"kind":"aggregate","filters":{"field":"x","op":"contains","value":3}}"#, "filters.value"),
        (#"{"kind":"aggregate","filters":{"field":"x","op":"lt","value":true}}"#, "filters.value"),
        (#"{"kind":"aggregate","filters":{"field":"x","op":"exists","value":1}}"#, "filters.value"),
        (#"{"kind":"aggregate","filters":{"field":"timestamp","op":"gt","value":"noon"}}"#, "filters.value"),
        (#"{"kind":"aggregate","filters":{"field":"timestamp","op":"gt","value":1710000000000000}}"#, "filters.value"),
        (#"{"kind":"aggregate","filters":{"received_at":1.5}}"#, "filters.received_at"),
        (#"{"kind":"aggregate","filters":{"received_at":[true]}}"#, "filters.received_at[0]"),
        (#"{"kind":"aggregate","filters":{"event_type":{"a":1}}}"#, "filters.event_type"),
        (#"{"kind":"funnel"}"#, "steps"), (#"{"kind":"funnel","steps":[{"event_type":"a"}]}"#, "steps"),
        (#"{"kind":"funnel","funnel_steps":[{"event_type":"a"},{"name":"b"}]}"#, "funnel_steps[1].event_type"),
        (#"{"kind":"funnel","steps":[{"event_type":"a"},{"event_type":"b","filter":{}}]}"#, "steps[1].filter"),
        (#"{"kind":"funnel","steps":[{"event_type":"a"},{"event_type":"b"}],"window":"7x"}"#, "window"),
        (#"{"kind":"funnel","steps":[{"event_type":"a"},{"event_type":"b"}],"window":{"days":0}}"#, "window"),
        (#"{"kind":"funnel","steps":[{"event_type":"a"},{"event_type":"b"}],"window":"0d"}"#, "window"),
        (funnel(#"{"step":1}"#), "users_at.outcome"),
        (funnel(#"{"outcome":"reached"}"#), "users_at.step"),
        (funnel(#"{"step":0,"outcome":"reached"}"#), "users_at.step"),
        (funnel(#"{"step":1,"outcome":"left"}"#), "users_at.outcome"),
        (#"{"kind":"aggregate","timeout_ms":99}"#, "timeout_ms"),
        (#"{"kind":"aggregate","timeout_ms":600001}"#, "timeout_ms"),
        (#"{"kind":"aggregate","query_id":""}"#, "query_id"), (#"{"kind":"aggregate","query_id":"a b"}"#, "query_id"),
        (#"{"kind":"events","order":"up"}"#, "order"), (#"{"kind":"events","limit":10001}"#, "limit"),
        (#"{"kind":"events","cursor":"1"}"#, "cursor"), (#"{"kind":"events","cursor":"a_1"}"#, "cursor"),
        (#"{"kind":"events","cursor":"1_2_3"}"#, "cursor"), (#"{"kind":"events","group_by":["day"]}"#, "group_by"),
        (#"{"kind":"user"}"#, "user_id"), (#"{"kind":"user","user_id":7}"#, "user_id"),
        (#"{"kind":"user","user_id":"u","timeline":{"order":"asc"}}"#, "timeline.order"),
        (#"{"kind":"user","user_id":"u","timeline":{"limit":0}}"#, "timeline.limit"),
        (#"{"kind":"adoption"}"#, "feature_name"), (#"{"kind":"adoption","feature_name":["a"]}"#, "feature_name"),
        (#"{"kind":"adoption","feature_name":"a","field":"property.a"}"#, "field"),
        (#"{"kind":"adoption","feature_name":"2024-03-01","field":"timestamp"}"#, "field"),
        (#"{"kind":"segment"}"#, "segment"), (#"{"kind":"segment","segment":{}}"#, "segment"),
        (#"{"kind":"segment","segment":{"done":"a"}}"#, "segment.done"),
        (#"{"kind":"segment","segment":{"all":{"did":"a"}}}"#, "segment.all"),
        (#"{"kind":"segment","segment":{"all":[],"any":[]}}"#, "segment.any"),
        (#"{"kind":"segment","segment":{"any":[{"did":"a"},{"did":7}]}}"#, "segment.any[1].did"),
        (#"{"kind":"segment","segment":{"not":null}}"#, "segment.not"),
        (#"{"kind":"segment","segment":{"did":"a","event_type":"b"}}"#, "segment.event_type"),
        (#"{"kind":"segment","segment":{"did":"a","times":{}}}"#, "segment.times"),
        (#"{"kind":"segment","segment":{"did":"a","times":{"eq":-1}}}"#, "segment.times.eq"),
        (#"{"kind":"segment","segment":{"did":"a","times":2}}"#, "segment.times"),
        (#"{"kind":"segment","segment":{"did":"a","within":"7x"}}"#, "segment.within"),
        (#"{"kind":"segment","segment":{"did":"a","filters":{"start_date":"today"}}}"#, "segment.filters.start_date"),
        (#"{"kind":"segment","segment":{"property":"x"}}"#, "segment.op"),
        (#"{"kind":"segment","segment":{"property":"timestamp","op":"gt","value":3}}"#, "segment.value"),
        (#"{"kind":"segment","segment":{"trait":"","op":"exists"}}"#, "segment.trait"),
        (#"{"kind":"segment","segment":{"trait":"plan","op":"in","value":"pro"}}"#, "segment.value"),
        (#"{"kind":"segment","segment":{"did":"a"},"limit":100001}"#, "limit"),
        (#"{"kind":"aggregate","group_by":\#(names(17))}"#, "group_by"),
        (#"{"kind":"aggregate","metrics":\#(many(65, #""count""#))}"#, "metrics"),
        (#"{"kind":"aggregate","order_by":\#(many(65, #""count""#))}"#, "order_by"),
    ]

    /// What is within the grammar and still no question.
    static let senseless: [(json: String, path: String)] = [
        (#"{"kind":"aggregate","metrics":["count","count"]}"#, "metrics[1]"),
        (#"{"kind":"aggregate","group_by":["a"],"dimensions":["b"]}"#, "dimensions[0]"),
        (#"{"kind":"aggregate","order_by":"amount DESC"}"#, "order_by"),
        (#"{"kind":"aggregate","time_zone":"Mars/Olympus"}"#, "time_zone"),
        (#"{"kind":"aggregate","date_range":{"start":"2024-03-02","end":"2024-03-01T00:00:00Z"}}"#, "date_range.end"),
        (#"{"kind":"aggregate","date_range":{"start":"2026-11-20","end":"2026-11-19"}}"#, "date_range.end"),
        (#"{"kind":"aggregate","date_range":{"start":"2026-11-20T00:00:00Z","end":"2026-11-19"}}"#, "date_range.end"),
        (#"{"kind":"aggregate","filters":{"start_date":"today","end_date":"yesterday"}}"#, "filters.end_date"),
        (#"{"kind":"aggregate","date_range":{"start":"2024-02-30"}}"#, "date_range.start"),
        (#"{"kind":"funnel","steps":[{"event_type":"a"},{"event_type":"b"}],"window":"99999999999999d"}"#, "window"),
        (funnel(#"{"step":3,"outcome":"reached"}"#), "users_at.step"),
        (#"{"kind":"events","cursor":"9999999999999999999_0"}"#, "cursor"),
        (#"{"kind":"segment","segment":{"did":"a","within":"9999999999d"}}"#, "segment.within"),
        (#"{"kind":"segment","segment":{"all":\#(many(65, #"{"did":"a"}"#))}}"#, "segment.all[64]"),
        (#"{"kind":"segment","segment":{"all":\#(many(65, #"{"any":[]}"#))}}"#, "segment.all[64]"),
        (#"{"kind":"aggregate","filters":\#(tests(257))}"#, ""),
        (#"{"kind":"funnel","steps":[{"event_type":"a","filters":\#(tests(257))},{"event_type":"b"}]}"#, ""),
        (#"{"kind":"segment","segment":{"did":"a","filters":\#(tests(200))},"filters":\#(tests(56))}"#, ""),
    ]

    static let good = [
        #"{"kind":"segment","segment":{"did":"a","filters":\#(tests(200))},"filters":\#(tests(55))}"#,
        #"{"kind":"aggregate"}"#,
        #"{"kind":"aggregate","metrics":"count","group_by":"day","dimensions":"day","order_by":"day","limit":1}"#,
        #"{"kind":"aggregate","metrics":[{"type":"min","field":"timestamp"},{"type":"sum","field":"traits.x y"}]}"#,
        #"{"kind":"aggregate","metrics":[{"type":"count","alias":"n"}],"order_by":[{"field":"n","direction":"DESC"}]}"#,
        #"{"kind":"aggregate","group_by":[{"time":"week"},"user_id","plan"],"order_by":["count DESC","plan"]}"#,
        #"{"kind":"aggregate","project":"shop","time_zone":"Asia/Kolkata","week_start":"sunday"}"#,
        #"{"kind":"aggregate","date_range":{"start":"2024-03-01T12:00:00.5+05:30","end":"now"}}"#,
        #"{"kind":"aggregate","date_range":{"start":"1_month_ago"},"filters":{}}"#,
        #"{"kind":"aggregate","filters":{"start_date":"30_days_ago","end_date":"today","event_type":["a","b"],"n":1}}"#,
        #"{"kind":"aggregate","filters":{"start_date":"today","field":"n","op":"in","value":[1,"a",true]}}"#,
        #"{"kind":"aggregate","filters":{"end_date":"today","or":[{"not":{"x":true}},{"and":[]}]}}"#,
        #"{"kind":"aggregate","filters":{"field":"timestamp","op":"not_in","value":["2024-03-01"]}}"#,
        #"{"kind":"aggregate","filters":{"timestamp":"2024-03-01T12:00","received_at":["2024-03-01"],"value":3}}"#,
        #"{"kind":"aggregate","filters":{"field":"x"}}"#,
        #"{"kind":"aggregate","filters":{"field":"x","op":"not_exists"}}"#,
        #"{"kind":"funnel","steps":[{"event_type":"a"},{"event_type":"b"}],"window":"12_hours"}"#,
        #"{"kind":"funnel","funnel_steps":[{"event_type":"a","name":"A","filters":{"x":1}},{"event_type":"b"}]}"#,
        #"{"kind":"funnel","steps":[{"event_type":"a"},{"event_type":"b"}],"window":{"days":7}}"#,
        funnel(#"{"step":2,"outcome":"dropped"}"#),
        #"{"kind":"aggregate","timeout_ms":100,"query_id":"a-Z_9"}"#,
        #"{"kind":"events"}"#, #"{"kind":"events","order":"asc","limit":10000,"cursor":"-5_7","filters":{"n":1}}"#,
        #"{"kind":"user","user_id":"u"}"#,
        #"{"kind":"user","user_id":"","timeline":{"limit":5,"cursor":"1_2"},"date_range":{"start":"today"}}"#,
        #"{"kind":"adoption","feature_name":"export"}"#,
        #"{"kind":"adoption","feature_name":2,"event_type":"used","field":"version","filters":{"device.os":"iOS"}}"#,
        #"{"kind":"segment","segment":{"all":[]}}"#,
        #"{"kind":"segment","segment":{"any":[{"not":{"did":"a"}},{"event_type":"b","times":{"gte":2,"lt":5}}]}}"#,
        #"{"kind":"segment","segment":{"did":"a","within":"7d","filters":{"n":[1,2]},"times":{"eq":0}},"limit":1}"#,
        #"{"kind":"segment","segment":{"property":"properties.plan","op":"in","value":["a",1]}}"#,
        #"{"kind":"segment","segment":{"property":"timestamp","op":"gt","value":"2024-03-01"}}"#,
        #"{"kind":"segment","segment":{"trait":"plan.of","op":"not_exists"}}"#,
    ]

    @Test(arguments: good)
    func aGoodQuestionIsUnderstood(json: String) throws { _ = try question(try JSONValue(parsing: json)) }

    @Test func theQuestionsToStartFromAreUnderstood() throws {
        let folder = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined() + "/docs/queries"
        let names = try Disk.posix.list(folder)
        #expect(names.count > 5)
        for name in names { _ = try question(try JSONValue(parsing: try Disk.posix.contents(folder + "/" + name))) }
    }

    @Test(arguments: ungrammatical + senseless)
    func anErrorNamesThePlace(json: String, path: String) throws {
        #expect(place(try JSONValue(parsing: json)) == path, "\(json)")
    }

    @Test func anErrorSaysWhatIsAllowedAndWhatWasProbablyMeant() throws {
        let kinds = Question.kinds.joined(separator: ", ")
        #expect(
            error(["kind": "agregate"])?.description
                == #"kind: unknown kind "agregate"; did you mean "aggregate"?; allowed: \#(kinds)"#)
        let operators = FilterReader.operators.joined(separator: ", ")
        #expect(
            error(["kind": "aggregate", "filters": ["field": "x", "op": "equals", "value": 1]])?.description
                == #"filters.op: unknown operator "equals"; allowed: \#(operators)"#)
        #expect(
            error(["kind": "aggregate", "filters": ["field": "x", "operator": "gt", "value": 1]])?.description
                == "filters.op: missing; allowed: \(operators)")
        #expect(error([])?.description == "an object is expected, not an array")
        let text: JSONValue = ["kind": "aggregate", "time_zone": [:]]
        #expect(error(text)?.description == "time_zone: a string is expected, not an object")
        #expect(try question(["kind": "aggregate", "filters": ["evnt_type": "x"]]).warnings.count == 1)
    }

    @Test(arguments: [
        ("30_days_ago", "today", "2024-02-19T00:00:00Z", "2024-03-21T00:00:00Z"),
        ("yesterday", "yesterday", "2024-03-19T00:00:00Z", "2024-03-20T00:00:00Z"),
        ("2_hours_ago", "now", "2024-03-20T10:00:00Z", "2024-03-20T12:00:00Z"),
        ("1_weeks_ago", "90_minutes_ago", "2024-03-13T00:00:00Z", "2024-03-20T10:30:00Z"),
        ("2024-03-01", "2024-03-02T06:00:00+02:00", "2024-03-01T00:00:00Z", "2024-03-02T04:00:00Z"),
        // The last day of a shorter month; then through the last day of February.
        ("1_months_ago", "2024-02-29", "2024-02-20T00:00:00Z", "2024-03-01T00:00:00Z"),
    ])
    func datesAreInstantsByTheClockAndTheZone(start: String, end: String, from: String, to: String) throws {
        let json: JSONValue = ["kind": "aggregate", "date_range": ["start": .string(start), "end": .string(end)]]
        #expect(try question(json).range == TimeRange(from: micros(from), to: micros(to)))
    }

    @Test func monthsClampAndDaysFollowLocalClocks() throws {
        let clamped: JSONValue = ["kind": "aggregate", "date_range": ["start": "1_months_ago"]]
        #expect(try question(clamped, now: "2024-03-31T12:00:00Z").range.from == micros("2024-02-29"))
        func day(_ date: JSONValue, _ zone: JSONValue) throws -> TimeRange {
            try question(["kind": "aggregate", "date_range": ["start": date, "end": date], "time_zone": zone]).range
        }
        // New York's 10 March 2024 has 23 hours.
        #expect(
            try day("2024-03-10", "America/New_York")
                == TimeRange(from: micros("2024-03-10T05:00:00Z"), to: micros("2024-03-11T04:00:00Z")))
        // Cairo's 26 April 2024 begins at one o'clock.
        #expect(
            try day("2024-04-26", "Africa/Cairo")
                == TimeRange(from: micros("2024-04-25T22:00:00Z"), to: micros("2024-04-26T21:00:00Z")))
        // Apia had no 30 December 2011.
        let apia = try day("2011-12-30", "Pacific/Apia")
        #expect(apia.from == apia.to)
    }

    @Test(arguments: [("2024-03-10", "2024-03-09T18:30:00Z"), ("2024-03-10T01:00", "2024-03-09T19:30:00Z")])
    func instantsInFiltersFollowTheZone(text: String, instant: String) throws {
        let tests: [JSONValue] = [
            ["field": "timestamp", "op": "gte", "value": .string(text)], ["timestamp": .string(text)],
        ]
        let bound = Value.integer(micros(instant))
        let expected: [Predicate] = [
            .test(.fixed(.timestamp), .isAtLeast(bound)), .test(.fixed(.timestamp), .isIn([bound])),
        ]
        for (test, predicate) in zip(tests, expected) {
            let json: JSONValue = ["kind": "aggregate", "time_zone": "Asia/Kolkata", "filters": test]
            #expect(try question(json).filter == predicate)
        }
        let funnel: JSONValue = [
            "kind": "funnel", "time_zone": "Asia/Kolkata",
            "steps": [["event_type": "a", "filters": tests[0]], ["event_type": "b"]],
        ]
        guard case .funnel(let funnel) = try question(funnel).body else { return }
        #expect(funnel.steps[0].filter == expected[0])
    }

    @Test func theDatesOfTheCallWinOverThoseOfTheFilters() throws {
        let json: JSONValue = [
            "kind": "aggregate", "filters": ["start_date": "30_days_ago", "end_date": "today"],
            "date_range": ["start": "2024-01-01", "end": "2024-01-31"],
        ]
        let question = try question(json)
        #expect(question.range == TimeRange(from: micros("2024-01-01"), to: micros("2024-02-01")))
        #expect(question.warnings.count == 1)
    }
}
