import Bytes
import Zstd

/// One commit group while it is being gathered: entries, and their bodies laid into blocks.
///
/// Bodies that came raw are packed together and compressed; a body that came compressed is stored as it is.
package struct GroupDraft: ~Copyable {
    /// A group is full at this size: protocol/wal.md §11.
    package static let groupBytesMax = 8 << 20
    /// And at this many bytes that its bodies become where they are read: few bytes may be many.
    package static let groupExpandedBytesMax = 64 << 20
    /// And at this many entries, since some have no body: the directory must fit a record too.
    package static let groupEntriesMax = 1 << 16

    package private(set) var entries: [Entry] = []
    package private(set) var eventCount = 0
    private var expandedBytes = 0
    private var blocks: [Block] = []
    private var body = ByteWriter()
    private var pack = ByteWriter()
    private var compressor = Compressor(level: 1)

    package init() {}

    package var isEmpty: Bool { entries.isEmpty }

    /// Whether another batch of `count` events and `byteCount` bytes still fits.
    /// - Parameter expandedBytes: what the batch becomes where it is read.
    package func fits(count: Int, byteCount: Int, expandedBytes more: Int) -> Bool {
        isEmpty || (entries.count < Self.groupEntriesMax && eventCount + count <= Limits.recordEventsMax
            && body.count + pack.count + byteCount <= Self.groupBytesMax
            && expandedBytes + max(byteCount, more) <= Self.groupExpandedBytesMax)
    }

    /// Adds an entry without a body.
    package mutating func add(_ entry: Entry) {
        precondition(entry.ordinalCount == 0, "a batch comes with its body")
        entries.append(entry)
    }

    /// Adds a batch.
    /// - Parameters:
    ///   - isCompressed: the body is compressed already, by its sender.
    ///   - more: what the batch becomes where it is read, if that is more than the body's bytes.
    package mutating func add(
        _ entry: Entry, _ batch: BatchEntry, body bytes: RawSpan, isCompressed: Bool, expandedBytes more: Int = 0
    ) throws(ZstdError) {
        var batch = batch
        batch.bodyCRC = CRC32C.checksum(bytes)
        batch.length = bytes.byteCount
        if isCompressed {
            try closePack()
            batch.block = blocks.count
            batch.offset = 0
            blocks.append(
                Block(
                    isCompressed: false, storedBytes: bytes.byteCount, decodedBytes: bytes.byteCount,
                    crc: batch.bodyCRC))
            body.append(bytes)
        } else {
            if pack.count + bytes.byteCount > Limits.packBytesMax { try closePack() }
            batch.block = blocks.count
            batch.offset = pack.count
            pack.append(bytes)
        }
        var entry = entry
        entry.kind = .batch(batch)
        entries.append(entry)
        eventCount += entry.count
        expandedBytes += max(bytes.byteCount, more)
    }

    private mutating func closePack() throws(ZstdError) {
        guard pack.count > 0 else { return }
        let raw = pack.bytes
        let packed = try compressor.compress(raw.rawSpan)
        let isSmaller = packed.count < pack.count
        let stored = isSmaller ? packed : pack.bytes
        blocks.append(
            Block(
                isCompressed: isSmaller, storedBytes: stored.count, decodedBytes: pack.count,
                crc: CRC32C.checksum(stored)))
        body.append(stored)
        pack.bytes.removeAll(keepingCapacity: true)
    }

    /// The whole record, ready to be written. The draft is empty afterwards and keeps its buffers.
    mutating func finish(sequence: UInt64, commitMicros: Int64) throws(ZstdError) -> RecordDraft {
        try closePack()
        let directory = Directory(blocks: blocks, entries: entries).encoded()
        var header = RecordHeader(
            recordBytes: 0, kind: .group, sequence: sequence, commitMicros: commitMicros, tag: 0,
            directoryBytes: directory.count, eventCount: eventCount, directoryCRC: CRC32C.checksum(directory))
        let content = RecordHeader.byteCount + directory.count + body.count
        header.recordBytes = content.roundedUp(to: RecordHeader.alignment)
        var writer = ByteWriter(capacity: header.recordBytes)
        writer.append([UInt8](repeating: 0, count: RecordHeader.byteCount))
        writer.append(directory)
        writer.append(body.bytes)
        writer.pad(to: RecordHeader.alignment)
        let draft = RecordDraft(header: header, bytes: writer.bytes, entries: entries)
        reset()
        return draft
    }

    private mutating func reset() {
        entries.removeAll(keepingCapacity: true)
        blocks.removeAll(keepingCapacity: true)
        body.bytes.removeAll(keepingCapacity: true)
        eventCount = 0
        expandedBytes = 0
    }
}

/// A finished record that does not know its segment yet.
struct RecordDraft {
    var header: RecordHeader
    var bytes: [UInt8]
    var entries: [Entry]

    /// Gives the record the tag of the segment it goes to.
    mutating func seal(tag: UInt32) {
        header.tag = tag
        bytes.replaceSubrange(0..<RecordHeader.byteCount, with: header.encoded())
    }
}

extension Int {
    func roundedUp(to multiple: Int) -> Int { (self + multiple - 1) / multiple * multiple }
}
