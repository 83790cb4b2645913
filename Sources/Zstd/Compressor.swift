import CZstd

/// A reusable compression context; one thread at a time.
@safe
public struct Compressor: ~Copyable {
    private let context: OpaquePointer
    private let level: Int32

    public init(level: Int32) {
        // Safe: the context is freed once, in deinit. nil only when memory is out.
        unsafe context = ZSTD_createCCtx()!
        self.level = level
    }

    deinit { unsafe ZSTD_freeCCtx(context) }

    /// One zstd frame that declares its decoded size. O(n).
    public mutating func compress(_ bytes: RawSpan) throws(ZstdError) -> [UInt8] {
        let bound = ZSTD_compressBound(bytes.byteCount)
        var failure: Int?
        // Safe: the library writes at most `bound` bytes and reads exactly the span.
        let output = unsafe [UInt8](unsafeUninitializedCapacity: bound) { buffer, initialized in
            let written = unsafe bytes.withUnsafeBytes { input in
                unsafe ZSTD_compressCCtx(context, buffer.baseAddress, bound, input.baseAddress, input.count, level)
            }
            if ZSTD_isError(written) != 0 { failure = written } else { initialized = written }
        }
        if let failure { throw .compressionFailed(errorName(failure)) }
        return output
    }
}

func errorName(_ code: Int) -> String {
    // Safe: ZSTD_getErrorName returns a static string for any code.
    unsafe String(cString: ZSTD_getErrorName(code))
}
