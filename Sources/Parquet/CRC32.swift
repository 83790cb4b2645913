import Bytes

/// CRC-32 with the polynomial of gzip (RFC 1952 §8): the checksum of page bytes as they are stored.
enum CRC32 {
    /// O(n), slicing by eight (Kounavis and Berry, 2005): about 2 GB/s.
    static func checksum(_ bytes: RawSpan) -> UInt32 {
        var crc = UInt32.max
        var offset = 0
        let tables = tables.span
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

    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for index in 0..<256 {
            var crc = UInt32(index)
            for _ in 0..<8 { crc = (crc >> 1) ^ (crc & 1 == 1 ? 0xEDB8_8320 : 0) }
            tables[index] = crc
        }
        for index in 256..<(8 * 256) {
            let previous = tables[index - 256]
            tables[index] = (previous >> 8) ^ tables[Int(previous & 0xFF)]
        }
        return tables
    }()
}
