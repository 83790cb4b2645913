import Bytes
import Glibc
import JSON
import Zones

/// How much an entry matters.
package enum LogLevel: String, Sendable, CaseIterable, Comparable {
    /// For finding a fault; off by default.
    case debug
    /// The daemon's own life: started, compacted, stopped.
    case info
    /// Something was lost or refused and the daemon went on.
    case warning
    /// A person must act.
    case error

    package static func < (left: LogLevel, right: LogLevel) -> Bool { left.rank < right.rank }

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// Writes what happened, one JSON object a line; copies are cheap and any thread may use them.
///
///     log.warning("log file repaired", ["file": .string(path), "bytesLost": 17])
///     {"time":"2024-03-01T00:00:00.000000Z","level":"warning","message":"log file repaired","file":"…",…}
///
/// Messages are constant, lower-case and without a full stop; what differs goes into the fields, whose names are
/// neither `time`, `level` nor `message`.
package struct Logger: Sendable {
    package typealias Fields = KeyValuePairs<String, JSONValue>

    package let minimum: LogLevel
    private let context: [JSONObject.Member]
    private let clock: @Sendable () -> Int64
    private let write: @Sendable ([UInt8]) -> Void

    /// - Parameters:
    ///   - minimum: entries below it are dropped.
    ///   - clock: microseconds since the epoch.
    ///   - write: takes each line with its newline; called on the logging thread.
    package init(
        minimum: LogLevel,
        clock: @escaping @Sendable () -> Int64 = Logger.systemClock,
        write: @escaping @Sendable ([UInt8]) -> Void = Logger.writeToStandardError
    ) {
        self.init(minimum: minimum, context: [], clock: clock, write: write)
    }

    private init(
        minimum: LogLevel, context: [JSONObject.Member],
        clock: @escaping @Sendable () -> Int64, write: @escaping @Sendable ([UInt8]) -> Void
    ) {
        self.minimum = minimum
        self.context = context
        self.clock = clock
        self.write = write
    }

    /// A logger that puts `fields` into every entry, before the entry's own.
    package func adding(_ fields: Fields) -> Logger {
        Logger(minimum: minimum, context: context + Self.members(fields), clock: clock, write: write)
    }

    package func debug(_ message: StaticString, _ fields: @autoclosure () -> Fields = [:]) {
        log(.debug, message, fields)
    }

    package func info(_ message: StaticString, _ fields: @autoclosure () -> Fields = [:]) {
        log(.info, message, fields)
    }

    package func warning(_ message: StaticString, _ fields: @autoclosure () -> Fields = [:]) {
        log(.warning, message, fields)
    }

    package func error(_ message: StaticString, _ fields: @autoclosure () -> Fields = [:]) {
        log(.error, message, fields)
    }

    private func log(_ level: LogLevel, _ message: StaticString, _ fields: () -> Fields) {
        guard level >= minimum else { return }
        let members = [
            JSONObject.Member("time", .string(ISO8601.format(micros: clock()))),
            JSONObject.Member("level", .string(level.rawValue)),
            JSONObject.Member("message", .string(message.description)),
        ]
        let entry = JSONValue.object(JSONObject(members + context + Self.members(fields())))
        write(entry.encoded() + [UInt8(ascii: "\n")])
    }

    private static func members(_ fields: Fields) -> [JSONObject.Member] {
        fields.map { JSONObject.Member($0.key, $0.value) }
    }

    /// Microseconds since the epoch by the system's clock.
    package static func systemClock() -> Int64 {
        var now = timespec()
        // Safe: the call fills the local it is given. CLOCK_REALTIME cannot fail.
        _ = unsafe clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000
    }

    /// One write a line, so that lines of several threads do not mix. A failure has nowhere to be reported.
    package static func writeToStandardError(_ line: [UInt8]) {
        var done = 0
        while done < line.count {
            // Safe: the kernel reads what is left of the array, within the closure.
            let put = unsafe line.withUnsafeBytes { buffer in
                unsafe Glibc.write(STDERR_FILENO, buffer.baseAddress! + done, line.count - done)
            }
            if put < 0 && errno == EINTR { continue }
            guard put > 0 else { return }
            done += put
        }
    }
}
