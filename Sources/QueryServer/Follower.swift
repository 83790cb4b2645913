import Telemetry

/// Takes up what was acknowledged a few times a second, so that a question finds the tail ready.
///
/// Questions take their own snapshot, so freshness does not hang on this; it only spares them the work.
struct Follower: Sendable {
    static let periodSeconds = 0.25

    let projects: ProjectReaders
    let logger: Logger
    private let faults = StandingFaults()

    init(projects: ProjectReaders, logger: Logger) {
        self.projects = projects
        self.logger = logger
    }

    func follow() {
        for (name, reader) in projects.opened {
            do {
                _ = try reader.snapshot()
                faults.end(of: name)
            } catch {
                guard faults.isNew(error, of: name) else { continue }
                logger.warning(
                    "cannot follow the log", ["project": .string(name), "reason": .string("\(error)")])
            }
        }
    }
}
