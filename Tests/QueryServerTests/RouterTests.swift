import HTTPServer
import Testing

@testable import QueryServer

@Suite struct RouterTests {
    private let router = Router([
        Route(.get, "/", .open, nil) { _ in .text("root") },
        Route(.get, "/v1/things/{id}", .caller, nil) { .text($0.parameters["id"] ?? "") },
        Route(.put, "/v1/things/{id}", .project(.write), nil) { _ in .text("put") },
        Route(.get, "/v1/things/{id}/parts/{part}", .caller, nil) { _ in .text("part") },
    ])

    private func find(_ method: String, _ segments: [String]) throws(Problem) -> [String: String] {
        try router.find(
            HTTPRequest(
                method: method, path: "/" + segments.joined(separator: "/"), segments: segments, query: [],
                headers: HTTPHeaders(), body: [], peerAddress: "")
        ).parameters
    }

    @Test func aParameterTakesOneSegmentWhateverItHolds() throws {
        #expect(try find("GET", ["v1", "things", "a/b"]) == ["id": "a/b"])
        #expect(try find("GET", ["v1", "things", "x", "parts", "y"]) == ["id": "x", "part": "y"])
        #expect(try find("HEAD", ["v1", "things", "x"]) == ["id": "x"])
        #expect(try find("GET", [""]) == [:])
    }

    @Test(arguments: [
        ["v1", "things"], ["v1", "things", ""], ["v1", "things", "x", ""], ["v2", "things", "x"], [],
        ["v1", "things", "x", "parts"], ["v1", "Things", "x"],
    ]) func otherPathsAreNotThere(segments: [String]) {
        let problem = #expect(throws: Problem.self) { try find("GET", segments) }
        #expect(problem?.status == 404)
    }

    @Test func aMethodThatAPathHasNotIsToldTheOthers() {
        let problem = #expect(throws: Problem.self) { try find("DELETE", ["v1", "things", "x"]) }
        #expect(problem?.status == 405 && problem?.headers.first?.1 == "GET, HEAD, PUT")
        let options = #expect(throws: Problem.self) { try find("OPTIONS", [""]) }
        #expect(options?.status == 405)
    }

    @Test func aPatternNamesItsParameters() {
        let pattern: PathPattern = "/v1/a/{b}/c/{d}"
        #expect(pattern.parameterNames == ["b", "d"] && pattern.text == "/v1/a/{b}/c/{d}")
    }
}
