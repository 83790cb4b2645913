import Config
import JSON
import Query
import Testing
import Zones

@testable import QueryServer

@Suite struct CacheTests {
    private static let count = #"{"kind":"aggregate","metrics":["count"]}"#

    private func isCached(
        _ served: ServedFolder, _ body: String, _ headers: [String: String] = [:]
    ) async throws -> Bool? {
        let all = headers.merging(["Authorization": "Bearer " + (try served.token())]) { $1 }
        let reply = try await served.send("POST", "/v1/query", all, body)
        #expect(reply.status == 200)
        return reply.json?["meta"]?["cached"]?.asBool
    }

    @Test func anAnswerIsKeptUntilSomethingIsNew() async throws {
        let served = try ServedFolder()
        try served.commit("click", user: "u", micros: 1_700_000_000_000_000)
        #expect(try await isCached(served, Self.count) == false)
        #expect(try await isCached(served, Self.count) == true)
        // The same question in another order, and with what only concerns the call.
        let same = #"{"query_id":"a","metrics":["count"],"timeout_ms":5000,"kind":"aggregate","project":"default"}"#
        #expect(try await isCached(served, same) == true)
        #expect(try await isCached(served, #"{"kind":"aggregate","metrics":["count"],"limit":5}"#) == false)
        #expect(try await isCached(served, Self.count, ["Cache-Control": "no-cache"]) == false)
        try served.commit("click", user: "u", micros: 1_700_000_000_000_001)
        #expect(try await isCached(served, Self.count) == false)
        #expect(try await served.count() == 2)
        try served.publish()
        #expect(try await isCached(served, Self.count) == false)
        #expect(try await served.count() == 2)
    }

    @Test func typesThatOnlyLookAlikeHavePropertiesOfTheirOwn() async throws {
        let served = try ServedFolder()
        for _ in 0..<2 { try served.commit("caf\u{e9}", user: "u", micros: 1_700_000_000_000_000) }
        try served.commit("cafe\u{301}", user: "u", micros: 1_700_000_000_000_000)
        for (type, count) in [("caf%C3%A9", 2), ("cafe%CC%81", 1), ("caf%C3%A9", 2)] {
            let (status, json) = try await served.request("GET", "/v1/properties?event_type=\(type)")
            #expect(status == 200 && json?["event_count"]?.asInteger == Int64(count), "\(type)")
        }
    }

    @Test func anAnswerIsNoOtherProjects() async throws {
        let served = try ServedFolder()
        try served.commit("click", user: "u", micros: 1_700_000_000_000_000)
        try served.createProject("shop")
        let admin = ["Authorization": "Bearer " + (try served.token("admin"))]
        for (project, expected) in [("default", 1), ("shop", 0), ("default", 1), ("shop", 0)] {
            let reply = try await served.send("POST", "/v1/query?project=\(project)", admin, Self.count)
            #expect(reply.json?["rows"]?[0]?["count"]?.asInteger == Int64(expected), "\(project)")
        }
    }

    @Test func theLeastUsedAnswerMakesRoom() throws {
        let served = try ServedFolder()
        let snapshot = try served.snapshot()
        let context = QuestionContext(nowMicros: 0) { name throws(ZoneError) in throw .unknown(name) }
        func question(_ limit: Int) throws -> Question {
            let json: JSONValue = ["kind": "aggregate", "metrics": ["count"], "limit": .integer(Int64(limit))]
            return try Question(parsing: json, context: context)
        }
        let cache = AnswerCache<Answer>(capacityBytes: 16 << 10) { $0.memoryBytes }
        let keys = try (1...20).map { try #require(AnswerCache<Answer>.Key(question($0).cacheKey, snapshot)) }
        let answer = try QueryEngine.answer(question(1), snapshot)
        for key in keys {
            cache.keep(answer, for: key)
            #expect(cache.value(keys[0]) != nil)
        }
        #expect(cache.value(keys[1]) == nil && cache.value(keys[19]) != nil)
        let small = AnswerCache<Answer>(capacityBytes: 1000) { $0.memoryBytes }
        small.keep(answer, for: keys[0])
        #expect(small.value(keys[0]) == nil)
    }

    @Test func aQuestionIsCancelledByItsAskerOnly() throws {
        let running = RunningQuestions()
        let name = RunningQuestions.Name(tokenHash: [1], queryID: "q")
        #expect(!running.cancel(name))
        let wasCancelled = running.run(name) { ticket in
            #expect(!running.cancel(.init(tokenHash: [2], queryID: "q")))
            #expect(!running.cancel(.init(tokenHash: [1], queryID: "p")))
            #expect(!ticket.isCancelled)
            #expect(running.cancel(name))
            return ticket.isCancelled
        }
        #expect(wasCancelled && !running.cancel(name))
    }

    @Test func cancellingWhatDoesNotRunIsSaidSo() async throws {
        let served = try ServedFolder()
        let (status, json) = try await served.request("DELETE", "/v1/queries/q1")
        #expect(status == 404 && json?["error"]?["code"]?.asString == "not_found")
    }

    @Test func statusTellsSizesAndFreshness() async throws {
        let served = try ServedFolder()
        #expect(try await served.request("GET", "/v1/status").1?["projects"]?[0]?["freshness_seconds"] == .null)
        try served.commit("click", user: "u", micros: 1_700_000_000_000_000)
        try served.publish()
        try served.commit("click", user: "u", micros: 1_700_000_000_000_001)
        let (status, json) = try await served.request("GET", "/v1/status")
        let project = json?["projects"]?[0]
        #expect(status == 200 && project?["name"]?.asString == "default")
        #expect(project?["published_events"]?.asInteger == 1 && project?["tail_events"]?.asInteger == 1)
        #expect(project?["files"]?.asInteger == 1 && (project?["table_bytes"]?.asInteger ?? 0) > 0)
        #expect(project?["oldest_day"]?.asString == "2023-11-14" && project?["behind"] == .null)
        #expect((project?["freshness_seconds"]?.asDouble ?? 0) > 1_000_000)
        #expect((json?["log"]?["bytes"]?.asInteger ?? 0) > 0)
    }
}
