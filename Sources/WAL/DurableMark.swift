import Bytes
import Files

/// How far the log is durable: protocol/wal.md §6. Rewritten in place after each sync, never synced itself.
package struct DurableMark: Equatable, Sendable {
    package static let byteCount = 64
    package static let fileName = "durable.mark"
    private static let magic = Array("TDMKMARK".utf8)

    package var lineage: UUID16
    package var segment: UInt64
    /// Behind the last durable record of that segment.
    package var byteOffset: Int
    /// The last durable record; 0: none yet.
    package var sequence: UInt64
    package var commitMicros: Int64

    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: Self.byteCount)
        writer.append(Self.magic)
        writer.append(lineage.bytes)
        writer.append(fixed: segment)
        writer.append(fixed: UInt64(byteOffset))
        writer.append(fixed: sequence)
        writer.append(fixed: commitMicros)
        writer.append(fixed: UInt32(0))
        writer.append(fixed: CRC32C.checksum(writer.bytes))
        return writer.bytes
    }

    /// - Returns: nil if the bytes are no mark, or one that is half written.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount, Array(bytes[0..<8]) == Self.magic else { return nil }
        let span = bytes.rawSpan
        do {
            guard try span.load(at: 60, as: UInt32.self) == CRC32C.checksum(span.extracting(0..<60)) else { return nil }
            lineage = UUID16(span.copy(8..<24))
            segment = try span.load(at: 24, as: UInt64.self)
            guard let offset = Int(exactly: try span.load(at: 32, as: UInt64.self)) else { return nil }
            byteOffset = offset
            sequence = try span.load(at: 40, as: UInt64.self)
            commitMicros = try span.load(at: 48, as: Int64.self)
        } catch {
            return nil
        }
    }

    package init(lineage: UUID16, segment: UInt64, byteOffset: Int, sequence: UInt64, commitMicros: Int64) {
        self.lineage = lineage
        self.segment = segment
        self.byteOffset = byteOffset
        self.sequence = sequence
        self.commitMicros = commitMicros
    }

    /// Reads the mark of the log in `folder`, again while it is being rewritten.
    /// - Returns: nil if there is no file or no valid mark in it.
    package static func read(in folder: String, disk: Disk) throws(FileError) -> DurableMark? {
        for _ in 0..<100 {
            do {
                if let mark = DurableMark(try disk.contents(folder + "/" + fileName, limit: byteCount)) { return mark }
            } catch where error.isNotFound {
                return nil
            }
        }
        return nil
    }
}
