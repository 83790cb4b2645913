import CZstd

/// A reusable decompression context that never makes more than it was allowed to; one thread at a time.
@safe
public struct Decompressor: ~Copyable {
    private let context: OpaquePointer

    public init() {
        // Safe: the context is freed once, in deinit. nil only when memory is out.
        unsafe context = ZSTD_createDCtx()!
    }

    deinit { unsafe ZSTD_freeDCtx(context) }

    /// Inflates exactly one frame that declares its decoded size.
    /// - Parameter limit: the most bytes that may come out; nothing is allocated before the declaration is checked.
    public mutating func decompress(_ bytes: RawSpan, limit: Int) throws(ZstdError) -> [UInt8] {
        // Safe: the library reads only the span it is given.
        let declared = unsafe bytes.withUnsafeBytes { unsafe ZSTD_getFrameContentSize($0.baseAddress, $0.count) }
        // The two highest values mean "unknown" and "error" (zstd.h).
        guard declared < UInt64.max - 1 else { throw .decodedSizeNotAllowed(declared: nil, limit: limit) }
        guard declared <= UInt64(limit) else { throw .decodedSizeNotAllowed(declared: declared, limit: limit) }
        let size = Int(declared)
        var failure: String?
        // Safe: the library writes at most `size` bytes; `initialized` is what it reports.
        let output = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
            let written = unsafe bytes.withUnsafeBytes { input in
                unsafe ZSTD_decompressDCtx(context, buffer.baseAddress, size, input.baseAddress, input.count)
            }
            if ZSTD_isError(written) != 0 {
                failure = errorName(written)
            } else {
                initialized = written
                if written != size { failure = "frame holds \(written) bytes, declares \(size)" }
            }
        }
        if let failure { throw .corrupt(failure) }
        return output
    }
}
