import Config
import EventLoop
import Files
import Foundation
import JSON
import Synchronization
import TestSupport
import Testing

@testable import CommandLine

@Suite struct QueryTests {
    private static let funnel = """
        {"kind":"funnel","columns":["step","users","conversion_rate"],"steps":[
        {"step":"Page View","users":1200,"conversion_rate":1.0},{"step":"Sign Up","users":300,"conversion_rate":0.25}],
        "overall_conversion_rate":0.25,"meta":{"warnings":["the range is open"]}}
        """

    private func answer(_ text: String) throws -> AnswerTable {
        try #require(AnswerTable(try JSONValue(parsing: text)))
    }

    @Test func numbersStandToTheRight() throws {
        let text = try answer(#"""
            {"kind":"a","columns":[{"name":"city"},{"name":"n"}],
            "rows":[{"city":"Köln","n":1234},{"city":"東京","n":5},{"n":null}]}
            """#).text
        #expect(text == "city      n\n----  -----\nKöln  1,234\n東京        5\n-         -\n")
    }

    @Test func aFunnelHasBarsAndPercents() throws {
        let lines = try answer(Self.funnel).text.split(separator: "\n").map(String.init)
        #expect(lines[2] == "Page View  1,200          100.0 %  " + String(repeating: "█", count: 20))
        #expect(lines[3] == "Sign Up      300           25.0 %  █████")
        #expect(lines.last == "overall_conversion_rate: 25.0 %")
    }

    @Test func anObjectReadsFromTopToBottom() throws {
        let text = #"{"kind":"adoption","adoption":{"feature_name":"search","usage_count":1200},"meta":{}}"#
        #expect(try answer(text).text == "feature_name  search\nusage_count   1,200\n")
        #expect(try answer(text).csv == "feature_name,usage_count\r\nsearch,1200\r\n")
    }

    @Test func listsOfTextsAndListsBesideTheRowsAreTables() throws {
        let people = try answer(#"{"kind":"segment","user_ids":["a","b"],"user_count":2}"#)
        #expect(people.text == "user_ids\n--------\na\nb\n\nuser_count: 2\n")
        #expect(people.csv == "user_ids\r\na\r\nb\r\n")
        let funnel = try answer(
            #"{"kind":"funnel","steps":[{"step":"x","users":2}],"users":[{"user_id":"a","n":5}],"user_count":1}"#)
        #expect(funnel.text.hasSuffix("\nusers:\nuser_id  n\n-------  -\na        5\nuser_count: 1\n"))
        let person = try answer(#"{"kind":"user","user":{"user_id":"a"},"events":[{"x":1}],"next_cursor":null}"#)
        #expect(person.text == "x\n-\n1\n\nuser.user_id: a\nnext_cursor: -\n")
    }

    @Test func csvIsQuotedWhereItMust() throws {
        let csv = try answer(#"{"rows":[{"a":"x,\"y\"","b":1.5},{"b":[1]}]}"#).csv
        #expect(csv == "a,b\r\n\"x,\"\"y\"\"\",1.5\r\n,[1]\r\n")
    }

    @Test func cellsCannotMoveTheCursor() {
        var table = TextTable([.init("a")])
        table.add(["x\u{1B}[2Jy\n"])
        #expect(!table.text.contains("\u{1B}") && table.text.split(separator: "\n").count == 3)
    }

    @Test func answersInChunksAndByLengthAreRead() {
        func read(_ text: String) -> HTTPReply? { HTTPReply(Array(text.utf8)) }
        #expect(read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}rest")?.body == Array("{}".utf8))
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n"
        #expect(read(chunked)?.body == Array("abcde".utf8))
        for end in chunked.indices where end < chunked.index(chunked.endIndex, offsetBy: -9) {
            let isWhole = read(String(chunked[..<end])) != nil
            #expect(!isWhole)
        }
        let bad = "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"
        for text in ["", "HTTP", "HTTP/1.1 x\r\n\r\n", "SSH-2.0\r\n\r\n", bad] {
            #expect(read(text) == nil)
        }
    }

    private func ask(_ reply: String, _ arguments: String...) throws -> (Int32, Capture, request: String) {
        let server = try OneReply(reply)
        let capture = Capture(input: #"{"metrics":["count"]}"#)
        let code = TidemarkCommands.run(["query", "--address", "127.0.0.1:\(server.port)"] + arguments, capture.console)
        return (code, capture, server.request)
    }

    private func ok(_ body: String, status: String = "200 OK") -> String {
        "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    @Test func aQuestionIsAskedAndItsAnswerShown() throws {
        let (code, capture, request) = try ask(ok(Self.funnel), #"{"funnel_steps":[]}"#)
        #expect(code == 0, "\(capture.error)")
        #expect(capture.output.contains("Page View"))
        #expect(capture.error == "warning: the range is open\n")
        #expect(request.hasPrefix("POST /v1/query HTTP/1.1\r\n") && request.hasSuffix(#"{"funnel_steps":[]}"#))
    }

    @Test func aQuestionMayComeFromStandardInput() throws {
        let (code, capture, request) = try ask(ok(Self.funnel), "--format", "json", "-")
        #expect(code == 0 && request.hasSuffix(#"{"metrics":["count"]}"#))
        #expect(try JSONValue(parsing: capture.output)["kind"]?.asString == "funnel")
    }

    @Test func theTokenIsShownAndMayComeFromThreePlaces() throws {
        let folder = TemporaryFolder()
        try Disk.posix.replace(folder("query.token"), with: Array("tdm_write_file\n".utf8))
        let (code, _, request) = try ask(ok(Self.funnel), "--data", folder.path, "{}")
        #expect(code == 0 && request.contains("Authorization: Bearer tdm_write_file\r\n"))
        let (_, _, named) = try ask(ok(Self.funnel), "--data", folder.path, "--token", "tdm_read_x", "{}")
        #expect(named.contains("Authorization: Bearer tdm_read_x\r\n"))
        func token(_ environment: [String: String]) throws -> String? {
            let syntax = CommandSyntax(command: "x", summary: "", options: QueryAccess.options, positionals: [])
            return try QueryAccess(syntax.parse(["--data", folder.path]), environment: environment, disk: .posix).token
        }
        #expect(try token(["TIDEMARK_TOKEN": "tdm_read_y"]) == "tdm_read_y" && token([:]) == "tdm_write_file")
    }

    @Test func aTokenThatIsMissingOrRefusedIsSaidSo() throws {
        let folder = TemporaryFolder()
        let reply = ok(#"{"error":{"code":"unauthorized","message":"no"}}"#, status: "401 Unauthorized")
        let (code, capture, request) = try ask(reply, "--data", folder.path, "{}")
        #expect(code == 1 && !request.contains("Authorization"))
        #expect(capture.error.contains("wants a token, and there is none at \(folder("query.token"))"))
        let (_, refused, _) = try ask(reply, "--token", "tdm_read_x", "{}")
        #expect(refused.error.contains("does not know the token"))
    }

    @Test func loginPrintsALink() throws {
        let server = try OneReply(ok(#"{"url":"http://h/#/login/c","expires_at":"x"}"#, status: "201 Created"))
        let capture = Capture()
        let code = TidemarkCommands.run(
            ["login", "--address", "127.0.0.1:\(server.port)", "--token", "tdm_read_x"], capture.console)
        #expect(code == 0 && capture.output == "http://h/#/login/c\n", "\(capture.error)")
        #expect(server.request.hasPrefix("POST /v1/login-links HTTP/1.1\r\n"))
    }

    @Test func aRefusedQuestionSaysWhere() throws {
        let body = #"{"error":{"code":"invalid_query","message":"no such field","path":"filters.x"}}"#
        let (code, capture, _) = try ask(ok(body, status: "400 Bad Request"), "{}")
        #expect(code == 1)
        #expect(capture.error == "tidemark: 400 invalid_query at filters.x: no such field\n")
    }

    @Test func aRefusedQuestionSaysWhatIsAllowed() throws {
        let body = #"""
            {"error":{"code":"invalid_query","message":"missing","path":"kind","allowed":["aggregate","funnel"]}}
            """#
        let (_, capture, _) = try ask(ok(body, status: "400 Bad Request"), "{}")
        #expect(capture.error == "tidemark: 400 invalid_query at kind: missing; allowed: aggregate, funnel\n")
    }

    @Test func aFaultOfTheWholeQuestionIsSaidToBeNowhereInIt() throws {
        let body = #"{"error":{"code":"invalid_query","message":"an object is expected","path":"","allowed":[]}}"#
        let (_, capture, _) = try ask(ok(body, status: "400 Bad Request"), "{}")
        #expect(capture.error == "tidemark: 400 invalid_query: an object is expected\n")
    }

    @Test func valuesThatWereLeftOutAreTold() throws {
        let body = #"{"rows":[{"sum":1}],"meta":{"skipped":1200,"warnings":[]}}"#
        let (_, capture, _) = try ask(ok(body), "{}")
        #expect(capture.error == "1,200 values were no numbers where numbers are wanted: left out\n")
    }

    /// As does one that speaks TLS, which hangs up on what is none.
    @Test func aServerThatHangsUpMaySpeakTLS() throws {
        let (code, capture, _) = try ask("", "{}")
        #expect(code == 1)
        #expect(capture.error.contains("closed the connection before it answered: if it has TLS, ask it with curl"))
    }

    @Test func withoutQuerydItSaysSo() throws {
        let capture = Capture()
        #expect(capture.run("query", "--address", "127.0.0.1:1", "{}") == 1)
        #expect(capture.error.contains("nothing answers at 127.0.0.1:1"))
    }
}

/// A server that gives the same answer to the one who connects.
private final class OneReply: Sendable {
    let port: Int
    private let received = Mutex<[UInt8]>([])
    private let done = DispatchSemaphore(value: 0)

    init(_ reply: String) throws {
        let ready = DispatchSemaphore(value: 0)
        let bound = Mutex(0)
        nonisolated(unsafe) var record: ([UInt8]) -> Void = { _ in }
        let thread = Thread { [done] in
            guard let loop = try? Loop() else { preconditionFailure("no loop") }
            let listener = try? Listener(loop, host: "127.0.0.1", port: 0, backlog: 5) { result in
                guard case .success(let stream) = result else { return }
                stream.onClosed = { _ in loop.stop() }
                stream.startReading(
                    onBytes: { span in
                        let bytes = span.copy()
                        unsafe record(bytes)
                        guard bytes.last == UInt8(ascii: "}") else { return }
                        stream.write(Array(reply.utf8))
                        stream.closeAfterWrites(withinMillis: 1000)
                    }, onEnd: { stream.close() })
            }
            bound.withLock { $0 = listener?.boundPort ?? 0 }
            ready.signal()
            loop.run()
            loop.close()
            done.signal()
        }
        thread.start()
        ready.wait()
        port = bound.withLock { $0 }
        unsafe record = { [self] bytes in received.withLock { $0 += bytes } }
    }

    /// Waits until it is served.
    var request: String {
        done.wait()
        return String(decoding: received.withLock { $0 }, as: UTF8.self)
    }
}
