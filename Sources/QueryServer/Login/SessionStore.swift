import Bytes
import Crypto
import JSON
import Metadata
import Synchronization

/// Who is logged in: in memory, and in the metadata store so that a restart ends no session. Any thread.
///
/// Holds hashes only. A session hangs on one token: whoever looks it up asks whether that is still in force. While the
/// store is away sessions begin and end in memory.
final class SessionStore: Sendable {
    private struct Session {
        let tokenHash: [UInt8]
        let expiresMicros: Int64

        init(tokenHash: [UInt8], expiresMicros: Int64) {
            self.tokenHash = tokenHash
            self.expiresMicros = expiresMicros
        }

        /// As the store keeps it.
        init?(_ json: JSONValue) {
            guard let digits = json["token_sha256"]?.asString, let hash = Hex.decode(digits),
                let expires = json["expires_at"]?.asInteger
            else { return nil }
            self.init(tokenHash: hash, expiresMicros: expires)
        }

        var json: JSONValue {
            ["token_sha256": .string(Hex.encode(tokenHash)), "expires_at": .integer(expiresMicros)]
        }
    }

    private struct State {
        /// By the SHA-256 of the cookie's value, in hexadecimal digits.
        var sessions: [String: Session] = [:]
        /// Ended while the store may still have them.
        var ended = Set<String>()
        /// Whether those of the store are here.
        var isLoaded = false
    }

    static let lifeSeconds = 30 * 86_400
    /// How often `load` is to be called; once it is done it costs nothing.
    static let loadSeconds = 1.0
    /// At most so many; the one that ends first makes room.
    private static let sessionsMax = 10_000

    private let store: MetadataStore
    private let state = Mutex(State())

    init(store: MetadataStore) { self.store = store }

    /// Takes up the sessions of earlier runs, once. Blocks on the store; to be called again and again, since the store
    /// may be away.
    func load(nowMicros: Int64) {
        guard !state.withLock({ $0.isLoaded }) else { return }
        let documents: [Document]
        do throws(MetadataError) {
            documents = try store.documents(project: "", kind: .session)
        } catch {
            return  // the store has told the log
        }
        let over = state.withLock { state in
            state.isLoaded = true
            var over: [String] = []
            for document in documents {
                let id = document.key.id
                if let session = Session(document.body), nowMicros < session.expiresMicros, !state.ended.contains(id) {
                    state.sessions[id] = session
                } else {
                    over.append(id)
                }
            }
            return over
        }
        for id in over { forget(id) }
    }

    /// Blocks on the store.
    /// - Returns: the cookie's value.
    func begin(tokenHash: [UInt8], nowMicros: Int64) -> String {
        let value = Hex.encode(secureRandomBytes(count: 32))
        let session = Session(tokenHash: tokenHash, expiresMicros: nowMicros + Int64(Self.lifeSeconds) * 1_000_000)
        let id = Self.id(value)
        let displaced = state.withLock { state in
            let isFull = state.sessions.count >= Self.sessionsMax
            let first = isFull ? state.sessions.min { $0.value.expiresMicros < $1.value.expiresMicros }?.key : nil
            if let first { state.sessions[first] = nil }
            state.sessions[id] = session
            return first
        }
        if let displaced { forget(displaced) }
        do throws(MetadataError) {
            try store.put(Self.key(id), name: "", body: session.json, if: .always)
        } catch {
            // The store has told the log that it is away; this session ends with this process.
        }
        return value
    }

    /// The token that a cookie's session hangs on; nil if there is no such session or it is over.
    func tokenHash(of cookie: String, nowMicros: Int64) -> [UInt8]? {
        let id = Self.id(cookie)
        return state.withLock { state in
            guard let session = state.sessions[id] else { return nil }
            guard nowMicros < session.expiresMicros else {
                state.sessions[id] = nil
                return nil
            }
            return session.tokenHash
        }
    }

    /// Logs out. Blocks on the store.
    func end(_ cookie: String) {
        drop(cookie)
        forget(Self.id(cookie))
    }

    /// Ends a session in memory only, at once: its token is gone, so it is worth nothing in the store either.
    func drop(_ cookie: String) {
        let id = Self.id(cookie)
        state.withLock { state in
            state.sessions[id] = nil
            if !state.isLoaded { state.ended.insert(id) }
        }
    }

    private func forget(_ id: String) {
        do throws(MetadataError) {
            try store.delete(Self.key(id))
        } catch {
            // Not there, or the store is away: then the next run finds it, and whoever kept the cookie is logged in
            // again until it expires. The token's revocation ends it all the same.
        }
    }

    private static func id(_ cookie: String) -> String { Hex.encode(SHA256.hash(Array(cookie.utf8))) }

    private static func key(_ id: String) -> DocumentKey { DocumentKey(project: "", kind: .session, id: id) }
}
