import Config
import Dispatch
import HTTPServer
import JSON
import Query
import Synchronization
import Testing

@testable import QueryServer

@Suite struct QueryServerTests {
    @Test func whatIsDurableIsInTheNextAnswerBeforeAndAfterCompaction() async throws {
        let served = try ServedFolder()
        for index in 1...20 {
            try served.commit("click", user: "u\(index % 3)", micros: 1_700_000_000_000_000 + Int64(index))
            #expect(try await served.count() == Int64(index))
            if index % 5 == 0 {
                try served.publish()
                #expect(try await served.count() == Int64(index))
            }
        }
    }

    /// Answers while tables are being committed count each event once.
    @Test func nothingIsMissedOrDoubledWhileACompactionCommits() async throws {
        let served = try ServedFolder()
        let progress = Progress()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while !progress.isDone.load(ordering: .relaxed) {
                    let before = progress.durable.load(ordering: .sequentiallyConsistent)
                    let count = try await served.count() ?? -1
                    let after = progress.durable.load(ordering: .sequentiallyConsistent) + 1
                    #expect(before <= count && count <= after, "\(count) of \(before)…\(after)")
                }
            }
            group.addTask {
                defer { progress.isDone.store(true, ordering: .relaxed) }
                for index in 1...60 {
                    try served.commit("click", user: "u", micros: 1_700_000_000_000_000 + Int64(index))
                    progress.durable.store(Int64(index), ordering: .sequentiallyConsistent)
                    if index % 3 == 0 { try served.publish() }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await served.count() == 60)
    }

    @Test(
        arguments: [
            ("not JSON", 400, "invalid_json", nil),
            (#"{"kind":"agregate"}"#, 400, "invalid_query", "kind"),
            (#"{"kind":"aggregate","metrics":["count"],"limt":3}"#, 400, "invalid_query", "limt"),
            (#"{"kind":"aggregate","metrics":["count"],"project":"none"}"#, 404, "project_unknown", "project"),
            (#"{"kind":"aggregate","metrics":["count"],"project":"../x"}"#, 400, "invalid_query", "project"),
        ] as [(String, Int, String, String?)])
    func aBadQuestionIsToldWhatIsWrongAndWhere(
        body: String, expectedStatus: Int, code: String, path: String?
    ) async throws {
        let served = try ServedFolder()
        let (status, json) = try await served.request("POST", "/v1/query", body, as: "admin")
        #expect(status == expectedStatus)
        #expect(json?["error"]?["code"]?.asString == code)
        #expect(json?["error"]?["path"]?.asString == path)
    }

    @Test func otherRoutesAnswerAsTheyShould() async throws {
        let served = try ServedFolder()
        #expect(try await served.request("GET", "/v1/query").0 == 405)
        #expect(try await served.request("GET", "/nowhere").0 == 404)
        #expect(try await served.request("GET", "/readyz").0 == 200)
        #expect(try await served.request("GET", "/metrics").0 == 200)
        #expect(try await served.request("GET", "/v1/projects").1 == ["projects": ["default"]])
    }

    @Test func anAnswerSaysWhatItWasComputedFrom() async throws {
        let served = try ServedFolder()
        try served.commit("click", user: "u", micros: 1_700_000_000_000_000)
        let (_, json) = try await served.request("POST", "/v1/query", #"{"kind":"aggregate","metrics":["count"]}"#)
        let meta = json?["meta"]
        #expect(meta?["as_of"]?["position"]?.asInteger == 2_097_151)
        #expect(meta?["as_of"]?["clock"]?.asString == "2023-11-14T22:13:20.000000Z")
        #expect(meta?["tail_rows"]?.asInteger == 1 && meta?["table_version"]?.asInteger == -1)
        #expect(meta?["exact"]?.asBool == true && meta?["cached"]?.asBool == false)
    }

    @Test(arguments: [(true, 499, "client_gone"), (false, 504, "timeout")])
    func aHangUpIsToldFromALateAnswer(isGone: Bool, status: Int, code: String) throws {
        let served = try ServedFolder()
        try served.commit("click", user: "u", micros: 1_700_000_000_000_000)
        let answering = Answering(
            config: QueryConfig(),
            projects: ProjectReaders(dataFolder: served.folder.path, tailMemoryBytes: 64 << 20),
            cache: AnswerCache(capacityBytes: 0) { $0.memoryBytes })
        let call = Call(
            request: HTTPRequest(
                method: "POST", path: "/v1/query", query: [], headers: HTTPHeaders(), body: [], peerAddress: ""),
            parameters: [:], principal: .anonymous, project: "default", arrivedMicros: 0,
            origin: HostRules.Origin(scheme: .http, host: "localhost", port: 1), isClientGone: { isGone })
        let question = try Question(parsing: ["kind": "aggregate"], context: QuestionContext(atMicros: 0))
        let snapshot = try answering.snapshot("default")
        let problem = #expect(throws: Problem.self) { try answering.answer(question, snapshot, call) }
        #expect(problem?.status == status && problem?.code == code)
    }

    @Test func aProblemNamesItsPlaceOnce() {
        let mixed = Problem(QueryError.mixedCurrencies(path: "metrics[0]", currencies: ["EUR", "USD"]))
        #expect(mixed.path == "metrics[0]" && !mixed.message.contains("metrics"))
        let whole = Problem(QueryError.invalid(path: "", reason: "an object is expected"))
        #expect(whole.json["error"]?["path"] == nil)
    }

    @Test func questionsBeyondTheWaitingRoomAreRefused() {
        let pool = QuestionPool(threadCount: 1)
        let gate = Gate()
        let taken = (0..<(QuestionPool.waitingMax + 20)).count { _ in pool.submit { gate.open.wait() } }
        for _ in 0..<taken { gate.open.signal() }
        #expect(taken == QuestionPool.waitingMax + 1)
    }
}

private final class Gate: Sendable {
    let open = DispatchSemaphore(value: 0)
}

/// How far a writer is, for those who read at the same time.
private final class Progress: Sendable {
    let durable = Atomic<Int64>(0)
    let isDone = Atomic<Bool>(false)
}
