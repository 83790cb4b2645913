import Gzip
import HTTPServer
import Testing

@testable import QueryServer

@Suite struct ConditionsTests {
    private func request(_ name: String, _ value: String) -> HTTPRequest {
        HTTPRequest(
            method: "GET", path: "/", query: [], headers: HTTPHeaders([(name, value)]), body: [], peerAddress: "")
    }

    @Test(arguments: [
        ("gzip", true), ("deflate, gzip;q=0.5", true), ("GZIP", true), ("*", true), ("gzip;q=0", false),
        ("gzip ; q=0.0", false), ("br", false), ("", false), ("x-gzip", false), ("identity;q=1, *;q=0", false),
    ]) func gzipIsTakenOnlyByWhoSaysSo(header: String, isTaken: Bool) {
        #expect(request("Accept-Encoding", header).takesGzip == isTaken)
    }

    @Test(arguments: [
        (#""a""#, true), (#"W/"a""#, true), (#""b", "a""#, true), (#" "a" "#, true), ("*", true), (#""b""#, false),
        ("", false), ("a", false), (#""a"#, false),
    ]) func aTagIsComparedWeakly(header: String, isKnown: Bool) {
        #expect(request("If-None-Match", header).has(#""a""#) == isKnown)
    }

    @Test func whatIsUnchangedVariesAsItsAnswerDoes() {
        let answer = HTTPResponse.tagged(#""a""#, for: request("If-None-Match", #""a""#)) { .text("") }
        #expect(answer.status == 304 && answer.headers["Vary"] == "Accept-Encoding")
        #expect(HTTPResponse.tagged(#""a""#, for: request("Accept", "x")) { .text("") }.headers["Vary"] != nil)
    }

    @Test func aLongAnswerIsCompressed() throws {
        let body = Array(String(repeating: "x", count: 1025).utf8)
        var response = HTTPResponse.json(body)
        response.headers.append("ETag", #""a""#)
        let compressed = response.compressed(for: request("Accept-Encoding", "gzip"))
        #expect(try Gzip.inflate(compressed.body, limit: 2000) == body)
        #expect(compressed.headers["Content-Encoding"] == "gzip" && compressed.headers["ETag"] == #"W/"a""#)
        #expect(compressed.headers["Vary"] == "Accept-Encoding")
        let plain = response.compressed(for: request("Accept", "x"))
        #expect(plain.body == body && plain.headers["ETag"] == #""a""# && plain.headers["Vary"] == "Accept-Encoding")
        let short = HTTPResponse.json(Array(body.dropLast()))
        #expect(short.compressed(for: request("Accept-Encoding", "gzip")).headers["Content-Encoding"] == nil)
    }

    @Test func whatDoesNotShrinkIsSentAsItIs() {
        var generator = SystemRandomNumberGenerator()
        let noise = (0..<4096).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let response = HTTPResponse(status: 200, contentType: "image/png", body: noise)
        let sent = response.compressed(for: request("Accept-Encoding", "gzip"))
        #expect(sent.body == noise && sent.headers["Content-Encoding"] == nil)
    }

    @Test func anAnswerThatTheClientHasIsNotMade() {
        let made = HTTPResponse.tagged(#""a""#, for: request("If-None-Match", #""b""#)) { .text("new") }
        #expect(made.status == 200 && made.headers["ETag"] == #""a""#)
        let known = HTTPResponse.tagged(#""a""#, for: request("If-None-Match", #"W/"a""#)) {
            Issue.record("it was made")
            return .text("")
        }
        #expect(known.status == 304 && known.headers["Cache-Control"] == "private, no-cache")
    }
}
