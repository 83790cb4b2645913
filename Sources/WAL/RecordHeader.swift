import Bytes

/// The 48 bytes before each record: protocol/wal.md §3.
package struct RecordHeader: Equatable, Sendable {
    package static let byteCount = 48
    package static let alignment = 8

    package enum Kind: UInt8, Sendable { case group = 1, footer = 2 }

    /// Whole record, header and padding included.
    package var recordBytes: Int
    package var kind: Kind
    package var sequence: UInt64
    package var commitMicros: Int64
    package var tag: UInt32
    package var directoryBytes: Int
    package var eventCount: Int
    package var directoryCRC: UInt32

    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: Self.byteCount)
        writer.append(fixed: UInt32(recordBytes))
        writer.append(kind.rawValue)
        writer.append([0, 0, 0])
        writer.append(fixed: sequence)
        writer.append(fixed: commitMicros)
        writer.append(fixed: tag)
        writer.append(fixed: UInt32(directoryBytes))
        writer.append(fixed: UInt32(eventCount))
        writer.append(fixed: directoryCRC)
        writer.append(fixed: UInt32(0))
        writer.append(fixed: CRC32C.checksum(writer.bytes))
        return writer.bytes
    }

    /// What stands at a place where a record may begin.
    enum Found: Equatable {
        case record(RecordHeader)
        /// Nothing was ever written here.
        case nothing
        case bad(String)
    }

    /// Reads the header at `offset` and checks all that can be checked without the directory.
    static func find(in bytes: RawSpan, at offset: Int, tag: UInt32) -> Found {
        guard offset + byteCount <= bytes.byteCount else { return .nothing }
        do {
            let header = try read(bytes, at: offset)
            guard let header else {
                let blank = (offset..<(offset + byteCount)).allSatisfy { bytes.uncheckedByte($0) == 0 }
                return blank ? .nothing : .bad("header checksum does not match")
            }
            guard header.tag == tag else { return .bad("record of another segment") }
            guard header.recordBytes % alignment == 0, header.recordBytes <= Limits.recordBytesMax,
                header.recordBytes >= byteCount + header.directoryBytes,
                header.recordBytes <= bytes.byteCount - offset
            else {
                return .bad(
                    "record length \(header.recordBytes) is impossible: a multiple of \(alignment) from "
                        + "\(byteCount + header.directoryBytes) to \(Limits.recordBytesMax), of which "
                        + "\(bytes.byteCount - offset) bytes are left")
            }
            return .record(header)
        } catch {
            return .bad("truncated header")
        }
    }

    /// - Returns: nil if the checksum does not match or the kind is unknown.
    private static func read(_ bytes: RawSpan, at start: Int) throws(DecodeError) -> RecordHeader? {
        var offset = start
        let recordBytes = try bytes.read(UInt32.self, &offset)
        let kind = try bytes.read(UInt8.self, &offset)
        offset += 3
        let sequence = try bytes.read(UInt64.self, &offset)
        let commitMicros = try bytes.read(Int64.self, &offset)
        let tag = try bytes.read(UInt32.self, &offset)
        let directoryBytes = try bytes.read(UInt32.self, &offset)
        let eventCount = try bytes.read(UInt32.self, &offset)
        let directoryCRC = try bytes.read(UInt32.self, &offset)
        let crc = try bytes.load(at: start + 44, as: UInt32.self)
        guard crc == CRC32C.checksum(bytes.extracting(start..<(start + 44))), let kind = Kind(rawValue: kind) else {
            return nil
        }
        return RecordHeader(
            recordBytes: Int(recordBytes), kind: kind, sequence: sequence, commitMicros: commitMicros, tag: tag,
            directoryBytes: Int(directoryBytes), eventCount: Int(eventCount), directoryCRC: directoryCRC)
    }
}
