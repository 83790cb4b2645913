import Bytes
import Crypto
import Synchronization

/// Links by which somebody who holds a token logs in with a browser without typing it: each good once, for ten minutes.
/// Any thread.
final class LoginLinks: Sendable {
    private struct Link {
        let tokenHash: [UInt8]
        let expiresMicros: Int64
    }

    static let lifeSeconds = 600
    /// At most so many wait to be used; the oldest makes room.
    private static let linksMax = 1000

    /// By the SHA-256 of the code.
    private let links = Mutex<[[UInt8]: Link]>([:])

    /// - Returns: the code, and when it is good no more.
    func make(tokenHash: [UInt8], nowMicros: Int64) -> (code: String, expiresMicros: Int64) {
        let code = Hex.encode(secureRandomBytes(count: 32))
        let link = Link(tokenHash: tokenHash, expiresMicros: nowMicros + Int64(Self.lifeSeconds) * 1_000_000)
        links.withLock { links in
            links = links.filter { nowMicros < $0.value.expiresMicros }
            if links.count >= Self.linksMax,
                let first = links.min(by: { $0.value.expiresMicros < $1.value.expiresMicros })
            {
                links[first.key] = nil
            }
            links[SHA256.hash(Array(code.utf8))] = link
        }
        return (code, link.expiresMicros)
    }

    /// Uses a code up.
    /// - Returns: the hash of its token; nil if the code is not known, used or too old.
    func redeem(_ code: String, nowMicros: Int64) -> [UInt8]? {
        let link = links.withLock { $0.removeValue(forKey: SHA256.hash(Array(code.utf8))) }
        return link.flatMap { nowMicros < $0.expiresMicros ? $0.tokenHash : nil }
    }
}
