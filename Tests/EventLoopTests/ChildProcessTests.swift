import EventLoop
import Glibc
import Testing

@Suite struct ChildProcessTests {
    private let shell = "/bin/sh"

    @Test func theExitStatusAndTheOutputArrive() throws {
        var exit: ChildProcess.Exit?
        var output: [UInt8] = []
        try withLoop { loop in
            var open = 2
            func done() {
                open -= 1
                if open == 0 { loop.stop() }
            }
            let child = try ChildProcess(
                loop, path: shell, arguments: ["-c", "echo \"$GREETING\"; exit 7"],
                environment: ["GREETING": "hello = world"], output: .piped
            ) {
                exit = $0
                done()
            }
            #expect(child.processID > 0)
            let stream = try #require(child.output)
            stream.startReading(onBytes: { output += copy($0) }, onEnd: { stream.close() })
            stream.onClosed = { _ in done() }
        }
        #expect(exit?.status == 7)
        #expect(exit?.signal == 0)
        #expect(output == Array("hello = world\n".utf8))
    }

    @Test func aChildCanBeTerminatedAndKilled() throws {
        var signals: [Int32] = []
        try withLoop { loop in
            for isGentle in [true, false] {
                let child = try ChildProcess(
                    loop, path: "/bin/sleep", arguments: ["60"], environment: [:], output: .inherited
                ) {
                    signals.append($0.signal)
                    if signals.count == 2 { loop.stop() }
                }
                if isGentle { try child.terminate() } else { try child.kill() }
            }
        }
        #expect(signals.sorted() == [SIGKILL, SIGTERM])
    }

    @Test func aMissingProgramIsRefused() throws {
        try withLoop { loop in
            #expect {
                _ = try ChildProcess(
                    loop, path: "/nonexistent", arguments: [], environment: [:], output: .piped
                ) { _ in Issue.record("it never ran") }
            } throws: { ($0 as? EventLoopError)?.name == "ENOENT" }
            loop.stop()
        }
    }
}
