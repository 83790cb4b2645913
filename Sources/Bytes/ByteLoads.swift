// Bounds-checked little-endian loads: the only raw loads below the line.
// Every supported machine is little-endian; the formats are too.

#if _endian(big)
#error("Tidemark's formats are little-endian and so must be the machine")
#endif

extension RawSpan {
    /// Loads the integer at `offset`, which need not be aligned.
    /// - Throws: `.truncated` if it does not lie wholly inside the span.
    @inlinable @inline(__always)
    public func load<T: FixedWidthInteger & BitwiseCopyable>(
        at offset: Int, as type: T.Type
    ) throws(DecodeError) -> T {
        guard offset >= 0, offset <= byteCount &- MemoryLayout<T>.size else { throw .truncated(offset: offset) }
        // Safe: the guard above proves offset..<offset + size lies in the span; T is trivial.
        return unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: T.self)
    }

    /// Loads the integer at `offset` and moves `offset` past it.
    @inlinable @inline(__always)
    public func read<T: FixedWidthInteger & BitwiseCopyable>(
        _ type: T.Type, _ offset: inout Int
    ) throws(DecodeError) -> T {
        let value = try load(at: offset, as: type)
        offset &+= MemoryLayout<T>.size
        return value
    }

    /// The byte at `offset`, unchecked in release builds.
    /// The caller has proven `0 <= offset < byteCount`.
    @inlinable @inline(__always)
    public func uncheckedByte(_ offset: Int) -> UInt8 {
        assert(offset >= 0 && offset < byteCount)
        // Safe: by the contract above, asserted in debug builds.
        return unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt8.self)
    }

    /// The eight bytes at `offset` as one little-endian word, unchecked in release builds.
    /// The caller has proven `0 <= offset <= byteCount - 8`.
    @inlinable @inline(__always)
    public func uncheckedWord(_ offset: Int) -> UInt64 {
        assert(offset >= 0 && offset <= byteCount - 8)
        // Safe: by the contract above, asserted in debug builds.
        return unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
    }

    /// The range of `count` bytes at `offset`, after which `offset` stands.
    /// - Throws: `.truncated` if the span holds fewer.
    @inlinable @inline(__always)
    public func take(_ count: Int, _ offset: inout Int) throws(DecodeError) -> Range<Int> {
        guard count >= 0, offset >= 0, count <= byteCount &- offset else { throw .truncated(offset: offset) }
        let range = offset..<(offset &+ count)
        offset &+= count
        return range
    }

    /// A copy of the bytes in `range`, which must lie in the span.
    @inlinable
    public func copy(_ range: Range<Int>) -> [UInt8] {
        let part = extracting(range)
        // Safe: the pointer is used only inside the closure.
        return unsafe part.withUnsafeBytes { unsafe [UInt8]($0) }
    }

    /// A copy of all bytes.
    @inlinable
    public func copy() -> [UInt8] { copy(0..<byteCount) }

    /// Whether both spans hold the same bytes. O(n).
    @inlinable
    public func equals(_ other: RawSpan) -> Bool {
        compare(other) == 0
    }

    /// Compares byte by byte as unsigned numbers, a shorter prefix first: negative, zero or positive. O(n).
    @inlinable
    public func compare(_ other: RawSpan) -> Int {
        let common = min(byteCount, other.byteCount)
        for index in 0..<common {
            let difference = Int(uncheckedByte(index)) &- Int(other.uncheckedByte(index))
            if difference != 0 { return difference }
        }
        return byteCount &- other.byteCount
    }

    /// The bytes in `range` as text; ill-formed UTF-8 is repaired with U+FFFD.
    @inlinable
    public func text(_ range: Range<Int>) -> String {
        let part = extracting(range)
        // Safe: the pointer is used only inside the closure.
        return unsafe part.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }
}

extension Array where Element == UInt8 {
    /// All bytes of the array, borrowed.
    @inlinable
    public var rawSpan: RawSpan {
        @_lifetime(borrow self)
        get {
            // Safe: a UInt8 span has no padding and no references.
            unsafe span.bytes
        }
    }
}
