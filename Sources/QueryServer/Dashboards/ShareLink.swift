import Crypto
import Foundation

/// What a link to a shared dashboard says, signed so that nobody but this server can make one.
///
///     base64url(project "\n" share id "\n" expiry in seconds since 1970) "." base64url(HMAC-SHA-256 of the first part)
///
/// A good signature is not enough: the share's row must be there too, so that a link can be taken back.
struct ShareLink: Sendable, Equatable {
    let project: String
    let shareID: String
    let expirySeconds: Int64

    init(project: String, shareID: String, expirySeconds: Int64) {
        (self.project, self.shareID, self.expirySeconds) = (project, shareID, expirySeconds)
    }

    /// - Returns: nil unless the key's owner signed it.
    init?(token: String, key: HMACSHA256) {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard token.utf8.count <= 1024, parts.count == 2, let code = Self.decode(parts[1]),
            key.isValid(code, for: Array(parts[0].utf8)), let text = Self.decode(parts[0])
        else { return nil }
        let fields = String(decoding: text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        guard fields.count == 3, let expiry = Int64(fields[2]) else { return nil }
        self.init(project: String(fields[0]), shareID: String(fields[1]), expirySeconds: expiry)
    }

    func token(_ key: HMACSHA256) -> String {
        let text = Self.encode(Array("\(project)\n\(shareID)\n\(expirySeconds)".utf8))
        return text + "." + Self.encode(key.code(for: Array(text.utf8)))
    }

    // base64url without padding: RFC 4648 §5.

    private static func encode(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    private static func decode(_ text: Substring) -> [UInt8]? {
        let plain = text.replacing("-", with: "+").replacing("_", with: "/")
        let padded = plain + String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4)
        return Data(base64Encoded: String(padded)).map { [UInt8]($0) }
    }
}
