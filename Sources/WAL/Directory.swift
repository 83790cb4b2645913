import Bytes

/// An event of a batch that was not stored, and why.
package struct Exclusion: Equatable, Sendable {
    package var index: Int
    package var code: UInt8

    package init(index: Int, code: UInt8) {
        self.index = index
        self.code = code
    }
}

/// Where a batch's bytes are and what is known of it without reading them.
package struct BatchEntry: Equatable, Sendable {
    package var receivedMicros: Int64
    package var clockOffsetMicros: Int64
    package var block: Int
    package var offset: Int
    package var length: Int
    package var fingerprint: UInt64
    package var bodyCRC: UInt32
    package var minTimestampMicros: Int64
    package var maxTimestampMicros: Int64
    package var exclusions: [Exclusion]

    package init(
        receivedMicros: Int64, clockOffsetMicros: Int64, fingerprint: UInt64, minTimestampMicros: Int64,
        maxTimestampMicros: Int64, exclusions: [Exclusion]
    ) {
        self.receivedMicros = receivedMicros
        self.clockOffsetMicros = clockOffsetMicros
        self.fingerprint = fingerprint
        self.minTimestampMicros = minTimestampMicros
        self.maxTimestampMicros = maxTimestampMicros
        self.exclusions = exclusions
        (block, offset, length, bodyCRC) = (0, 0, 0, 0)
    }
}

/// One line of a record's directory: protocol/wal.md §4.
package struct Entry: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        case batch(BatchEntry)
        case skip(reason: UInt64)
        case open(tokenName: String)
        case rejectedBatch(fingerprint: UInt64, code: UInt8)
        case close
    }

    package struct Flags: OptionSet, Equatable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        package static let isImport = Flags(rawValue: 1)
        package static let recheck = Flags(rawValue: 2)
        package static let final = Flags(rawValue: 4)
    }

    package var kind: Kind
    package var project: String
    package var source: SourceID
    package var flags: Flags
    package var base: UInt64
    package var count: Int
    package var totals: SourceTotals

    package init(
        kind: Kind, project: String, source: SourceID, flags: Flags, base: UInt64, count: Int, totals: SourceTotals
    ) {
        self.kind = kind
        self.project = project
        self.source = source
        self.flags = flags
        self.base = base
        self.count = count
        self.totals = totals
    }

    /// How many ordinals the entry uses up.
    package var ordinalCount: Int {
        if case .batch = kind { count } else { 0 }
    }
}

/// A run of body bytes in a record.
package struct Block: Equatable, Sendable {
    package var isCompressed: Bool
    package var storedBytes: Int
    package var decodedBytes: Int
    package var crc: UInt32
}

/// What a record holds, in front of its blocks: protocol/wal.md §4.
package struct Directory: Equatable, Sendable {
    package var blocks: [Block]
    package var entries: [Entry]

    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 64 + entries.count * 80)
        var projects: [String] = []
        for entry in entries where !projects.contains(entry.project) { projects.append(entry.project) }
        writer.append(count: projects.count)
        for project in projects { writer.append(lengthPrefixed: Array(project.utf8)) }
        writer.append(count: blocks.count)
        for block in blocks {
            writer.append(block.isCompressed ? 1 : 0)
            writer.append(count: block.storedBytes)
            writer.append(count: block.decodedBytes)
            writer.append(fixed: block.crc)
        }
        writer.append(count: entries.count)
        for entry in entries { Self.append(entry, projects, to: &writer) }
        return writer.bytes
    }

    private static func append(_ entry: Entry, _ projects: [String], to writer: inout ByteWriter) {
        writer.append(entry.kind.code)
        writer.append(count: projects.firstIndex(of: entry.project) ?? 0)
        writer.append(entry.source.bytes)
        writer.append(entry.flags.rawValue)
        writer.append(varint: entry.base)
        writer.append(count: entry.count)
        for total in entry.totals.values { writer.append(varint: total) }
        switch entry.kind {
        case .batch(let batch): append(batch, to: &writer)
        case .skip(let reason): writer.append(varint: reason)
        case .open(let tokenName): writer.append(lengthPrefixed: Array(tokenName.utf8))
        case .rejectedBatch(let fingerprint, let code):
            writer.append(fixed: fingerprint)
            writer.append(varint: UInt64(code))
        case .close: break
        }
    }

    private static func append(_ batch: BatchEntry, to writer: inout ByteWriter) {
        writer.append(signed: batch.receivedMicros)
        writer.append(signed: batch.clockOffsetMicros)
        writer.append(count: batch.block)
        writer.append(count: batch.offset)
        writer.append(count: batch.length)
        writer.append(fixed: batch.fingerprint)
        writer.append(fixed: batch.bodyCRC)
        writer.append(signed: batch.minTimestampMicros)
        writer.append(signed: batch.maxTimestampMicros)
        writer.append(count: batch.exclusions.count)
        for exclusion in batch.exclusions {
            writer.append(count: exclusion.index)
            writer.append(varint: UInt64(exclusion.code))
        }
    }
}

extension Entry.Kind {
    var code: UInt8 {
        switch self {
        case .batch: 1
        case .skip: 2
        case .open: 3
        case .rejectedBatch: 4
        case .close: 5
        }
    }
}
