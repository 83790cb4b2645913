/// Why zstd refused.
public enum ZstdError: Error, Equatable, Sendable {
    /// The frame does not declare its decoded size, or declares more than the limit.
    case decodedSizeNotAllowed(declared: UInt64?, limit: Int)
    /// The bytes are not one whole zstd frame of the declared size.
    case corrupt(String)
    /// The library could not compress.
    case compressionFailed(String)
}
