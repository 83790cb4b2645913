import Access
import Telemetry

/// Reads the token file anew each second, so that a revoked token is refused within one.
final class TokenWatch: Sendable {
    static let periodSeconds = 1.0

    private let tokens: TokenStore
    private let logger: Logger
    private let faults = StandingFaults()

    init(_ tokens: TokenStore, _ logger: Logger) {
        self.tokens = tokens
        self.logger = logger
    }

    /// While the file cannot be read, the tokens known before stay in force.
    func look() {
        do {
            try tokens.reload()
            if faults.end(of: "tokens") { logger.info("tokens are read again") }
        } catch {
            guard faults.isNew(error, of: "tokens") else { return }
            logger.warning("tokens not read, those known before stay in force", ["reason": .string("\(error)")])
        }
    }
}
