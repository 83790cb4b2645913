import Crypto
import HTTPServer
import JSON
import Testing

@testable import QueryServer

/// Links that show a dashboard to whoever has them.
@Suite struct SharesTests {
    private func share(_ boards: BoardFolder, _ id: String, days: Int64 = 7) throws -> (id: String, token: String) {
        let made = try boards.api.share(boards.call(["id": id], ["days": .integer(days)]))
        let json = try made.json()
        let url = try #require(json["url"]?.asString)
        #expect(made.status == 201 && url.hasPrefix("http://h:1/#/shared/"))
        return (try #require(json["share_id"]?.asString), String(url.dropFirst("http://h:1/#/shared/".count)))
    }

    @Test func aLinkShowsTheDashboardWithoutItsFilters() throws {
        let boards = try BoardFolder()
        try boards.served.commit("e", user: "u", micros: BoardFolder.noon)
        let id = try boards.create(
            [["widget_id": "a", "type": "metric", "title": "T", "filters": ["user_id": "u"]]],
            [.init("filters", ["user_id": "u"]), .init("time_zone", "UTC")])
        let (_, token) = try share(boards, id)
        let shown = try boards.api.shared(boards.call(["token": token])).json()
        #expect(shown["name"] == "Mine" && shown["time_zone"] == "UTC" && shown["read_only"] == true)
        #expect(shown["widgets"] == [["widget_id": "a", "type": "metric", "title": "T"]])
        #expect(shown["filters"] == nil && shown["expires_at"] == "2026-12-01T12:00:00.000000Z")
        let data = try boards.api.sharedData(boards.call(["token": token], query: [("start", "today")])).json()
        #expect(data["widgets"]?[0]?["value"] == 1)
        let filtered = problem {
            try boards.api.sharedData(boards.call(["token": token], query: [("filters", "{}")]))
        }
        #expect(filtered?.status == 403)
    }

    @Test func provisionedDashboardsAreSharedToo() throws {
        let boards = try BoardFolder()
        let (_, token) = try share(boards, "overview")
        #expect(try boards.api.shared(boards.call(["token": token])).json()["name"] == "Product Overview")
        #expect(try boards.api.sharedData(boards.call(["token": token])).status == 200)
    }

    @Test(arguments: [
        #"{"dimensions":["user_id"]}"#, #"{"dimensions":[],"group_by":["session_id"]}"#,
        #"{"dimensions":["properties.event_id"]}"#, #"{"group_by":["event_type","anonymous_id"]}"#,
        #"{"dimensions":"user_id"}"#, #"{"dimensions":["properties.userId"]}"#, #"{"dimensions":["User-ID"]}"#,
        #"{"dimensions":["email"]}"#, #"{"group_by":["traits.phone_number"],"dimensions":[]}"#,
        #"{"metrics":[{"type":"max","field":"properties.user_id"}]}"#,
        #"{"metrics":["count",{"type":"min","field":"position","alias":"first"}]}"#,
    ]) func aWidgetThatNamesPeopleIsNotShown(more: String) throws {
        let boards = try BoardFolder()
        try boards.served.commit(
            "e", user: "secret-user", micros: BoardFolder.noon,
            ["user_id": .int64(77_345), "email": .string("secret-user@h")])
        var widget = try #require(try JSONValue(parsing: more).asObject)
        (widget["widget_id"], widget["type"]) = ("a", "table")
        let id = try boards.create([.object(widget), ["widget_id": "b", "type": "metric"]])
        #expect(try boards.widgets(id)[0]?["error"] == nil)
        let (_, token) = try share(boards, id)
        let response = try boards.api.sharedData(boards.call(["token": token]))
        let widgets = try response.json()["widgets"]
        #expect(widgets?[0]?["error"]?["code"] == "private" && widgets?[0]?["data"] == nil)
        #expect(widgets?[1]?["value"] == 1)
        let text = String(decoding: response.body, as: UTF8.self)
        #expect(!text.contains("secret-user") && !text.contains("77345"))
    }

    /// Neither names of filters, in warnings, nor how many events there are beside those that are counted.
    @Test func whatALinkSaysOfAnAnswerIsItsRangeAndItsMoment() throws {
        let boards = try BoardFolder()
        try boards.served.commit("e", user: "u", micros: BoardFolder.noon)
        let id = try boards.create([["widget_id": "a", "type": "metric", "filters": ["user_idd": "secret"]]])
        #expect(try boards.widgets(id)[0]?["meta"]?["warnings"]?.asArray?.count == 1)
        let (_, token) = try share(boards, id)
        let response = try boards.api.sharedData(boards.call(["token": token], query: [("start", "today")]))
        let meta = try response.json()["widgets"]?[0]?["meta"]
        #expect(meta?.asObject?.members.map(\.name) == ["as_of", "from", "to", "time_zone", "exact", "warnings"])
        #expect(meta?["warnings"] == [] && meta?["from"] == "2026-11-24T00:00:00.000000Z")
        #expect(!String(decoding: response.body, as: UTF8.self).contains("user_idd"))
    }

    /// How many there are names nobody.
    @Test func peopleAreCountedForALink() throws {
        let boards = try BoardFolder()
        try boards.served.commit("e", user: "secret-user", micros: BoardFolder.noon)
        let counted: JSONValue = [["type": "count_distinct", "field": "user_id"]]
        let id = try boards.create([
            ["widget_id": "a", "type": "metric", "metrics": counted],
            ["widget_id": "b", "type": "chart", "dimensions": ["day", "event_type"], "metrics": counted],
        ])
        let (_, token) = try share(boards, id)
        let widgets = try boards.api.sharedData(boards.call(["token": token])).json()["widgets"]
        #expect(widgets?[0]?["value"] == 1 && widgets?[1]?["data"]?[0]?["count_distinct_user_id"] == 1)
    }

    @Test func aLinkEndsWhenItIsTakenBackOrOverOrTheDashboardIsGone() throws {
        let boards = try BoardFolder()
        let id = try boards.create([])
        let (first, firstToken) = try share(boards, id)
        let (_, secondToken) = try share(boards, id, days: 1)
        let (_, thirdToken) = try share(boards, id, days: 365)
        func status(_ token: String) -> Int {
            problem { try boards.api.shared(boards.call(["token": token])) }?.status ?? 200
        }
        func listedCount() throws -> Int? { try boards.api.shares.list(boards.call()).json()["shares"]?.asArray?.count }
        #expect(try listedCount() == 3)
        #expect(try boards.api.shares.delete(boards.call(["id": first])).status == 204)
        #expect(problem { try boards.api.shares.delete(boards.call(["id": first])) }?.status == 404)
        #expect(status(firstToken) == 404 && status(secondToken) == 200)
        boards.advance(BoardFolder.day)
        #expect(status(secondToken) == 404 && status(thirdToken) == 200)
        #expect(try listedCount() == 1)
        #expect(try boards.api.delete(boards.call(["id": id])).status == 204)
        #expect(status(thirdToken) == 404)
        #expect(try listedCount() == 0)
    }

    @Test func theListSaysWhatEachLinkOpens() throws {
        let boards = try BoardFolder()
        let (id, token) = try share(boards, "overview")
        let listed = try boards.api.shares.list(boards.call()).json()["shares"]?[0]
        #expect(listed?["share_id"] == .string(id) && listed?["dashboard_id"] == "overview")
        #expect(listed?["url"] == .string("http://h:1/#/shared/" + token) && listed?["created_by"] == "tester")
        #expect(try boards.api.shares.list(boards.call(project: "other")).json()["shares"] == [])
    }

    @Test(arguments: [0, -1, 366]) func aLinkLastsADayToAYear(days: Int64) throws {
        let boards = try BoardFolder()
        let refused = problem { try boards.api.share(boards.call(["id": "overview"], ["days": .integer(days)])) }
        #expect(refused?.path == "days")
        #expect(problem { try boards.api.share(boards.call(["id": "none"], ["days": 1])) }?.status == 404)
    }

    @Test func aTokenIsReadAsItWasMade() {
        let key = HMACSHA256(key: [1, 2, 3])
        let link = ShareLink(project: "default", shareID: "shr_1", expirySeconds: 1_795_521_600)
        let token = link.token(key)
        #expect(ShareLink(token: token, key: key) == link)
        #expect(token.utf8.allSatisfy { $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "=") })
        #expect(ShareLink(token: token, key: HMACSHA256(key: [1, 2, 4])) == nil)
    }

    /// Every prefix and every changed character.
    @Test func aTokenThatWasTouchedOpensNothing() {
        let key = HMACSHA256(key: [1, 2, 3])
        let link = ShareLink(project: "default", shareID: "shr_1", expirySeconds: 1_795_521_600)
        let token = Array(link.token(key))
        for count in 0..<token.count { #expect(ShareLink(token: String(token[..<count]), key: key) == nil) }
        for index in token.indices {
            for other in ["A", "z", ".", "-", "é", "\u{0}"] as [Character] where other != token[index] {
                var touched = token
                touched[index] = other
                // The last character of the code holds bits that are no part of it.
                let read = ShareLink(token: String(touched), key: key)
                #expect(read == nil || (index == token.count - 1 && read == link))
            }
        }
    }
}
