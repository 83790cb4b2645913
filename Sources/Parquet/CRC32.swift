import Bytes

/// CRC-32 with the polynomial of gzip (RFC 1952 §8): the checksum of page bytes as they are stored.
enum CRC32 {
    /// O(n).
    static func checksum(_ bytes: RawSpan) -> UInt32 { sliceByEight(bytes, tables: tables.span) }

    /// Entry `256 · n + byte`: what `byte` does to the register `n` bytes later.
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
