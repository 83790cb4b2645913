import Foundation
import JSON
import Testing

@testable import QueryServer

@Suite struct LiveTests {
    /// Reads a stream of events by curl, which shows each as it comes.
    private final class Listener {
        private let process = Process()
        private let output = Pipe()
        private var text = ""

        init(_ served: ServedFolder, _ query: String = "", token: String, lastEvent: String? = nil) throws {
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments =
                [
                    "curl", "-sN", "-H", "Authorization: Bearer \(token)",
                    "http://127.0.0.1:\(served.port)/v1/live\(query)",
                ] + (lastEvent.map { ["-H", "Last-Event-ID: \($0)"] } ?? [])
            process.standardOutput = output
            try process.run()
        }

        deinit { process.terminate() }

        /// The user ids of the next events that came, or `skipped`, until there are so many.
        func next(_ count: Int) throws -> [String] {
            var found: [String] = []
            while found.count < count {
                while let end = text.range(of: "\n\n") {
                    let message = text[..<end.lowerBound]
                    text = String(text[end.upperBound...])
                    guard let data = message.split(separator: "\n").first(where: { $0.hasPrefix("data: ") }) else {
                        continue
                    }
                    let json = try JSONValue(parsing: Array(data.dropFirst(6).utf8))
                    found.append(json["user_id"]?.asString ?? "skipped \(json["count"]?.asInteger ?? 0)")
                }
                if found.count >= count { break }
                let more = output.fileHandleForReading.availableData
                guard !more.isEmpty else { return found + ["end"] }
                text += String(decoding: more, as: UTF8.self)
            }
            return found
        }

        /// Waits for the stream's end.
        func end() -> Int32 {
            process.waitUntilExit()
            return process.terminationStatus
        }
    }

    private static let start: Int64 = 1_700_000_000_000_000

    @Test func theNewestEventsComeFirstAndThenEachAsItComes() throws {
        let served = try ServedFolder()
        for index in 0..<25 { try served.commit("click", user: "old\(index)", micros: Self.start + Int64(index)) }
        let listener = try Listener(served, token: try served.token())
        #expect(try listener.next(20) == (5..<25).map { "old\($0)" })
        for index in 0..<30 {
            try served.commit("click", user: "u\(index)", micros: Self.start + 1000 + Int64(index))
            // What was published before anybody looked comes all the same.
            if index % 7 == 3 { try served.publish() }
        }
        #expect(try listener.next(30) == (0..<30).map { "u\($0)" })
    }

    @Test func onlyWhatIsAskedForComes() throws {
        let served = try ServedFolder()
        let byType = try Listener(served, "?event_type=buy&event_type=try", token: try served.token())
        let byUser = try Listener(served, "?user_id=u2", token: try served.token())
        // Both listen before the first event.
        Thread.sleep(forTimeInterval: 1)
        for (index, type) in ["click", "buy", "click", "try"].enumerated() {
            try served.commit(type, user: "u\(index)", micros: Self.start + Int64(index))
        }
        #expect(try byType.next(2) == ["u1", "u3"])
        #expect(try byUser.next(1) == ["u2"])
    }

    @Test func whoComesAgainGetsWhatTheyMissed() throws {
        let served = try ServedFolder()
        for index in 0..<5 { try served.commit("click", user: "u\(index)", micros: Self.start + Int64(index)) }
        // Positions are record << 20 | ordinal; each event is a record.
        let listener = try Listener(served, token: try served.token(), lastEvent: "\(3 << 20)")
        #expect(try listener.next(2) == ["u3", "u4"])
    }

    @Test func aFloodIsCounted() throws {
        let served = try ServedFolder()
        let listener = try Listener(served, token: try served.token())
        Thread.sleep(forTimeInterval: 1)
        for index in 0..<2000 { try served.commit("click", user: "u\(index)", micros: Self.start + Int64(index)) }
        var shown = 0
        var skipped = 0
        while shown + skipped < 2000 {
            for text in try listener.next(1) {
                if text.hasPrefix("skipped ") { skipped += Int(text.dropFirst(8)) ?? 0 } else { shown += 1 }
                try #require(text != "end")
            }
        }
        #expect(shown + skipped == 2000 && skipped > 0)
    }

    @Test func aRevokedTokenEndsTheStream() throws {
        let served = try ServedFolder()
        try served.commit("click", user: "u", micros: Self.start)
        let listener = try Listener(served, token: try served.addToken("ana", .read, ["default"]))
        #expect(try listener.next(1) == ["u"])
        try served.removeToken("ana")
        #expect(listener.end() == 0)
    }
}
