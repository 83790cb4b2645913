import Bytes
import Files
import Zstd

/// One segment, mapped for reading. Any thread may use it; it never changes what it reads.
package final class SegmentReader: Sendable {
    package let header: SegmentHeader
    package let path: String
    fileprivate let mapping: FileMapping

    /// - Throws: `.notASegment` if the header does not hold.
    package init(path: String, disk: Disk) throws(WALError) {
        self.path = path
        let mapping: FileMapping
        do { mapping = try FileMapping(path, disk: disk) } catch { throw .file(error) }
        header = try SegmentHeader(mapping.bytes, path: path)
        self.mapping = mapping
    }

    package var byteCount: Int { mapping.count }

    /// What stands at a place of the segment.
    package enum Found {
        case record(Record)
        case footer(SegmentSummary, byteOffset: Int)
        /// Nothing more was written.
        case end(byteOffset: Int)
        case bad(byteOffset: Int, reason: String)
    }

    /// The record at `byteOffset`, its directory checked and decoded. O(directory).
    package func find(at byteOffset: Int) -> Found {
        let mapping = mapping
        let bytes = mapping.bytes
        switch RecordHeader.find(in: bytes, at: byteOffset, tag: header.uuid.tag) {
        case .nothing: return .end(byteOffset: byteOffset)
        case .bad(let reason): return .bad(byteOffset: byteOffset, reason: reason)
        case .record(let found):
            let start = byteOffset + RecordHeader.byteCount
            let directory = bytes.extracting(start..<(start + found.directoryBytes))
            guard CRC32C.checksum(directory) == found.directoryCRC else {
                return .bad(byteOffset: byteOffset, reason: "directory checksum does not match")
            }
            do {
                switch found.kind {
                case .footer: return .footer(try SegmentSummary(directory), byteOffset: byteOffset)
                case .group: return .record(try record(found, try Directory(directory), at: byteOffset))
                }
            } catch {
                return .bad(byteOffset: byteOffset, reason: "directory: \(error)")
            }
        }
    }

    private func record(
        _ found: RecordHeader, _ directory: Directory, at byteOffset: Int
    ) throws(DecodeError) -> Record {
        var start = byteOffset + RecordHeader.byteCount + found.directoryBytes
        var starts: [Int] = []
        for block in directory.blocks {
            starts.append(start)
            start += block.storedBytes
        }
        guard start <= byteOffset + found.recordBytes else { throw .invalid(what: "block lengths", offset: start) }
        let ordinals = directory.entries.reduce(0) { $0 + $1.ordinalCount }
        guard ordinals == found.eventCount else { throw .invalid(what: "event count", offset: byteOffset) }
        return Record(
            segment: self, header: found, entries: directory.entries, byteOffset: byteOffset,
            blocks: directory.blocks, blockOffsets: starts)
    }

    /// Whether every stored byte of a record is as it was written; true at once for a record without bodies. O(record).
    package func isIntact(_ record: Record) -> Bool {
        let mapping = mapping
        for (index, block) in record.blocks.enumerated() {
            if CRC32C.checksum(mapping.bytes.extracting(record.stored(index))) != block.crc { return false }
        }
        return true
    }

    /// The raw bytes of a stretch, for tools.
    package func copy(_ range: Range<Int>) -> [UInt8] {
        let mapping = mapping
        return mapping.bytes.copy(range.clamped(to: 0..<byteCount))
    }

    /// Whether any intact record of this segment with a sequence above `sequence` begins at or behind `byteOffset`.
    /// Tells rot, which has good records behind it, from a torn end, which has none. O(bytes).
    func hasRecord(above sequence: UInt64, from byteOffset: Int) -> Bool {
        let mapping = mapping
        let bytes = mapping.bytes
        var offset = byteOffset.roundedUp(to: RecordHeader.alignment)
        while offset + RecordHeader.byteCount <= bytes.byteCount {
            if case .record(let found) = RecordHeader.find(in: bytes, at: offset, tag: header.uuid.tag),
                found.sequence > sequence {
                return true
            }
            offset += RecordHeader.alignment
        }
        return false
    }

    /// Behind the last byte at or behind `byteOffset` that is not zero. O(bytes).
    func writtenEnd(from byteOffset: Int) -> Int {
        let mapping = mapping
        let bytes = mapping.bytes
        var end = bytes.byteCount
        while end > byteOffset, bytes.uncheckedByte(end - 1) == 0 { end -= 1 }
        return end
    }
}

/// One committed group: its directory, and the way to its bodies.
package struct Record: Sendable {
    package let segment: SegmentReader
    package let header: RecordHeader
    package let entries: [Entry]
    package let byteOffset: Int
    package let blocks: [Block]
    let blockOffsets: [Int]

    package var sequence: UInt64 { header.sequence }
    package var commitMicros: Int64 { header.commitMicros }
    package var end: Int { byteOffset + header.recordBytes }

    /// Where the stored bytes of block `index` are in the segment.
    func stored(_ index: Int) -> Range<Int> { blockOffsets[index]..<(blockOffsets[index] + blocks[index].storedBytes) }
}

/// Reads the bodies of records, keeping the last pack inflated. One thread at a time.
package struct BodyReader: ~Copyable {
    private var decompressor = Decompressor()
    private var pack: [UInt8] = []
    private var packPlace: (segment: UInt64, offset: Int)?

    package init() {}

    /// The batch bytes of entry `index`, as they came. O(body), or O(pack) where a new pack begins.
    /// - Throws: `.corruptBody` if a checksum does not match.
    package mutating func body(_ index: Int, of record: Record) throws(WALError) -> [UInt8] {
        guard case .batch(let batch) = record.entries[index].kind else {
            preconditionFailure("entry \(index) has no body")
        }
        func corrupt(_ reason: String) -> WALError {
            .corruptBody(path: record.segment.path, sequence: record.sequence, entry: index, reason: reason)
        }
        let place = (record.segment.header.number, record.blockOffsets[batch.block])
        if packPlace == nil || packPlace! != place {
            packPlace = nil
            let block = record.blocks[batch.block]
            let mapping = record.segment.mapping
            let stored = mapping.bytes.extracting(record.stored(batch.block))
            guard CRC32C.checksum(stored) == block.crc else {
                throw corrupt("stored bytes do not match their checksum")
            }
            if block.isCompressed {
                do { pack = try decompressor.decompress(stored, limit: block.decodedBytes) } catch {
                    throw corrupt("\(error)")
                }
            } else {
                pack = stored.copy()
            }
            guard pack.count == block.decodedBytes else { throw corrupt("block has \(pack.count) bytes") }
            packPlace = place
        }
        let bytes = Array(pack[batch.offset..<(batch.offset + batch.length)])
        guard CRC32C.checksum(bytes) == batch.bodyCRC else { throw corrupt("body does not match its checksum") }
        return bytes
    }
}
