import JSON
import Testing

@testable import Query

@Suite struct CacheKeyTests {
    private func key(_ text: String, now: String = "2024-03-20T12:00:00Z") throws -> String {
        try question(try JSONValue(parsing: text), now: now).cacheKey
    }

    @Test(arguments: [
        #"{"filters":{"n":1,"event_type":"a","start_date":"30_days_ago","end_date":"today"},"kind":"aggregate"}"#,
        #"{"filters":{"event_type":"a","n":1},"date_range":{"end":"today","start":"2024-02-19"},"kind":"aggregate"}"#,
        #"""
        {"kind":"aggregate","date_range":{"start":"2024-02-19T00:00:00Z","end":"2024-03-21T00:00:00Z"},
         "filters":{"event_type":"a","n":1},"time_zone":"UTC","query_id":"q","timeout_ms":1000,"project":"shop"}
        """#,
    ])
    func questionsOfOneMeaningHaveOneKey(text: String) throws {
        let plain: JSONValue = [
            "kind": "aggregate", "filters": ["event_type": "a", "n": 1],
            "date_range": ["start": "30_days_ago", "end": "today"],
        ]
        #expect(try key(text) == question(plain).cacheKey)
    }

    @Test func anotherMeaningIsAnotherKey() throws {
        let texts = [
            #"{"kind":"aggregate"}"#, #"{"kind":"events"}"#, #"{"kind":"aggregate","time_zone":"Asia/Kolkata"}"#,
            #"{"kind":"aggregate","date_range":{"start":"today"}}"#, #"{"kind":"aggregate","filters":{"n":1}}"#,
            #"{"kind":"aggregate","filters":{"n":"1"}}"#, #"{"kind":"aggregate","week_start":"sunday"}"#,
            #"{"kind":"aggregate","filters":{"start_date":"today"},"date_range":{"start":"today"}}"#,
        ]
        #expect(Set(try texts.map { try key($0) }).count == texts.count)
        let today = #"{"kind":"aggregate","date_range":{"start":"today"}}"#
        #expect(try key(today) == key(today, now: "2024-03-20T13:00:00Z"))
        #expect(try key(today) != key(today, now: "2024-03-21T12:00:00Z"))
    }

    @Test func textsThatOnlyLookAlikeAreTwoQuestions() throws {
        // One letter, and a letter with its accent: equal as Swift's strings, unequal byte by byte.
        let precomposed = try key(#"{"kind":"aggregate","filters":{"city":"\u00e9"}}"#)
        let decomposed = try key(#"{"kind":"aggregate","filters":{"city":"e\u0301"}}"#)
        #expect(precomposed != decomposed)
        #expect(try key(#"{"kind":"aggregate","filters":{"city":"\\xc3\\xa9"}}"#) != precomposed)
    }

    @Test func whatConcernsTheCallIsTold() throws {
        let question = try question(["kind": "events", "timeout_ms": 5000, "query_id": "a-1"])
        #expect(question.timeoutMillis == 5000)
        #expect(question.queryID == "a-1")
        #expect(try QueryTests.question(["kind": "events"]).timeoutMillis == nil)
    }
}
