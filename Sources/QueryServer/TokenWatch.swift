import Access
import Synchronization
import Telemetry

/// Reads the token file anew each second, so that a revoked token is refused within one.
final class TokenWatch: Sendable {
    static let periodSeconds = 1.0

    private let tokens: TokenStore
    private let logger: Logger
    /// What is wrong with the file, so that it is said once.
    private let fault = Mutex<String?>(nil)

    init(_ tokens: TokenStore, _ logger: Logger) {
        self.tokens = tokens
        self.logger = logger
    }

    /// While the file cannot be read, the tokens known before stay in force.
    func look() {
        do {
            try tokens.reload()
            if fault.withLock({ $0.take() }) != nil { logger.info("tokens are read again") }
        } catch {
            let reason = "\(error)"
            let isNew = fault.withLock { fault in
                defer { fault = reason }
                return fault != reason
            }
            guard isNew else { return }
            logger.warning("tokens not read, those known before stay in force", ["reason": .string(reason)])
        }
    }
}
