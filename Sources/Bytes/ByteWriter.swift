/// Growable output for the formats: little-endian integers, varints, lengths patched in afterwards.
public struct ByteWriter: Sendable {
    public var bytes: [UInt8]

    @inlinable
    public init(capacity: Int = 0) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    @inlinable public var count: Int { bytes.count }

    @inlinable @inline(__always)
    public mutating func append(_ byte: UInt8) { bytes.append(byte) }

    @inlinable
    public mutating func append(_ more: [UInt8]) { bytes.append(contentsOf: more) }

    @inlinable
    public mutating func append(_ more: RawSpan) {
        // Safe: the pointer is used only inside the closure.
        unsafe more.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    }

    @inlinable
    public mutating func append(utf8 text: String) { bytes.append(contentsOf: text.utf8) }

    /// Appends the integer little-endian.
    @inlinable
    public mutating func append<T: FixedWidthInteger>(fixed value: T) {
        var rest = value.littleEndian
        // Safe: the bytes of a trivial local, read within the closure.
        unsafe Swift.withUnsafeBytes(of: &rest) { unsafe bytes.append(contentsOf: $0) }
    }

    /// Appends the double's bit pattern little-endian.
    @inlinable
    public mutating func append(double value: Double) { append(fixed: value.bitPattern) }

    @inlinable @inline(__always)
    public mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest &>>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    @inlinable @inline(__always)
    public mutating func append(count value: Int) { append(varint: UInt64(value)) }

    @inlinable @inline(__always)
    public mutating func append(signed value: Int64) { append(varint: zigzagEncode(value)) }

    /// Appends a varint length and the bytes.
    @inlinable
    public mutating func append(lengthPrefixed more: [UInt8]) {
        append(count: more.count)
        append(more)
    }

    /// Appends zeros until `count` is a multiple of `alignment`.
    @inlinable
    public mutating func pad(to alignment: Int) {
        while bytes.count % alignment != 0 { bytes.append(0) }
    }

    /// Overwrites the little-endian integer at `offset`, which was appended before.
    @inlinable
    public mutating func patch<T: FixedWidthInteger>(at offset: Int, fixed value: T) {
        var rest = value
        for index in 0..<(T.bitWidth / 8) {
            bytes[offset + index] = UInt8(truncatingIfNeeded: rest)
            rest >>= 8
        }
    }
}
