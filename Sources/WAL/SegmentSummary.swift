import Bytes

/// What a segment holds; written into its footer when it is sealed: protocol/wal.md §5.
package struct SegmentSummary: Equatable, Sendable {
    /// One indexed record a stretch of this many.
    static let indexStride = 64

    package var recordCount = 0
    package var eventCount = 0
    package var firstSequence: UInt64 = 0
    package var lastSequence: UInt64 = 0
    package var minTimestampMicros = Int64.max
    package var maxTimestampMicros = Int64.min
    /// The last record of each project.
    package var projects: [String: UInt64] = [:]
    package var index: [(sequence: UInt64, byteOffset: Int)] = []

    package static func == (left: SegmentSummary, right: SegmentSummary) -> Bool {
        left.encoded() == right.encoded()
    }

    mutating func add(_ header: RecordHeader, _ entries: [Entry], at byteOffset: Int) {
        if recordCount % Self.indexStride == 0 { index.append((header.sequence, byteOffset)) }
        recordCount += 1
        eventCount += header.eventCount
        if firstSequence == 0 { firstSequence = header.sequence }
        lastSequence = header.sequence
        for entry in entries {
            projects[entry.project] = header.sequence
            guard case .batch(let batch) = entry.kind else { continue }
            minTimestampMicros = min(minTimestampMicros, batch.minTimestampMicros)
            maxTimestampMicros = max(maxTimestampMicros, batch.maxTimestampMicros)
        }
    }

    func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.append(count: recordCount)
        writer.append(count: eventCount)
        writer.append(varint: firstSequence)
        writer.append(varint: lastSequence)
        writer.append(signed: minTimestampMicros)
        writer.append(signed: maxTimestampMicros)
        writer.append(count: projects.count)
        for (project, last) in projects.sorted(by: { $0.key < $1.key }) {
            writer.append(lengthPrefixed: Array(project.utf8))
            writer.append(varint: last)
        }
        writer.append(count: index.count)
        for entry in index {
            writer.append(varint: entry.sequence)
            writer.append(count: entry.byteOffset)
        }
        return writer.bytes
    }

    init() {}

    init(_ bytes: RawSpan) throws(DecodeError) {
        var offset = 0
        recordCount = try bytes.count("records", limit: .max, &offset)
        eventCount = try bytes.count("events", limit: .max, &offset)
        firstSequence = try bytes.varint(&offset)
        lastSequence = try bytes.varint(&offset)
        minTimestampMicros = try bytes.signedVarint(&offset)
        maxTimestampMicros = try bytes.signedVarint(&offset)
        for _ in 0..<(try bytes.count("projects", limit: bytes.byteCount, &offset)) {
            let length = try bytes.count("project name", limit: Limits.projectNameBytesMax, &offset)
            let name = bytes.text(try bytes.take(length, &offset))
            projects[name] = try bytes.varint(&offset)
        }
        for _ in 0..<(try bytes.count("index entries", limit: bytes.byteCount, &offset)) {
            index.append((try bytes.varint(&offset), try bytes.count("offset", limit: .max, &offset)))
        }
    }

    /// The footer as a record.
    func footer(commitMicros: Int64, tag: UInt32) -> [UInt8] {
        let directory = encoded()
        let header = RecordHeader(
            recordBytes: (RecordHeader.byteCount + directory.count).roundedUp(to: RecordHeader.alignment),
            kind: .footer, sequence: lastSequence, commitMicros: commitMicros, tag: tag,
            directoryBytes: directory.count, eventCount: 0, directoryCRC: CRC32C.checksum(directory))
        var writer = ByteWriter(capacity: header.recordBytes)
        writer.append(header.encoded())
        writer.append(directory)
        writer.pad(to: RecordHeader.alignment)
        return writer.bytes
    }

    /// An upper bound of the footer's size after one more record with these projects.
    func footerBytesMax(adding entries: [Entry]) -> Int {
        let names = Set(projects.keys).union(entries.map(\.project))
        let nameBytes = names.reduce(0) { $0 + $1.utf8.count + 12 }
        return RecordHeader.byteCount + 70 + nameBytes + (index.count + 1) * 20 + RecordHeader.alignment
    }
}
