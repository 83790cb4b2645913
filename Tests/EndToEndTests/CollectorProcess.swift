import Bytes
import Files
import Foundation
import JSON
import Synchronization
import TestSupport
import Wire

/// A real collectord on ports of its own, with a data folder that outlives it.
///
/// The binary is the one that was built beside the test bundle: `<build folder>/collectord`, where the build folder is
/// that of the running test program. `swift test` builds both.
final class CollectorProcess: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    struct Exit: Equatable {
        let code: Int32
        let wasSignalled: Bool
    }

    private struct State {
        var process: Process?
        var startCount = 0
        var port = 0
        var httpPort = 0
    }

    static let binary: String = {
        let program = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        return program.deletingLastPathComponent().appendingPathComponent("collectord").path
    }()

    let folder = TemporaryFolder()
    let data: String
    var socketPath: String { data + "/collector.sock" }
    private let state = Mutex(State())
    private let launcher: [String]
    private let settings: [String]
    private let analytics: [String]

    /// - Parameters:
    ///   - data: another data folder than one that goes with the test.
    ///   - settings: lines of the section `collector:`.
    ///   - analytics: lines of the section `analytics:`.
    ///   - launcher: a program and its arguments that run the rest, such as `prlimit`.
    init(data: String? = nil, settings: [String] = [], analytics: [String] = [], launcher: [String] = []) {
        self.data = data ?? folder("data")
        self.settings = settings
        self.analytics = analytics
        self.launcher = launcher
    }

    deinit { kill(SIGKILL) }

    var port: Int { state.withLock { $0.port } }
    var httpPort: Int { state.withLock { $0.httpPort } }
    var processID: Int32 { state.withLock { $0.process?.processIdentifier ?? 0 } }
    var isRunning: Bool { state.withLock { $0.process?.isRunning ?? false } }

    /// What the newest start, or the n-th, wrote to standard error.
    func log(start: Int? = nil) -> String {
        let number = start ?? state.withLock { $0.startCount }
        return String(decoding: (try? Disk.posix.contents(folder("stderr-\(number)"))) ?? [], as: UTF8.self)
    }

    func token(_ name: String = "default") throws -> String {
        let bytes = try Disk.posix.contents(data + "/\(name).token")
        return String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Starts it and waits until it is ready.
    func start() throws {
        try launch()
        try waitUntilReady()
    }

    /// Starts it without waiting.
    /// - Parameter arguments: instead of the usual ones.
    func launch(_ arguments: [String]? = nil) throws {
        var lines = ["collector:", "  segment_bytes: 1 MiB", "  compact_interval: 1h"] + settings.map { "  " + $0 }
        if !analytics.isEmpty { lines += ["analytics:"] + analytics.map { "  " + $0 } }
        try Disk.posix.replace(folder("config.yaml"), with: Array((lines.joined(separator: "\n") + "\n").utf8))
        let usual = [
            "--config", folder("config.yaml"), "--data", data, "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0",
        ]
        let all = launcher + [Self.binary] + (arguments ?? usual)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: all[0])
        process.arguments = Array(all.dropFirst())
        let number = state.withLock { state in
            state.startCount += 1
            return state.startCount
        }
        guard FileManager.default.createFile(atPath: folder("stderr-\(number)"), contents: nil),
            let output = FileHandle(forWritingAtPath: folder("stderr-\(number)"))
        else { throw Failure(description: "no file for standard error") }
        process.standardError = output
        process.standardOutput = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try withoutBlockedSignals { try process.run() }
        state.withLock { $0.process = process }
    }

    func waitUntilReady() throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            let lines = log().split(separator: "\n").compactMap { try? JSONValue(parsing: String($0)) }
            if let ready = lines.first(where: { $0["message"]?.asString == "ready" }) {
                func port(_ name: String) -> Int {
                    ready[name]?.asString?.split(separator: ":").last.flatMap { Int($0) } ?? 0
                }
                state.withLock { ($0.port, $0.httpPort) = (port("listen"), port("http")) }
                return
            }
            guard isRunning else { throw Failure(description: "it ended: \(log())") }
            Thread.sleep(forTimeInterval: 0.005)
        }
        throw Failure(description: "not ready: \(log())")
    }

    func kill(_ signal: Int32) {
        let process = state.withLock { $0.process }
        guard let process, process.isRunning else { return }
        _ = Glibc.kill(process.processIdentifier, signal)
        if signal == SIGKILL { process.waitUntilExit() }
    }

    /// Asks it to stop, or waits for it to end by itself.
    func stop(_ signal: Int32 = SIGTERM) throws -> Exit {
        if signal != 0 { kill(signal) }
        let deadline = ContinuousClock.now + .seconds(20)
        guard let process = state.withLock({ $0.process }) else { throw Failure(description: "not started") }
        while process.isRunning {
            guard ContinuousClock.now < deadline else { throw Failure(description: "it does not end: \(log())") }
            Thread.sleep(forTimeInterval: 0.005)
        }
        return Exit(code: process.terminationStatus, wasSignalled: process.terminationReason == .uncaughtSignal)
    }

    /// The compaction child that runs now.
    var childProcessID: Int32? {
        let id = processID
        guard let bytes = FileManager.default.contents(atPath: "/proc/\(id)/task/\(id)/children") else { return nil }
        return String(decoding: bytes, as: UTF8.self).split(separator: " ").first.flatMap { Int32($0) }
    }

    /// Memory in use (resident set), bytes.
    var residentBytes: Int {
        let bytes = FileManager.default.contents(atPath: "/proc/\(processID)/status") ?? Data()
        let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
    }

    /// One HTTP GET; status and body.
    func get(_ path: String) throws -> (status: Int, body: String) {
        let socket = try Socket(.tcp(port: httpPort))
        socket.send(Array("GET \(path) HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n".utf8))
        guard let bytes = socket.receiveAll(withinMillis: 10_000) else {
            throw Failure(description: "no end of the answer")
        }
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n"), let status = Int(text.dropFirst(9).prefix(3)) else {
            throw Failure(description: "no HTTP answer: \(text)")
        }
        return (status, String(text[end.upperBound...]))
    }

    /// One admin request over the Unix socket.
    func admin(_ verb: String, _ argument: String = "", token name: String = "admin", place: Socket.Place? = nil) throws
        -> AdminReply {
        var session = AdminSession(token: try token(name), now: moment())
        let socket = try Socket(place ?? .unix(path: socketPath))
        var actions = session.connected(now: moment()) + session.request(verb: verb, argument: argument).1
        let deadline = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < deadline {
            for action in actions {
                switch action {
                case .send(let bytes): socket.send(bytes)
                case .replied(let reply): return reply
                case .failed(let error): throw Failure(description: "\(error.code): \(error.detail)")
                }
            }
            actions = []
            switch socket.receive(withinMillis: 100) {
            case .bytes(let bytes): actions = session.receive(bytes.rawSpan, now: moment())
            case .nothing: continue
            case .end: throw Failure(description: "the connection ended")
            }
        }
        throw Failure(description: "no reply to \(verb): \(log())")
    }
}

/// Runs `body` with no signal blocked, as a shell would: threads of a pool block them all, and a child inherits that.
private func withoutBlockedSignals(_ body: () throws -> Void) rethrows {
    var none = sigset_t()
    var before = sigset_t()
    // Safe: the calls fill and read the locals they are given.
    _ = unsafe sigemptyset(&none)
    _ = unsafe pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { _ = unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
    try body()
}

/// The time as sessions want it.
func moment() -> Moment {
    Moment(
        elapsedMicros: Int64(DispatchTime.now().uptimeNanoseconds / 1000),
        clockMicros: Int64(Date().timeIntervalSince1970 * 1_000_000))
}

/// Waits until something is so.
/// - Returns: false if it is not in time.
func waitUntil(withinMillis millis: Int, _ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = ContinuousClock.now + .milliseconds(millis)
    while ContinuousClock.now < deadline {
        if try condition() { return true }
        Thread.sleep(forTimeInterval: 0.005)
    }
    return false
}
