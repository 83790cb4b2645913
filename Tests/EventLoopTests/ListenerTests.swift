import EventLoop
import Foundation
import Glibc
import TestSupport
import Testing

@Suite struct ListenerTests {
    private let folder = TemporaryFolder()

    @Test func aPortInUseIsRefused() throws {
        try withLoop { loop in
            let first = try Place.tcp.listen(loop) { _ in }
            #expect {
                _ = try Listener(loop, host: "127.0.0.1", port: first.boundPort, backlog: 1) { _ in }
            } throws: { ($0 as? EventLoopError)?.isAddressInUse == true }
            first.close()
            loop.stop()
        }
    }

    @Test func anUnknownHostIsRefused() throws {
        try withLoop { loop in
            #expect(throws: EventLoopError.self) {
                _ = try Listener(loop, host: "999.1.1.1", port: 0, backlog: 1) { _ in }
            }
            loop.stop()
        }
    }

    @Test func aSocketOfALivingServerIsNotReplaced() throws {
        let path = folder("socket")
        try withLoop { loop in
            let listener = try Place.unix(path).listen(loop) { _ in }
            #expect {
                _ = try Listener(loop, unixPath: path, mode: 0o660, backlog: 1) { _ in }
            } throws: { ($0 as? EventLoopError)?.isAddressInUse == true }
            listener.close()
            loop.stop()
        }
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func aSocketOfADeadServerIsReplacedAndGuardedByItsMode() throws {
        let path = folder("socket")
        leaveSocketBehind(path)
        #expect(FileManager.default.fileExists(atPath: path))
        try withLoop { loop in
            let listener = try Place.unix(path).listen(loop) { _ in loop.stop() }
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o660)
            Place.unix(path).connect(loop, to: listener) { _ in }
        }
    }

    @Test func anOrdinaryFileIsNotReplaced() throws {
        let path = folder("file")
        try Data("precious".utf8).write(to: URL(fileURLWithPath: path))
        try withLoop { loop in
            #expect {
                _ = try Listener(loop, unixPath: path, mode: 0o660, backlog: 1) { _ in }
            } throws: { ($0 as? EventLoopError)?.isAddressInUse == true }
            loop.stop()
        }
        #expect(FileManager.default.contents(atPath: path) == Data("precious".utf8))
    }

    @Test func aPathThatIsTooLongIsRefusedNotCutShort() throws {
        let path = folder(String(repeating: "x", count: 108))
        try withLoop { loop in
            #expect {
                _ = try Listener(loop, unixPath: path, mode: 0o660, backlog: 1) { _ in }
            } throws: { ($0 as? EventLoopError)?.name == "ENAMETOOLONG" }
            EventLoop.Stream.connect(loop, unixPath: path, withinMillis: 1000) { result in
                expectFailure(result, "ENAMETOOLONG")
                loop.stop()
            }
        }
    }

    @Test func aRefusedConnectionIsReported() throws {
        let path = folder("nobody")
        leaveSocketBehind(path)
        try withLoop { loop in
            let listener = try Place.tcp.listen(loop) { _ in }
            let port = listener.boundPort
            listener.close()
            EventLoop.Stream.connect(loop, host: "127.0.0.1", port: port, withinMillis: 5000) { result in
                expectFailure(result, "ECONNREFUSED")
                EventLoop.Stream.connect(loop, unixPath: path, withinMillis: 5000) { result in
                    expectFailure(result, "ECONNREFUSED")
                    loop.stop()
                }
            }
        }
    }

    @Test func everyAddressOfANameIsTried() throws {
        try withLoop { loop in
            // Bound to IPv4 only, while the name may stand for ::1 as well.
            let listener = try Place.tcp.listen(loop) { _ in }
            let port = listener.boundPort
            EventLoop.Stream.connect(loop, host: "localhost", port: port, withinMillis: 5000) { result in
                #expect(throws: Never.self) { _ = try result.get() }
                loop.stop()
            }
        }
    }

    @Test func anIPv6AddressIsServed() throws {
        try withLoop { loop in
            let accept: Listener.AcceptHandler = { result in
                guard case .success(let stream) = result, case .tcp("::1", _) = stream.peer else {
                    Issue.record("accepted \(result)")
                    return loop.stop()
                }
                #expect(stream.peer.description.hasPrefix("[::1]:"))
                loop.stop()
            }
            let listener: Listener
            do throws(EventLoopError) {
                listener = try Listener(loop, host: "::1", port: 0, backlog: 1, onAccept: accept)
            } catch {
                #expect(error.name == "EADDRNOTAVAIL")  // this machine has no IPv6
                return loop.stop()
            }
            let port = listener.boundPort
            EventLoop.Stream.connect(loop, host: "::1", port: port, withinMillis: 5000) { _ in }
        }
    }

    @Test func aConnectionThatTakesTooLongIsGivenUp() throws {
        try withLoop { loop in
            // TEST-NET-1 answers nobody; without a route the refusal comes at once.
            EventLoop.Stream.connect(loop, host: "192.0.2.1", port: 9, withinMillis: 50) { result in
                if case .success = result { Issue.record("nobody lives there") }
                loop.stop()
            }
        }
    }

    @Test func aLoopThatClosesAnswersWhatIsStillConnecting() throws {
        let loop = try Loop()
        var answers = 0
        for host in ["192.0.2.1", "localhost"] {
            EventLoop.Stream.connect(loop, host: host, port: 9, withinMillis: 60_000) { result in
                if case .success(let stream) = result { stream.close() }
                answers += 1
            }
        }
        loop.close()
        #expect(answers == 2)
        #expect(loop.liveHandleCount == 0)
    }

    private func expectFailure(_ result: Result<EventLoop.Stream, EventLoopError>, _ name: String) {
        switch result {
        case .success: Issue.record("connected")
        case .failure(let error): #expect(error.name == name)
        }
    }

    /// What a killed server leaves: a bound path with nobody behind it.
    private func leaveSocketBehind(_ path: String) {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        unsafe withUnsafeBytes(of: address) { bytes in
            let pointer = unsafe bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
            #expect(unsafe bind(descriptor, pointer, socklen_t(bytes.count)) == 0)
        }
        close(descriptor)
    }
}
