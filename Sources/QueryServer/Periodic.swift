import Foundation

/// A thread that does something again and again until it is stopped.
final class Periodic: Sendable {
    private let name: String
    private let periodSeconds: Double
    private let body: @Sendable () -> Void
    private let stopping = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    init(_ name: String, everySeconds periodSeconds: Double, _ body: @escaping @Sendable () -> Void) {
        self.name = name
        self.periodSeconds = periodSeconds
        self.body = body
    }

    func start() {
        let thread = Thread { [self] in
            repeat { body() } while stopping.wait(timeout: .now() + periodSeconds) == .timedOut
            ended.signal()
        }
        thread.name = name
        thread.start()
    }

    /// Waits for the thread to end. Called once, after `start`.
    func stop() {
        stopping.signal()
        ended.wait()
    }
}
