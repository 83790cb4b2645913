import Crypto
import Files
import Synchronization

/// The token file of a running daemon, read into an immutable snapshot. Any thread.
package final class TokenStore: Sendable {
    private struct State {
        var text: [UInt8]?
        /// By the SHA-256 of the token's text. Comparing hashes leaks nothing that helps to guess 256 random bits.
        var tokens: [[UInt8]: TokenFile.Token] = [:]
    }

    private let path: String
    private let disk: Disk
    private let state = Mutex(State())

    package init(path: String, disk: Disk) {
        self.path = path
        self.disk = disk
    }

    /// Reads the file; on failure the tokens known before stay in force. Parses only if the text is another one.
    package func reload() throws {
        let text = try disk.contents(path, limit: TokenFile.byteCountMax)
        guard state.withLock({ $0.text != text }) else { return }
        let file = try TokenFile(text, path: path)
        var tokens: [[UInt8]: TokenFile.Token] = [:]
        for token in file.tokens { tokens[token.sha256] = token }
        state.withLock { $0 = State(text: text, tokens: tokens) }
    }

    /// The token with this text; nil if nobody gave it or it was revoked. O(text).
    package func token(_ text: String) -> TokenFile.Token? { token(sha256: SHA256.hash(Array(text.utf8))) }

    /// The token whose text has this hash.
    package func token(sha256: [UInt8]) -> TokenFile.Token? { state.withLock { $0.tokens[sha256] } }
}
