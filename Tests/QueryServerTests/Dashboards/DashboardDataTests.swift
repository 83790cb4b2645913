import Config
import Events
import HTTPServer
import JSON
import Query
import Synchronization
import Testing

@testable import QueryServer

/// The data of widgets: values, dates, filters, comparisons.
@Suite struct DashboardDataTests {
    private static let noon = BoardFolder.noon
    private static let day = BoardFolder.day

    private static func metric(_ more: (String, JSONValue)...) -> JSONValue {
        let members: [(String, JSONValue)] = [("widget_id", "m"), ("type", "metric"), ("title", "Events")]
        return .object(JSONObject((members + more).map { .init($0.0, $0.1) }))
    }

    @Test func theSeedsDashboardAnswersInTheSeedsShape() throws {
        let boards = try BoardFolder()
        let steps: [(String, String, String, String)] = [
            ("page_view", "page_name", "signup", "u1"), ("click", "element_id", "signup_button", "u1"),
            ("submit", "form_name", "signup", "u1"), ("sign_up", "x", "", "u1"),
            ("page_view", "page_name", "signup", "u2"), ("feature_used", "feature_name", "export", "u2"),
            ("feature_used", "feature_name", "export", "u3"), ("feature_used", "feature_name", "import", "u3"),
        ]
        for (index, (type, name, value, user)) in steps.enumerated() {
            try boards.served.commit(
                type, user: user, micros: Self.noon - Self.day + Int64(index) * 1_000_000, [name: .string(value)])
        }
        // Before the last 7 days, within the last 30.
        try boards.served.commit("page_view", user: "u4", micros: Self.noon - 20 * Self.day)
        let response = try boards.api.data(
            boards.call(["id": "overview"], query: [("start", "2026-01-01"), ("time_zone", "UTC")]))
        let json = try response.json()
        #expect(json["dashboard_id"] == "overview" && json["name"] == "Product Overview")
        #expect(json["meta"]?["from"] == "2026-01-01T00:00:00.000000Z" && json["meta"]?["to"] == .some(nil))
        #expect(json["meta"]?["as_of"]?["position"]?.asInteger != nil && json["meta"]?["time_zone"] == "UTC")
        let widgets = json["widgets"]
        let ids = widgets?.asArray?.map { $0["widget_id"] }
        #expect(ids == ["total_users", "active_users", "feature_adoption", "signup_funnel"])
        #expect(widgets?[0]?["type"] == "metric" && widgets?[0]?["title"] == "Total Users")
        #expect(widgets?[0]?["value"] == 4 && widgets?[1]?["value"] == 3)
        // 7 days ago, the 30 days before held u4; the 7 days before nobody.
        #expect(widgets?[0]?["trend"] == ["value": 4, "previous": 1, "change": 3.0, "days": 7])
        #expect(widgets?[1]?["trend"] == ["value": 3, "previous": 0, "change": nil, "days": 7])
        #expect(widgets?[2]?["chart_type"] == "bar")
        #expect(
            widgets?[2]?["data"] == [
                ["properties.feature_name": "export", "count_distinct_user_id": 2],
                ["properties.feature_name": "import", "count_distinct_user_id": 1],
            ])
        #expect(widgets?[2]?["columns"] == ["properties.feature_name", "count_distinct_user_id"])
        let funnel = widgets?[3]?["data"]
        let names = funnel?["steps"]?.asArray?.map { $0["step"] }
        #expect(names == ["Page View", "Click Signup", "Submit Form", "Sign Up"])
        #expect(funnel?["steps"]?.asArray?.map { $0["users"] } == [2, 1, 1, 1])
        #expect(funnel?["overall_conversion_rate"] == 0.5)
        #expect(widgets?.asArray?.map { $0["dates"] } == ["widget", "widget", "widget", "dashboard"])
        #expect(widgets?[0]?["meta"]?["from"] == "2026-10-25T00:00:00.000000Z")
    }

    @Test func aWidgetsOwnDatesWinUnlessTheCallSaysOtherwise() throws {
        let boards = try BoardFolder()
        for days: Int64 in [0, 1, 2, 10] {
            try boards.served.commit("e", user: "u", micros: Self.noon - days * Self.day)
        }
        let id = try boards.create(
            [
                Self.metric(("filters", ["start_date": "yesterday"])),
                ["widget_id": "n", "type": "metric", "title": ""],
            ], [.init("date_range", ["start": "5_days_ago"])])
        func values(_ query: (String, String)...) throws -> [JSONValue?] {
            let widgets = try boards.widgets(id, query)
            return [0, 1].flatMap { [widgets[$0]?["value"], widgets[$0]?["dates"]] }
        }
        #expect(try values() == [2, "widget", 3, "dashboard"])
        #expect(try values(("start", "30_days_ago")) == [2, "widget", 4, "dashboard"])
        #expect(try values(("start", "2_days_ago"), ("end", "2_days_ago")) == [2, "widget", 1, "dashboard"])
        #expect(
            try values(("start", "30_days_ago"), ("override_dates", "true")) == [4, "dashboard", 4, "dashboard"])
        // The dashboard's own dates are the call's where it names none.
        #expect(try values(("override_dates", "true")) == [3, "dashboard", 3, "dashboard"])
    }

    /// A day that is half over is compared with half a day.
    @Test func aTrendIsCutAtNow() throws {
        let boards = try BoardFolder()
        let hour: Int64 = 3_600_000_000
        for hours: Int64 in [-1, 1] {
            try boards.served.commit("e", user: "u", micros: Self.noon - Self.day + hours * hour)
        }
        try boards.served.commit("e", user: "u", micros: Self.noon - hour)
        let id = try boards.create([
            Self.metric(("filters", ["start_date": "today", "end_date": "today"]), ("trend", "1_day"))
        ])
        #expect(try boards.widgets(id)[0]?["trend"] == ["value": 1, "previous": 1, "change": 0.0, "days": 1])
    }

    /// Calendar days: on the day after a clock change, the same clock time of the day before is 23 or 25 hours ago.
    @Test func aTrendMovesBackByCalendarDays() throws {
        let boards = try BoardFolder()
        // 2026-10-25: Berlin's clocks went back at 01:00 UTC. Now: 2026-10-26 00:30 in Berlin.
        boards.advance(-BoardFolder.noon + 1_792_971_000_000_000)
        let now: Int64 = 1_792_971_000_000_000
        let hour: Int64 = 3_600_000_000
        // 25 hours ago it was 00:30 of the day before; 24½ hours ago 01:00.
        try boards.served.commit("e", user: "u", micros: now - 25 * hour - 60_000_000)
        try boards.served.commit("e", user: "u", micros: now - 24 * hour - hour / 2)
        let id = try boards.create([
            Self.metric(("filters", ["start_date": "today", "end_date": "today"]), ("trend", "1_days"))
        ])
        let widget = try boards.widgets(id, [("time_zone", "Europe/Berlin")])[0]
        #expect(widget?["trend"] == ["value": 0, "previous": 1, "change": -1.0, "days": 1])
    }

    /// A day of 25 hours and one of 23: what their clocks show is not the time since midnight.
    @Test(
        arguments: [
            // 2026-10-25, 23:30 in Berlin, and the day before, 23:15 and 23:45.
            (1_792_967_400_000_000, [1_792_876_500_000_000, 1_792_878_300_000_000]),
            // 2026-03-29, 15:00 in Berlin, and the day before, 14:45 and 15:15.
            (1_774_789_200_000_000, [1_774_705_500_000_000, 1_774_707_300_000_000]),
        ] as [(Int64, [Int64])]) func aTrendEndsAtTheClockTimeOfNow(now: Int64, events: [Int64]) throws
    {
        let boards = try BoardFolder()
        boards.advance(-BoardFolder.noon + now)
        for micros in events { try boards.served.commit("e", user: "u", micros: micros) }
        let id = try boards.create([
            Self.metric(("filters", ["start_date": "today", "end_date": "today"]), ("trend", "1_day"))
        ])
        let widget = try boards.widgets(id, [("time_zone", "Europe/Berlin")])[0]
        #expect(widget?["trend"] == ["value": 0, "previous": 1, "change": -1.0, "days": 1])
    }

    @Test func chartsAreComparedWithThePeriodBefore() throws {
        let boards = try BoardFolder()
        for days in [0, 1, 1, 2, 3, 3, 3] {
            try boards.served.commit("e", user: "u", micros: Self.noon - Int64(days) * Self.day - 1)
        }
        let id = try boards.create([
            [
                "widget_id": "c", "type": "chart", "dimensions": ["day"], "metrics": ["count"],
                "chart_type": "line", "order_by": ["day"],
            ],
            Self.metric(),
        ])
        let widgets = try boards.widgets(id, [("start", "yesterday"), ("end", "today"), ("compare", "true")])
        #expect(widgets[0]?["data"]?.asArray?.map { $0["count"] } == [2, 1])
        #expect(widgets[0]?["previous"]?.asArray?.map { $0["day"] } == ["2026-11-21", "2026-11-22"])
        #expect(widgets[0]?["previous"]?.asArray?.map { $0["count"] } == [3, 1])
        // A metric that names no trend of its own takes the same period.
        #expect(widgets[1]?["trend"] == ["value": 3, "previous": 4, "change": -0.25, "days": 2])
        let alone = try boards.widgets(id, [("start", "yesterday")])
        #expect(alone[0]?["previous"] == nil && alone[1]?["trend"] == .some(nil))
        // All time has no period before it.
        #expect(try boards.widgets(id, [("compare", "true")])[0]?["previous"] == nil)
    }

    @Test func filtersOfDashboardWidgetAndCallAllHold() throws {
        let boards = try BoardFolder()
        for (index, (plan, country)) in [("a", "DE"), ("a", "AT"), ("b", "DE"), ("a", "DE")].enumerated() {
            for type in ["page_view", "click"] {
                try boards.served.commit(
                    type, user: "u\(index)", micros: Self.noon - Self.day,
                    ["plan": .string(plan), "country": .string(country)])
            }
        }
        let id = try boards.create(
            [
                Self.metric(("filters", ["event_type": "click", "start_date": "2_days_ago"])),
                [
                    "widget_id": "f", "type": "funnel",
                    "funnel_steps": [["event_type": "click"], ["event_type": "page_view"]],
                ],
            ], [.init("filters", ["plan": "a"])])
        let own = try boards.widgets(id)
        #expect(own[0]?["value"] == 3 && own[1]?["data"]?["steps"]?[0]?["users"] == 3)
        let filtered = try boards.widgets(id, [("filters", #"{"or":[{"country":"DE"},{"country":"FR"}]}"#)])
        #expect(filtered[0]?["value"] == 2 && filtered[1]?["data"]?["steps"]?[0]?["users"] == 2)
    }

    @Test func aWidgetThatFailsStopsNoOther() throws {
        let boards = try BoardFolder()
        for (currency, amount) in [("EUR", 1.0), ("USD", 2.0)] {
            try boards.served.commit(
                "purchase", user: "u", micros: Self.noon,
                ["currency": .string(currency), "amount": .float64(amount)])
        }
        let id = try boards.create([
            Self.metric(("metrics", [["type": "sum", "field": "amount"]])),
            ["widget_id": "n", "type": "metric"],
        ])
        let widgets = try boards.widgets(id)
        #expect(widgets[0]?["error"]?["code"] == "mixed_currencies" && widgets[0]?["value"] == nil)
        #expect(widgets[0]?["title"] == "Events")
        #expect(widgets[1]?["value"] == 2 && widgets[1]?["error"] == nil)
    }

    @Test func aTableShowsTheColumnsThatItNames() throws {
        let boards = try BoardFolder()
        for (type, user) in [("a", "u"), ("a", "v"), ("b", "u")] {
            try boards.served.commit(type, user: user, micros: Self.noon)
        }
        let table: JSONValue = [
            "widget_id": "t", "type": "table", "title": "Types", "dimensions": ["event_type"],
            "metrics": ["count", ["type": "count_distinct", "field": "user_id", "alias": "people"]],
            "order_by": ["count DESC"], "limit": 10, "columns": ["people", "event_type"],
        ]
        let id = try boards.create([table])
        let widget = try boards.widgets(id)[0]
        #expect(widget?["columns"] == ["people", "event_type"])
        #expect(widget?["data"] == [["people": 2, "event_type": "a"], ["people": 1, "event_type": "b"]])
    }

    @Test func rowsPastTheMaximumAreLeftOutAndTold() throws {
        let boards = try BoardFolder()
        for index in 0...Widget.rowCountMax {
            try boards.served.commit("e", user: "u\(index)", micros: Self.noon)
        }
        let id = try boards.create([
            ["widget_id": "t", "type": "table", "dimensions": ["user_id"]],
            ["widget_id": "l", "type": "table", "dimensions": ["user_id"], "limit": 1001],
        ])
        let widgets = try boards.widgets(id)
        #expect(widgets[0]?["data"]?.asArray?.count == 1000)
        #expect(widgets[0]?["meta"]?["warnings"]?.asArray?.count == 1)
        #expect(widgets[1]?["data"]?.asArray?.count == 1001)
        #expect(widgets[1]?["meta"]?["warnings"] == [])
    }

    @Test func dataThatTheClientHasAreNotComputedAgain() throws {
        let boards = try BoardFolder()
        try boards.served.commit("e", user: "u", micros: Self.noon)
        func data(_ tag: String?, _ query: [(String, String)] = []) throws -> HTTPResponse {
            let headers = tag.map { [("If-None-Match", $0)] } ?? []
            return try boards.api.data(boards.call(["id": "overview"], query: query, headers: headers))
        }
        let first = try data(nil)
        let tag = try #require(first.headers["ETag"])
        let asked = boards.moment.askedCount.load(ordering: .relaxed)
        boards.advance(59_000_000)
        let second = try data(tag)
        #expect(second.status == 304 && second.body.isEmpty && second.headers["ETag"] == tag)
        #expect(boards.moment.askedCount.load(ordering: .relaxed) == asked)
        #expect(try data(tag, [("time_zone", "Asia/Tokyo")]).status == 200)
        #expect(try data(tag, [("filters", #"{"event_type":"e"}"#)]).status == 200)
        try boards.served.commit("e", user: "u", micros: Self.noon)
        let third = try data(tag)
        #expect(third.status == 200 && third.headers["ETag"] != tag)
        boards.advance(Self.day)
        #expect(try data(third.headers["ETag"]).status == 200)
    }

    /// Provisioned dashboards have the same id and version in every project, and all projects share one log.
    @Test func anotherProjectsDataAreOtherData() throws {
        let boards = try BoardFolder()
        try boards.served.createProject("other")
        try boards.served.commit("e", user: "u", micros: Self.noon)
        let one = try boards.api.data(boards.call(["id": "overview"]))
        let headers = [("If-None-Match", try #require(one.headers["ETag"]))]
        let other = try boards.api.data(boards.call(["id": "overview"], headers: headers, project: "other"))
        #expect(other.status == 200 && other.headers["ETag"] != one.headers["ETag"])
        #expect(try boards.api.data(boards.call(["id": "overview"], headers: headers)).status == 304)
    }

    /// A question that ran out of time may be answered the next time.
    @Test func dataWithAPassingFailureHaveNoTag() throws {
        let boards = try BoardFolder()
        let tag = try boards.api.data(boards.call(["id": "overview"])).headers["ETag"]
        #expect(tag != nil)
        boards.moment.failure.withLock { $0 = .timeout(.seconds(1)) }
        let failed = try boards.api.data(boards.call(["id": "overview"]))
        #expect(failed.status == 200 && failed.headers["ETag"] == nil)
        #expect(failed.headers["Cache-Control"] == "no-store")
        #expect(try failed.json()["widgets"]?[0]?["error"]?["code"] == "timeout")
        // What the question itself is refused for does not pass.
        boards.moment.failure.withLock { $0 = .invalid("metrics", "no") }
        #expect(try boards.api.data(boards.call(["id": "overview"])).headers["ETag"] == tag)
    }

    @Test func howFarDataAreBehindIsPartOfThem() throws {
        let boards = try BoardFolder()
        try boards.served.commit("e", user: "u", micros: Self.noon)
        func data(_ tag: String?) throws -> HTTPResponse {
            let headers = tag.map { [("If-None-Match", $0)] } ?? []
            return try boards.api.data(boards.call(["id": "overview"], headers: headers))
        }
        boards.moment.recordsBehind.withLock { $0 = 5 }
        let first = try data(nil)
        #expect(try first.json()["widgets"]?[0]?["meta"]?["behind"]?["records"] == 5)
        #expect(try data(first.headers["ETag"]).status == 304)
        for records: UInt64 in [6, 0] {
            boards.moment.recordsBehind.withLock { $0 = records }
            #expect(try data(first.headers["ETag"]).status == 200)
        }
    }

    @Test(arguments: [
        ("start", "soon", "start"), ("end", "soon", "end"), ("time_zone", "Mars", "time_zone"),
        ("override_dates", "1", "override_dates"), ("compare", "yes", "compare"), ("filters", "{", "filters"),
        ("filters", "[]", "filters"), ("filters", #"{"start_date":"today"}"#, "filters.start_date"),
    ]) func aBadParameterIsNamed(name: String, value: String, path: String) throws {
        let request = HTTPRequest(
            method: "GET", path: "/", query: [(name: name, value: value)], headers: HTTPHeaders(), body: [],
            peerAddress: "")
        let refused = problem {
            _ = try DataOptions(request, takesFilters: true, QuestionContext(atMicros: Self.noon))
            return .noContent
        }
        #expect(refused?.status == 400 && refused?.path == path)
    }

    @Test func nothingIsZeroAndNoProjectIsAnError() throws {
        let boards = try BoardFolder()
        let widgets = try boards.widgets("overview")
        #expect(widgets[0]?["value"] == 0 && widgets[2]?["data"] == [])
        #expect(widgets[3]?["data"]?["overall_conversion_rate"] == 0.0)
        #expect(problem { try boards.api.data(boards.call(["id": "overview"], project: "none")) }?.status == 404)
        #expect(problem { try boards.api.data(boards.call(["id": "none"])) }?.status == 404)
    }
}
