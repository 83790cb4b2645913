import HTTPServer
import JSON
import Testing

@testable import QueryServer

/// Saved questions, and what people say of events and properties.
@Suite struct SavedQuestionsTests {
    private static let body: JSONValue = [
        "name": "Signups by day", "description": "For the weekly mail",
        "question": ["kind": "aggregate", "metrics": ["count"], "group_by": ["day"]], "view": ["chart": "line"],
    ]

    @Test func aQuestionComesBackAsItWasSaved() throws {
        let boards = try BoardFolder()
        let made = try boards.questions.create(boards.call([:], Self.body))
        let json = try made.json()
        let id = try #require(json["question_id"]?.asString)
        #expect(made.status == 201 && id.hasPrefix("qst_") && made.headers["Location"] == "/v1/questions/\(id)")
        for member in Self.body.asObject?.members ?? [] { #expect(json[member.name] == member.value) }
        #expect(json["kind"] == "aggregate" && json["version"] == 1)
        #expect(try boards.questions.get(boards.call(["id": id])).json() == json)
        var changed = try #require(json.asObject)
        changed["name"] = "Other"
        let put = boards.call(["id": id], .object(changed), headers: [("If-Match", "\"1\"")])
        #expect(try boards.questions.replace(put).json()["name"] == "Other")
        #expect(problem { try boards.questions.replace(put) }?.code == "version_conflict")
        #expect(try boards.questions.delete(boards.call(["id": id])).status == 204)
        #expect(problem { try boards.questions.get(boards.call(["id": id])) }?.status == 404)
        #expect(problem { try boards.questions.delete(boards.call(["id": id])) }?.status == 404)
    }

    @Test func aSearchLooksAtNameDescriptionAndKind() throws {
        let boards = try BoardFolder()
        _ = try boards.questions.create(boards.call([:], Self.body))
        let funnel: JSONValue = [
            "name": "Übergang", "question": ["kind": "funnel", "steps": [["event_type": "a"], ["event_type": "b"]]],
        ]
        _ = try boards.questions.create(boards.call([:], funnel))
        func names(_ text: String) throws -> [JSONValue?]? {
            let list = try boards.questions.list(boards.call(query: [("q", text)])).json()
            return list["questions"]?.asArray?.map { $0["name"] }
        }
        #expect(try names("") == ["Signups by day", "Übergang"])
        #expect(try names("SIGN") == ["Signups by day"] && names("weekly") == ["Signups by day"])
        #expect(try names("übER") == ["Übergang"] && names("funnel") == ["Übergang"] && names("none") == [])
        let listed = try boards.questions.list(boards.call()).json()["questions"]?[0]
        #expect(listed?["description"] == "For the weekly mail" && listed?["question"] == nil)
    }

    @Test(arguments: [
        ("{}", "name"), (#"{"name":"x"}"#, "question"),
        (#"{"name":"x","question":{"kind":"x"}}"#, "question.kind"),
        (#"{"name":"x","question":{"kind":"aggregate","metrics":[{"type":"x"}]}}"#, "question.metrics[0].type"),
        (#"{"name":"x","question":5}"#, "question"), (#"{"name":"x","query":{}}"#, "query"),
    ]) func aBadQuestionIsNotSaved(body: String, path: String) throws {
        let boards = try BoardFolder()
        let refused = problem { try boards.questions.create(boards.call([:], try JSONValue(parsing: body))) }
        #expect(refused?.status == 400 && refused?.path == path)
    }

    @Test func whatIsSaidOfEventsAndPropertiesIsKeptApart() throws {
        let boards = try BoardFolder()
        let said = try boards.descriptions.put(
            .event, boards.call(["name": "plan"], ["description": "A plan was chosen", "hidden": true])
        ).json()
        #expect(said == ["name": "plan", "description": "A plan was chosen", "hidden": true])
        _ = try boards.descriptions.put(.property, boards.call(["name": "traits.plan"], ["description": "Its name"]))
        _ = try boards.descriptions.put(.property, boards.call(["name": "traits.plan"], ["description": "The name"]))
        let bare = problem { try boards.descriptions.put(.property, boards.call(["name": "plan"], [:])) }
        #expect(bare?.path == "name")
        let events = try boards.descriptions.all(.event, project: "default")
        #expect(events == [Array("plan".utf8): Descriptions.Item(description: "A plan was chosen", isHidden: true)])
        let properties = try boards.descriptions.all(.property, project: "default")
        #expect(properties == [Array("traits.plan".utf8): Descriptions.Item(description: "The name", isHidden: false)])
        #expect(try boards.descriptions.all(.event, project: "other").isEmpty)
        // "é" in one character and in two: the same to look at, two names.
        let names = ["caf\u{e9}", "cafe\u{301}"]
        for (index, name) in names.enumerated() {
            _ = try boards.descriptions.put(.event, boards.call(["name": name], ["description": "\(index)"]))
        }
        let all = try boards.descriptions.all(.event, project: "default")
        #expect(names.map { all[Array($0.utf8)]?.description } == ["0", "1"])
        let refused = problem { try boards.descriptions.put(.event, boards.call(["name": "x"], ["hidden": "yes"])) }
        #expect(refused?.path == "hidden")
    }

    /// Over HTTP: who may, and that the routes are there.
    @Test func readersReadAndWritersWrite() async throws {
        let served = try ServedFolder()
        let reader = ["Authorization": "Bearer " + (try served.addToken("reader", .read, ["default"]))]
        let writer = ["Authorization": "Bearer " + (try served.token("query"))]
        let body = #"{"name":"x","widgets":[]}"#
        #expect(try await served.send("POST", "/v1/dashboards", reader, body).status == 403)
        let made = try await served.send("POST", "/v1/dashboards", writer, body)
        let location = try #require(made.headers["location"])
        #expect(made.status == 201)
        for path in ["/v1/dashboards", location, location + "/data", "/v1/questions"] {
            #expect(try await served.send("GET", path, reader).status == 200, "\(path)")
            #expect(try await served.send("GET", path).status == 401, "\(path)")
        }
        #expect(try await served.send("DELETE", location, reader).status == 403)
        let share = try await served.send("POST", location + "/shares", writer, #"{"days":1}"#)
        let url = try #require(share.json?["url"]?.asString)
        let token = try #require(url.split(separator: "/").last)
        #expect(url.hasPrefix("http://127.0.0.1:\(served.port)/#/shared/"))
        #expect(try await served.send("GET", "/v1/shared/\(token)").status == 200)
        #expect(try await served.send("GET", "/v1/shared/\(token)/data").status == 200)
        #expect(try await served.send("GET", "/v1/shared/\(token)x/data").status == 404)
        let described = try await served.send("PUT", "/v1/properties/properties.plan", writer, #"{"hidden":true}"#)
        #expect(described.status == 200 && described.json?["name"] == "properties.plan")
        #expect(try await served.send("PUT", "/v1/events/names/click", reader, "{}").status == 403)
        #expect(try await served.send("DELETE", location, writer).status == 204)
    }
}
