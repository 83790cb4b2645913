import JSON
import Synchronization
import Telemetry
import Testing

@Suite struct LoggerTests {
    /// Collects what a logger writes.
    private final class Lines: Sendable {
        private let bytes = Mutex<[UInt8]>([])
        var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }

        func logger(minimum: LogLevel = .debug) -> Logger {
            Logger(minimum: minimum, clock: { 1_709_251_200_000_001 }) { line in self.bytes.withLock { $0 += line } }
        }
    }

    @Test func anEntryIsOneLineOfJSON() {
        let lines = Lines()
        lines.logger().warning("log file repaired", ["file": "a\n\"b\"", "bytesLost": 17, "ratio": 0.5])
        #expect(
            lines.text == #"{"time":"2024-03-01T00:00:00.000001Z","level":"warning","message":"log file repaired","#
                + #""file":"a\n\"b\"","bytesLost":17,"ratio":0.5}"# + "\n")
    }

    @Test func contextComesBeforeTheEntrysFields() {
        let lines = Lines()
        lines.logger().adding(["project": "shop"]).adding(["connection": 3]).info("opened", ["streams": 1])
        #expect(lines.text.hasSuffix(#""message":"opened","project":"shop","connection":3,"streams":1}"# + "\n"))
    }

    @Test(arguments: LogLevel.allCases)
    func entriesBelowTheMinimumAreDroppedAndTheirFieldsNotMade(minimum: LogLevel) {
        let lines = Lines()
        let log = lines.logger(minimum: minimum)
        var madeCount: Int64 = 0
        func fields() -> Logger.Fields {
            madeCount += 1
            return ["n": .integer(madeCount)]
        }
        log.debug("x", fields())
        log.info("x", fields())
        log.warning("x", fields())
        log.error("x", fields())
        let expected = LogLevel.allCases.filter { $0 >= minimum }
        #expect(madeCount == expected.count)
        #expect(lines.text.split(separator: "\n").count == expected.count)
        for level in expected { #expect(lines.text.contains("\"level\":\"\(level.rawValue)\"")) }
    }

    @Test func theSystemsClockIsPastTheYear2024() {
        #expect(Logger.systemClock() > 1_704_067_200_000_000)
    }
}
