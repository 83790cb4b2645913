import Telemetry

/// Takes up what was acknowledged a few times a second, so that a question finds the tail ready.
///
/// Questions take their own snapshot, so freshness does not hang on this; it only spares them the work.
struct Follower: Sendable {
    static let periodSeconds = 0.25

    let projects: ProjectReaders
    let logger: Logger

    func follow() {
        for reader in projects.opened {
            do { _ = try reader.snapshot() } catch {
                logger.warning("cannot follow the log", ["reason": .string("\(error)")])
            }
        }
    }
}
