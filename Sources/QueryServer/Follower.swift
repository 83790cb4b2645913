import Foundation
import Synchronization
import Telemetry

/// Takes up what was acknowledged a few times a second, so that a question finds the tail ready.
///
/// Questions take their own snapshot, so freshness does not hang on this; it only spares them the work.
final class Follower: Sendable {
    private let projects: ProjectReaders
    private let logger: Logger
    private let isStopping = Atomic<Bool>(false)
    private let ended = DispatchSemaphore(value: 0)

    private static let periodSeconds = 0.25

    init(_ projects: ProjectReaders, _ logger: Logger) {
        self.projects = projects
        self.logger = logger
    }

    func start() {
        let thread = Thread { [self] in
            while !isStopping.load(ordering: .relaxed) {
                for reader in projects.opened {
                    do { _ = try reader.snapshot() } catch {
                        logger.warning("cannot follow the log", ["reason": .string("\(error)")])
                    }
                }
                Thread.sleep(forTimeInterval: Self.periodSeconds)
            }
            ended.signal()
        }
        thread.name = "follower"
        thread.start()
    }

    func stop() {
        isStopping.store(true, ordering: .relaxed)
        ended.wait()
    }
}
