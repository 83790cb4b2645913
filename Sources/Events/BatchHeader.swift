import Bytes

/// The first 12 bytes of a batch (protocol/batch.md §3).
///
///     u8 version = 0 · u8 codec · u16 reserved = 0 · u32 event count · u32 decoded bytes
public struct BatchHeader: Sendable, Equatable {
    public let codec: Codec
    public let eventCount: Int
    /// The size of the body once decoded.
    public let decodedByteCount: Int

    public static let byteCount = 12
    static let version: UInt8 = 0

    public enum Codec: UInt8, Sendable {
        case raw = 0
        case zstd = 1
    }

    /// Checks and reads the header of `batch` without touching the body. O(1).
    public static func read(
        _ batch: RawSpan, limits: BatchLimits = .format
    ) throws(BatchError) -> BatchHeader {
        guard batch.byteCount >= byteCount else { throw .truncated(.header, offset: batch.byteCount) }
        let start = batch.uncheckedWord(0)
        let version = UInt8(truncatingIfNeeded: start)
        guard version == BatchHeader.version else { throw .unsupportedVersion(version) }
        let codecByte = UInt8(truncatingIfNeeded: start &>> 8)
        guard let codec = Codec(rawValue: codecByte) else { throw .unknownCodec(codecByte) }
        guard start &>> 16 & 0xFFFF == 0 else { throw .reservedFieldNotZero }
        let events = start &>> 32
        guard events > 0 else { throw .noEvents }
        guard events <= limits.eventsMax else { throw .overLimit(.events, value: events, limit: limits.eventsMax) }
        // The last four bytes of the header are the high half of the word at 4.
        let decoded = batch.uncheckedWord(4) &>> 32
        guard decoded <= limits.decodedBytesMax else {
            throw .overLimit(.decodedBytes, value: decoded, limit: limits.decodedBytesMax)
        }
        let rest = batch.byteCount &- byteCount
        guard codec == .zstd || Int(decoded) == rest else {
            throw .decodedSizeMismatch(declared: Int(decoded), actual: rest)
        }
        return BatchHeader(codec: codec, eventCount: Int(events), decodedByteCount: Int(decoded))
    }

    func write(to writer: inout ByteWriter) {
        writer.append(BatchHeader.version)
        writer.append(codec.rawValue)
        writer.append(fixed: UInt16(0))
        writer.append(fixed: UInt32(eventCount))
        writer.append(fixed: UInt32(decodedByteCount))
    }
}
