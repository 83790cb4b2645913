// LEB128 variable-length integers, and zigzag for signed ones: protocol/batch.md §2.

/// Maps signed to unsigned so that small magnitudes stay small: 0, −1, 1, −2 → 0, 1, 2, 3.
@inlinable @inline(__always)
public func zigzagEncode(_ value: Int64) -> UInt64 {
    UInt64(bitPattern: (value &<< 1) ^ (value &>> 63))
}

/// The inverse of `zigzagEncode`.
@inlinable @inline(__always)
public func zigzagDecode(_ value: UInt64) -> Int64 {
    Int64(bitPattern: value &>> 1) ^ (0 &- Int64(bitPattern: value & 1))
}

extension RawSpan {
    /// Reads one unsigned LEB128 integer of up to 64 bits and moves `offset` past it.
    /// - Throws: `.truncated`, or `.varintTooLong` past ten bytes or 64 bits.
    @inlinable @inline(__always)
    public func varint(_ offset: inout Int) throws(DecodeError) -> UInt64 {
        guard offset >= 0, offset < byteCount else { throw .truncated(offset: offset) }
        let first = uncheckedByte(offset)
        if first < 0x80 {
            offset &+= 1
            return UInt64(first)
        }
        return try longVarint(&offset)
    }

    @inlinable
    public func longVarint(_ offset: inout Int) throws(DecodeError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        var position = offset
        while position < byteCount {
            let byte = uncheckedByte(position)
            position &+= 1
            if shift == 63 && byte > 1 { throw .varintTooLong(offset: offset) }
            value |= UInt64(byte & 0x7F) &<< shift
            if byte < 0x80 {
                offset = position
                return value
            }
            shift &+= 7
            if shift > 63 { throw .varintTooLong(offset: offset) }
        }
        throw .truncated(offset: offset)
    }

    /// Reads a zigzag-coded signed integer and moves `offset` past it.
    @inlinable @inline(__always)
    public func signedVarint(_ offset: inout Int) throws(DecodeError) -> Int64 {
        zigzagDecode(try varint(&offset))
    }

    /// Reads a varint that counts something and must not exceed `limit`; nothing is below a negative limit.
    /// - Throws: `.overLimit` naming `what`.
    @inlinable @inline(__always)
    public func count(_ what: StaticString, limit: Int, _ offset: inout Int) throws(DecodeError) -> Int {
        let value = try varint(&offset)
        guard limit >= 0, value <= UInt64(limit) else {
            throw .overLimit(what: what, value: value, limit: UInt64(max(limit, 0)))
        }
        return Int(value)
    }
}
