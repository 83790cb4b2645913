import Files
import Foundation
import Testing

/// The Python client against the real daemon. TIDEMARK_PYTHON names the interpreter, else `python3` is taken.
@Suite struct PythonClientTests {
    private static let python = ProcessInfo.processInfo.environment["TIDEMARK_PYTHON"] ?? "python3"

    private static let isThere: Bool = {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [python, "-c", "import sys; sys.exit(sys.version_info < (3, 9))"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        do { try process.run() } catch { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()

    /// 1,000 plain events and some identity operations, with the daemon killed in the middle.
    private static let script = """
        import sys, time, pathlib
        source, socket_path, token, started = sys.argv[1:5]
        sys.path.insert(0, source)
        import tidemark

        faults = []
        client = tidemark.Client(
            unix_socket=socket_path, token=open(token).read().strip(), batch_size=20, flush_interval=0.02,
            backoff_min=0.01, backoff_max=0.1, on_verdict=faults.append)
        for number in range(1000):
            if number == 100:
                client.identify("user_1", traits={"plan": "pro"})
                client.alias("old_1", "user_1")
            if number == 200:
                client.group("user_1", "acme", {"seats": 12})
                client.set_traits("user_1", {"city": "Oslo"})
                pathlib.Path(started).touch()
            if number == 900:
                client.sign_out()
                client.reset()
            client.track("tick", user_id=f"py-{number}", properties={"n": number, "amount": 1.5})
            time.sleep(0.001)
        done = client.flush(timeout=15)
        stats = client.stats()
        client.close()
        print(done, len(faults), stats.acked, stats.reconnects)
        sys.exit(0 if done and not faults else 1)
        """

    @Test(.enabled(if: isThere)) func everyTrackedEventIsStoredOnceAcrossAKill() throws {
        let collector = CollectorProcess()
        try collector.start()
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        try Disk.posix.replace(collector.folder("client.py"), with: Array(Self.script.utf8))
        let output = Pipe()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            Self.python, collector.folder("client.py"), root + "/clients/python/src", collector.socketPath,
            collector.data + "/default.token", collector.folder("started"),
        ]
        process.standardOutput = output
        process.standardError = output
        try process.run()
        #expect(waitUntil(withinMillis: 10_000) { FileManager.default.fileExists(atPath: collector.folder("started")) })
        for _ in 0..<3 {
            Thread.sleep(forTimeInterval: 0.15)
            collector.kill(SIGKILL)
            try collector.start()
        }
        #expect(waitUntil(withinMillis: 25_000) { !process.isRunning })
        if process.isRunning { process.terminate() }
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        #expect(process.terminationStatus == 0, "\(text)")
        for isCompacted in [false, true] {
            if isCompacted { #expect(try collector.admin("publish").status == .done) }
            let stored = try StoredEvents(data: collector.data)
            let wrong = (0..<1000).filter { stored.counts["py-\($0)"] != 1 }
            #expect(wrong.isEmpty, "\(text)")
            #expect(stored.types["tick"] == 1000 && stored.repeatedRows == 0)
            for type in ["$identify", "$alias", "$group", "$set_traits", "$sign_out", "$reset"] {
                #expect(stored.types[type] == 1, "\(type)")
            }
        }
        #expect(try collector.stop() == .init(code: 0, wasSignalled: false))
    }
}
