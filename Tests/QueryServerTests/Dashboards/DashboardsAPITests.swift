import Config
import HTTPServer
import JSON
import Metadata
import Query
import TestSupport
import Testing

@testable import QueryServer

/// Definitions: stored, provisioned, copied.
@Suite struct DashboardsAPITests {
    private static let metric: JSONValue = [
        "widget_id": "a", "type": "metric", "title": "Events", "metrics": ["count"], "width": 2,
    ]

    @Test func aDashboardComesBackAsItWasStored() throws {
        let boards = try BoardFolder()
        let body: JSONValue = [
            "name": "Größe 🌊", "widgets": [Self.metric], "filters": ["location.country": "DE"],
            "date_range": ["start": "7_days_ago"], "time_zone": "Europe/Berlin", "compare": true,
        ]
        let made = try boards.api.create(boards.call([:], body))
        let json = try made.json()
        let id = try #require(json["dashboard_id"]?.asString)
        #expect(made.status == 201 && made.headers["Location"] == "/v1/dashboards/\(id)")
        #expect(id.hasPrefix("dash_") && id.utf8.count == 37)
        for member in body.asObject?.members ?? [] { #expect(json[member.name] == member.value, "\(member.name)") }
        #expect(json["version"] == 1 && json["read_only"] == false)
        #expect(json["created_at"] == "2026-11-24T12:00:00.000000Z" && json["updated_at"] == json["created_at"])
        let got = try boards.api.get(boards.call(["id": id]))
        #expect(try got.json() == json)
        #expect(got.headers["ETag"] == "\"1\"")
        // An answer may be sent back as it is.
        let again = try boards.api.replace(boards.call(["id": id], json)).json()
        #expect(again["version"] == 2 && again["widgets"] == json["widgets"])
    }

    @Test func theListHasProvisionedOnesFirst() throws {
        let boards = try BoardFolder()
        let id = try boards.create([Self.metric])
        let list = try boards.api.list(boards.call()).json()["dashboards"]
        #expect(
            list == [
                [
                    "dashboard_id": "overview", "name": "Product Overview", "widget_count": 4, "read_only": true,
                    "updated_at": nil,
                ],
                [
                    "dashboard_id": .string(id), "name": "Mine", "widget_count": 1, "read_only": false,
                    "updated_at": "2026-11-24T12:00:00.000000Z",
                ],
            ])
        #expect(try boards.api.list(boards.call(project: "other")).json()["dashboards"]?.asArray?.count == 1)
        #expect(problem { try boards.api.get(boards.call(["id": id], project: "other")) }?.status == 404)
    }

    @Test func aProvisionedOneIsCopiedToBeChanged() throws {
        let boards = try BoardFolder()
        for refused in [
            problem { try boards.api.replace(boards.call(["id": "overview"], ["name": "x", "widgets": []])) },
            problem { try boards.api.delete(boards.call(["id": "overview"])) },
        ] {
            #expect(refused?.status == 409 && refused?.code == "read_only")
            #expect(refused?.message.contains("duplicate it to edit") == true)
        }
        let original = try boards.api.get(boards.call(["id": "overview"])).json()
        let copy = try boards.api.duplicate(boards.call(["id": "overview"]))
        let json = try copy.json()
        #expect(copy.status == 201 && json["name"] == "Copy of Product Overview" && json["read_only"] == false)
        #expect(json["widgets"] == original["widgets"])
        let id = try #require(json["dashboard_id"]?.asString)
        let named = try boards.api.duplicate(boards.call(["id": id], ["name": "Other"])).json()
        #expect(named["name"] == "Other")
        #expect(try boards.api.delete(boards.call(["id": id])).status == 204)
        #expect(problem { try boards.api.get(boards.call(["id": id])) }?.code == "not_found")
        #expect(problem { try boards.api.duplicate(boards.call(["id": id])) }?.status == 404)
    }

