import Bytes

extension Directory {
    /// Reads a directory whose checksum has been verified; every count is still bounded by the bytes there are.
    init(_ bytes: RawSpan) throws(DecodeError) {
        var offset = 0
        let projectCount = try bytes.count("projects", limit: bytes.byteCount, &offset)
        var projects: [String] = []
        for _ in 0..<projectCount {
            projects.append(try Self.text("project name", limit: Limits.projectNameBytesMax, bytes, &offset))
        }
        let blockCount = try bytes.count("blocks", limit: bytes.byteCount, &offset)
        blocks = []
        blocks.reserveCapacity(blockCount)
        for _ in 0..<blockCount {
            let codec = try bytes.read(UInt8.self, &offset)
            guard codec <= 1 else { throw .invalid(what: "block codec", offset: offset - 1) }
            let storedBytes = try bytes.count("stored bytes", limit: Limits.recordBytesMax, &offset)
            let decodedBytes = try bytes.count("decoded bytes", limit: Limits.recordBytesMax, &offset)
            let crc = try bytes.read(UInt32.self, &offset)
            blocks.append(
                Block(isCompressed: codec == 1, storedBytes: storedBytes, decodedBytes: decodedBytes, crc: crc))
        }
        let entryCount = try bytes.count("entries", limit: bytes.byteCount, &offset)
        entries = []
        entries.reserveCapacity(entryCount)
        for _ in 0..<entryCount { entries.append(try Self.entry(projects, blocks, bytes, &offset)) }
        guard offset == bytes.byteCount else { throw .invalid(what: "bytes behind the directory", offset: offset) }
    }

    private static func text(
        _ what: StaticString, limit: Int, _ bytes: RawSpan, _ offset: inout Int
    ) throws(DecodeError) -> String {
        let length = try bytes.count(what, limit: limit, &offset)
        return bytes.text(try bytes.take(length, &offset))
    }

    private static func entry(
        _ projects: [String], _ blocks: [Block], _ bytes: RawSpan, _ offset: inout Int
    ) throws(DecodeError) -> Entry {
        let start = offset
        let kindCode = try bytes.read(UInt8.self, &offset)
        let project = try bytes.count("project", limit: projects.count - 1, &offset)
        let source = try bytes.source(&offset)
        let flags = Entry.Flags(rawValue: try bytes.read(UInt8.self, &offset))
        let base = try bytes.varint(&offset)
        let count = try bytes.count("count", limit: Int(Limits.sequenceMax), &offset)
        let totals = SourceTotals(
            unknownBefore: try bytes.varint(&offset), skipped: try bytes.varint(&offset),
            stored: try bytes.varint(&offset), rejected: try bytes.varint(&offset),
            quarantined: try bytes.varint(&offset))
        let kind: Entry.Kind
        switch kindCode {
        case 1: kind = .batch(try batch(blocks, eventCount: count, bytes, &offset))
        case 2: kind = .skip(reason: try bytes.varint(&offset))
        case 3: kind = .open(tokenName: try text("token name", limit: Limits.tokenBytesMax, bytes, &offset))
        case 4:
            let fingerprint = try bytes.read(UInt64.self, &offset)
            kind = .rejectedBatch(fingerprint: fingerprint, code: UInt8(try bytes.count("code", limit: 255, &offset)))
        case 5: kind = .close
        default: throw .invalid(what: "entry kind", offset: start)
        }
        return Entry(
            kind: kind, project: projects[project], source: source, flags: flags, base: base, count: count,
            totals: totals)
    }

    private static func batch(
        _ blocks: [Block], eventCount: Int, _ bytes: RawSpan, _ offset: inout Int
    ) throws(DecodeError) -> BatchEntry {
        let receivedMicros = try bytes.signedVarint(&offset)
        let clockOffsetMicros = try bytes.signedVarint(&offset)
        let block = try bytes.count("block", limit: blocks.count - 1, &offset)
        let bodyOffset = try bytes.count("body offset", limit: blocks[block].decodedBytes, &offset)
        let length = try bytes.count("body length", limit: blocks[block].decodedBytes - bodyOffset, &offset)
        let fingerprint = try bytes.read(UInt64.self, &offset)
        let bodyCRC = try bytes.read(UInt32.self, &offset)
        var entry = BatchEntry(
            receivedMicros: receivedMicros, clockOffsetMicros: clockOffsetMicros, fingerprint: fingerprint,
            minTimestampMicros: try bytes.signedVarint(&offset), maxTimestampMicros: try bytes.signedVarint(&offset),
            exclusions: [])
        (entry.block, entry.offset, entry.length, entry.bodyCRC) = (block, bodyOffset, length, bodyCRC)
        let exclusionCount = try bytes.count("exclusions", limit: eventCount, &offset)
        for _ in 0..<exclusionCount {
            let index = try bytes.count("excluded index", limit: eventCount - 1, &offset)
            entry.exclusions.append(
                Exclusion(index: index, code: UInt8(try bytes.count("code", limit: 255, &offset))))
        }
        return entry
    }
}
