import Bytes
import Crypto
import Synchronization

/// Who is logged in, in memory: a restart ends every session. Any thread.
///
/// Holds hashes only. A session hangs on one token: whoever looks it up asks whether that is still in force.
final class SessionStore: Sendable {
    private struct Session {
        let tokenHash: [UInt8]
        let expiresMicros: Int64
    }

    static let lifeSeconds = 30 * 86_400
    /// At most so many; the one that ends first makes room.
    private static let sessionsMax = 10_000

    /// By the SHA-256 of the cookie's value.
    private let sessions = Mutex<[[UInt8]: Session]>([:])

    /// - Returns: the cookie's value.
    func begin(tokenHash: [UInt8], nowMicros: Int64) -> String {
        let value = Hex.encode(secureRandomBytes(count: 32))
        let session = Session(tokenHash: tokenHash, expiresMicros: nowMicros + Int64(Self.lifeSeconds) * 1_000_000)
        sessions.withLock { sessions in
            if sessions.count >= Self.sessionsMax,
                let first = sessions.min(by: { $0.value.expiresMicros < $1.value.expiresMicros })
            {
                sessions[first.key] = nil
            }
            sessions[SHA256.hash(Array(value.utf8))] = session
        }
        return value
    }

    /// The token that a cookie's session hangs on; nil if there is no such session or it is over.
    func tokenHash(of cookie: String, nowMicros: Int64) -> [UInt8]? {
        let key = SHA256.hash(Array(cookie.utf8))
        return sessions.withLock { sessions in
            guard let session = sessions[key] else { return nil }
            guard nowMicros < session.expiresMicros else {
                sessions[key] = nil
                return nil
            }
            return session.tokenHash
        }
    }

    func end(_ cookie: String) { sessions.withLock { $0[SHA256.hash(Array(cookie.utf8))] = nil } }
}