    @Test func aStaleWriteIsRefusedIfItSaysWhatItSaw() throws {
        let boards = try BoardFolder()
        let id = try boards.create([])
        func put(_ match: String?) throws -> HTTPResponse {
            try boards.api.replace(
                boards.call(
                    ["id": id], ["name": "x", "widgets": []], headers: match.map { [("If-Match", $0)] } ?? []))
        }
        #expect(try put("\"1\"").json()["version"] == 2)
        let stale = problem { try put("\"1\"") }
        #expect(stale?.status == 412 && stale?.code == "version_conflict")
        #expect(try put("W/\"2\"").json()["version"] == 3)
        #expect(try put("*").json()["version"] == 4)
        #expect(try put(nil).json()["version"] == 5)
        #expect(problem { try put("5") }?.path == "If-Match")
        let deletion = problem {
            try boards.api.delete(boards.call(["id": id], headers: [("If-Match", "\"1\"")]))
        }
        #expect(deletion?.status == 412)
    }

    @Test(arguments: [
        ("{}", "name"), (#"{"name":"","widgets":[]}"#, "name"), (#"{"name":5,"widgets":[]}"#, "name"),
        (#"{"name":"x"}"#, "widgets"), (#"{"name":"x","widgets":{}}"#, "widgets"),
        (#"{"name":"x","widgets":[],"widget":1}"#, "widget"), (#"{"name":"x","widgets":[5]}"#, "widgets[0]"),
        (#"{"name":"x","widgets":[{"type":"metric"}]}"#, "widgets[0].widget_id"),
        (#"{"name":"x","widgets":[{"widget_id":"a"}]}"#, "widgets[0].type"),
        (#"{"name":"x","widgets":[{"widget_id":"a","type":"gauge"}]}"#, "widgets[0].type"),
        (
            #"{"name":"x","widgets":[{"widget_id":"a","type":"metric"},{"widget_id":"a","type":"metric"}]}"#,
            "widgets[1].widget_id"
        ),
        (#"{"name":"x","widgets":[],"filters":{"start_date":"today"}}"#, "filters.start_date"),
        (#"{"name":"x","widgets":[],"filters":{"field":"a","op":"is","value":1}}"#, "filters.op"),
        (#"{"name":"x","widgets":[],"date_range":{"start":"soon"}}"#, "date_range.start"),
        (#"{"name":"x","widgets":[],"date_range":{"from":"today"}}"#, "date_range.from"),
        (#"{"name":"x","widgets":[],"time_zone":"Mars"}"#, "time_zone"),
        (#"{"name":"x","widgets":[],"compare":"yes"}"#, "compare"),
    ])
    func aBadDashboardIsToldWhatIsWrongAndWhere(body: String, path: String) throws {
        let refused = Self.refusal(of: try JSONValue(parsing: body))
        #expect(refused?.status == 400 && refused?.path == path)
    }

    private static func refusal(of body: JSONValue) -> Problem? {
        do throws(Problem) {
            _ = try Dashboard.read(body, QuestionContext(atMicros: BoardFolder.noon))
            return nil
        } catch {
            return error
        }
    }

    /// Whatever is made of a good dashboard is read or refused.
    @Test func noChangedByteTraps() throws {
        let whole = try #require(try ConfigFiles().dashboards().first.map { JSONValue.object($0.json).encoded() })
        var random = SeededRandom(seed: 11)
        for index in whole.indices {
            var bytes = whole
            bytes[index] = UInt8.random(in: 0x20...0x7E, using: &random)
            let json: JSONValue
            do throws(JSONError) { json = try JSONValue(parsing: bytes) } catch { continue }
            if let refused = Self.refusal(of: json) { #expect(refused.status == 400, "at \(index)") }
        }
    }

    @Test func whatIsRefusedIsNotStored() throws {
        let boards = try BoardFolder()
        #expect(problem { try boards.api.create(boards.call([:], ["name": "x", "widgets": [5]])) }?.status == 400)
        #expect(try boards.api.list(boards.call()).json()["dashboards"]?.asArray?.count == 1)
    }

    @Test(arguments: [
        (#"{"type":"metric","metrics":[{"type":"cuont"}]}"#, "metrics[0].type"),
        (#"{"type":"metric","metrics":["count","count"]}"#, "metrics"),
        (#"{"type":"metric","dimensions":["day"]}"#, "dimensions"),
        (#"{"type":"metric","trend":"7_weeks"}"#, "trend"), (#"{"type":"metric","trend":"0_days"}"#, "trend"),
        (#"{"type":"metric","chart_type":"bar"}"#, "chart_type"), (#"{"type":"metric","tittle":"x"}"#, "tittle"),
        (#"{"type":"metric","width":5}"#, "width"), (#"{"type":"metric","filters":[]}"#, "filters"),
        (#"{"type":"metric","filters":{"start_date":"2026-01-01","end_date":"2025-01-01"}}"#, "filters.end_date"),
        (#"{"type":"chart","chart_type":"radar"}"#, "chart_type"), (#"{"type":"chart","limit":0}"#, "limit"),
        (#"{"type":"chart","dimensions":["day"],"order_by":["nothing DESC"]}"#, "order_by[0]"),
        (#"{"type":"funnel","funnel_steps":[{"event_type":"a"}]}"#, "funnel_steps"),
        (#"{"type":"funnel","funnel_steps":[{"event_type":"a"},{"name":"b"}]}"#, "funnel_steps[1].event_type"),
        (#"{"type":"funnel","funnel_steps":[{"event_type":"a"},{"event_type":"b"}],"window":"soon"}"#, "window"),
        (#"{"type":"table","dimensions":["event_type"],"columns":["event_type","sum"]}"#, "columns[1]"),
        (#"{"type":"table","columns":[1]}"#, "columns[0]"),
    ])
    func aBadWidgetIsToldWhatIsWrongAndWhere(widget: String, path: String) throws {
        var object = try #require(try JSONValue(parsing: widget).asObject)
        object["widget_id"] = "a"
        let other: JSONValue = ["widget_id": "b", "type": "metric"]
        let refused = Self.refusal(of: ["name": "x", "widgets": [other, .object(object)]])
        #expect(refused?.status == 400 && refused?.path == "widgets[1]." + path)
    }

    @Test func aNameThatIsAlmostRightIsGuessed() throws {
        let refused = Self.refusal(
            of: ["name": "x", "widgets": [["widget_id": "a", "type": "metric", "tittle": "T"]]])
        #expect(refused?.message == #"unknown field "tittle"; did you mean "title"?"#)
        #expect(refused?.allowed.contains("trend") == true)
    }

    @Test(arguments: [
        ("dashboards:\n  a:\n    widgets: []\n", "c.yaml:2: dashboards.a.name: missing"),
        (
            "dashboards:\n  a:\n    name: A\n    widgets:\n      - widget_id: w\n        type: metric\n"
                + "        tren: 1\n",
            #"c.yaml:7: dashboards.a.widgets[0].tren: unknown field "tren"; did you mean "trend"?"#
        ),
        (
            "dashboards:\n  a:\n    name: A\n    widgets: []\n    filter: {}\n",
            #"c.yaml:5: dashboards.a.filter: unknown field "filter"; did you mean "filters"?"#
        ),
        (
            "dashboards:\n  a:\n    name: A\n    widgets:\n      - {widget_id: w, type: metric,\n"
                + "         metrics: [{type: cuont}]}\n",
            #"c.yaml:6: dashboards.a.widgets[0].metrics[0].type: unknown metric "cuont"; did you mean "count"?"#
        ),
    ])
    func aProvisionedDashboardThatIsWrongNamesFileAndLine(text: String, message: String) throws {
        let files = try ConfigFiles([("c.yaml", Array(text.utf8))], environment: [:])
        let error = #expect(throws: ConfigError.self) {
            try DashboardSettings(files, dataFolder: "d", environment: [:])
        }
        #expect(error?.description == message)
    }

    @Test(arguments: ["a b", "dash_1", "ä"]) func aKeyIsAPlainWord(key: String) throws {
        let files = try ConfigFiles([("c.yaml", Array("dashboards: {'\(key)': {}}".utf8))], environment: [:])
        let error = #expect(throws: ConfigError.self) {
            try DashboardSettings(files, dataFolder: "d", environment: [:])
        }
        #expect(error?.line == 1)
    }

    /// The database is away: what is stored cannot be had, what is configured can.
    @Test func withoutADatabaseProvisionedDashboardsAreShown() throws {
        let boards = try BoardFolder(store: MetadataPlace.none(reason: "gone"))
        let refused = problem { try boards.api.list(boards.call()) }
        #expect(refused?.status == 503 && refused?.code == "unavailable")
        // Why is for the log: it may name hosts, users and folders.
        #expect(refused?.message.contains("gone") == false)
        #expect(problem { try boards.api.create(boards.call([:], ["name": "x", "widgets": []])) }?.status == 503)
        #expect(try boards.api.get(boards.call(["id": "overview"])).status == 200)
        #expect(try boards.api.data(boards.call(["id": "overview"])).status == 200)
    }
}
