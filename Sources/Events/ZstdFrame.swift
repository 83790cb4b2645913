import Bytes

/// The outline of a zstd frame (RFC 8878 §3.1.1), to know where it ends: the library itself would also take
/// several frames in a row, and the batch allows one.
enum ZstdFrame {
    private static let magic: UInt32 = 0xFD2F_B528

    /// The bytes of the frame at the front of `bytes`, checksum included. O(blocks).
    /// - Returns: nil if no whole frame stands there.
    static func byteCount(_ bytes: RawSpan) -> Int? {
        do throws(DecodeError) {
            var offset = 0
            guard try bytes.read(UInt32.self, &offset) == magic else { return nil }
            let descriptor = try bytes.read(UInt8.self, &offset)
            let isSingleSegment = descriptor & 0x20 != 0
            let dictionaryBytes = [0, 1, 2, 4][Int(descriptor & 3)]
            let sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][Int(descriptor &>> 6)]
            _ = try bytes.take((isSingleSegment ? 0 : 1) &+ dictionaryBytes &+ sizeBytes, &offset)
            var isLast = false
            while !isLast {
                let low = UInt32(try bytes.read(UInt16.self, &offset))
                let header = low | UInt32(try bytes.read(UInt8.self, &offset)) &<< 16
                isLast = header & 1 == 1
                // A run-length block holds one byte whatever its size says.
                let isRun = header &>> 1 & 3 == 1
                _ = try bytes.take(isRun ? 1 : Int(header &>> 3), &offset)
            }
            let hasChecksum = descriptor & 4 != 0
            _ = try bytes.take(hasChecksum ? 4 : 0, &offset)
            return offset
        } catch {
            return nil
        }
    }
}
