import Synchronization

/// Faults that are met again and again by what looks many times a second: each is to be said once, until it is another
/// one or over. Any thread.
final class StandingFaults: Sendable {
    /// The reason, by what it is the fault of.
    private let reasons = Mutex<[String: String]>([:])

    /// - Returns: whether nobody was told yet.
    func isNew(_ error: any Error, of name: String) -> Bool {
        let reason = "\(error)"
        return reasons.withLock { $0.updateValue(reason, forKey: name) != reason }
    }

    /// - Returns: whether there was one.
    @discardableResult
    func end(of name: String) -> Bool { reasons.withLock { $0.removeValue(forKey: name) != nil } }
}
