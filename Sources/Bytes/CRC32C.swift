import CChecksum

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4): the checksum of frames, records and bodies.
public enum CRC32C {
    /// The checksum of `bytes`; pass an earlier result as `continuing` to go on where it ended. O(n).
    public static func checksum(_ bytes: RawSpan, continuing earlier: UInt32 = 0) -> UInt32 {
        if hasHardware {
            // Safe: the C function reads exactly `count` bytes from the pointer, inside the closure.
            return unsafe bytes.withUnsafeBytes { buffer in
                unsafe ~tidemark_crc32c_hardware(~earlier, buffer.baseAddress, buffer.count)
            }
        }
        return portable(bytes, continuing: earlier)
    }

    public static func checksum(_ bytes: [UInt8]) -> UInt32 { checksum(bytes.rawSpan) }

    /// The same without the instruction: slicing by eight (Kounavis and Berry, 2005).
    static func portable(_ bytes: RawSpan, continuing earlier: UInt32 = 0) -> UInt32 {
        var crc = ~earlier
        var offset = 0
        let tables = tables
        while offset &+ 8 <= bytes.byteCount {
            let word = bytes.uncheckedWord(offset) ^ UInt64(crc)
            crc = 0
            for slice in 0..<8 {
                crc ^= tables[(7 &- slice) &* 256 &+ Int((word &>> UInt64(slice &* 8)) & 0xFF)]
            }
            offset &+= 8
        }
        while offset < bytes.byteCount {
            crc = (crc &>> 8) ^ tables[Int((crc ^ UInt32(bytes.uncheckedByte(offset))) & 0xFF)]
            offset &+= 1
        }
        return ~crc
    }

    private static let hasHardware = tidemark_crc32c_has_hardware() != 0

    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for index in 0..<256 {
            var crc = UInt32(index)
            for _ in 0..<8 { crc = (crc >> 1) ^ (crc & 1 == 1 ? 0x82F6_3B78 : 0) }
            tables[index] = crc
        }
        for slice in 1..<8 {
            for index in 0..<256 {
                let previous = tables[(slice - 1) * 256 + index]
                tables[slice * 256 + index] = (previous >> 8) ^ tables[Int(previous & 0xFF)]
            }
        }
        return tables
    }()
}
