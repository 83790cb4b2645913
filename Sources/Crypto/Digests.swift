import Bytes
import CCrypto

/// SHA-256 (FIPS 180-4).
package enum SHA256 {
    package static let byteCount = 32

    /// The digest of `bytes`: 32 bytes. O(n).
    package static func hash(_ bytes: [UInt8]) -> [UInt8] {
        // Safe: the library reads `count` bytes and writes the 32 that a digest has.
        unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { output, initialized in
            unsafe bytes.withUnsafeBufferPointer { input in
                _ = unsafe CCrypto.SHA256(input.baseAddress, input.count, output.baseAddress)
            }
            initialized = byteCount
        }
    }
}

/// HMAC with SHA-256 (RFC 2104): proves that who made the code knew the key.
package struct HMACSHA256: Sendable {
    private let key: [UInt8]

    /// - Parameter key: of any length; 32 random bytes are the use.
    package init(key: [UInt8]) { self.key = key }

    /// The code of `message`: 32 bytes. O(n).
    package func code(for message: [UInt8]) -> [UInt8] {
        // Safe: the library reads the given counts and writes the 32 bytes that a SHA-256 code has.
        unsafe [UInt8](unsafeUninitializedCapacity: SHA256.byteCount) { output, initialized in
            let code = unsafe key.withUnsafeBufferPointer { key in
                unsafe message.withUnsafeBufferPointer { message in
                    unsafe HMAC(
                        EVP_sha256(), key.baseAddress, Int32(key.count), message.baseAddress, message.count,
                        output.baseAddress, nil)
                }
            }
            precondition(unsafe code != nil, "OpenSSL has no memory or no SHA-256")
            initialized = SHA256.byteCount
        }
    }

    /// Whether `code` is the one of `message`; takes equally long for every wrong code.
    package func isValid(_ code: [UInt8], for message: [UInt8]) -> Bool {
        constantTimeEquals(code, self.code(for: message))
    }
}

/// Whether both hold the same bytes, in a time that tells nothing but whether the lengths differ.
package func constantTimeEquals(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    // Safe: the library reads `count` bytes of each.
    return unsafe left.withUnsafeBytes { left in
        unsafe right.withUnsafeBytes { right in
            unsafe CRYPTO_memcmp(left.baseAddress, right.baseAddress, left.count) == 0
        }
    }
}

/// Bytes that nobody can guess, from the operating system's generator. Traps if it fails: nothing safe could follow.
package func secureRandomBytes(count: Int) -> [UInt8] {
    // Safe: the library writes `count` bytes.
    unsafe [UInt8](unsafeUninitializedCapacity: count) { output, initialized in
        let status = unsafe RAND_bytes(output.baseAddress, Int32(count))
        precondition(status == 1, "no secure random bytes to be had")
        initialized = count
    }
}
