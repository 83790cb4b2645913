import Bytes

/// A batch written part by part, so that each part can be wrong. By itself it is a valid batch of two events.
struct HandmadeBatch {
    var version: UInt8 = 0
    var codec: UInt8 = 0
    var reserved: UInt16 = 0
    var eventCount: UInt32 = 2
    /// nil declares the true size.
    var decodedByteCount: UInt32?
    var strings: [[UInt8]] = ["page_view", "user-1", "page", "/", ""].map { Array($0.utf8) }
    /// nil counts the strings.
    var stringCount: UInt64?
    /// nil gives the columns as they are.
    var columnCount: UInt64?
    var columns: [(kind: UInt8, data: [UInt8])] = [
        (1, [0, 0]),
        (5, HandmadeBatch.varints([3_473_280_000_000_000, 2_000_000])),
    ]
    /// Bytes after the last column.
    var surplus: [UInt8] = []

    static func varints(_ values: [UInt64]) -> [UInt8] {
        var writer = ByteWriter()
        for value in values { writer.append(varint: value) }
        return writer.bytes
    }

    /// The same batch with one more column.
    func with(_ kind: UInt8, _ data: [UInt8]) -> HandmadeBatch {
        var batch = self
        batch.columns.append((kind, data))
        batch.columns.sort { $0.kind < $1.kind }
        return batch
    }

    /// The same batch with the column of that kind replaced.
    func replacing(_ kind: UInt8, _ data: [UInt8]) -> HandmadeBatch {
        var batch = self
        for index in batch.columns.indices where batch.columns[index].kind == kind { batch.columns[index].data = data }
        return batch
    }

    /// The same batch after `change`.
    func changed(_ change: (inout HandmadeBatch) -> Void) -> HandmadeBatch {
        var batch = self
        change(&batch)
        return batch
    }

    var body: [UInt8] {
        var writer = ByteWriter()
        writer.append(varint: stringCount ?? UInt64(strings.count))
        for string in strings { writer.append(count: string.count) }
        for string in strings { writer.append(string) }
        writer.append(varint: columnCount ?? UInt64(columns.count))
        for column in columns {
            writer.append(column.kind)
            writer.append(lengthPrefixed: column.data)
        }
        writer.append(surplus)
        return writer.bytes
    }

    var bytes: [UInt8] { bytes(payload: body) }

    /// The header, then `payload` in place of the body.
    func bytes(payload: [UInt8]) -> [UInt8] {
        var writer = ByteWriter()
        writer.append(version)
        writer.append(codec)
        writer.append(fixed: reserved)
        writer.append(fixed: eventCount)
        writer.append(fixed: decodedByteCount ?? UInt32(body.count))
        writer.append(payload)
        return writer.bytes
    }
}

/// zstd frames of blocks that are not compressed or one byte repeated (RFC 8878 §3.1.1): the same bytes whatever
/// the library's version.
enum HandmadeZstd {
    /// One frame that holds `bytes`, at most 128 KiB, and declares `declared` of them.
    static func frame(_ bytes: [UInt8], declaring declared: Int) -> [UInt8] {
        var writer = head(declaring: declared)
        appendBlock(&writer, type: 0, size: bytes.count, isLast: true)
        writer.append(bytes)
        return writer.bytes
    }

    /// One frame of `prefix`, `count` times `byte`, and `suffix`; `count` is a multiple of 128 KiB.
    static func frame(_ prefix: [UInt8], _ byte: UInt8, count: Int, _ suffix: [UInt8]) -> [UInt8] {
        var writer = head(declaring: prefix.count + count + suffix.count)
        appendBlock(&writer, type: 0, size: prefix.count, isLast: false)
        writer.append(prefix)
        for _ in 0..<(count / blockBytesMax) {
            appendBlock(&writer, type: 1, size: blockBytesMax, isLast: false)
            writer.append(byte)
        }
        appendBlock(&writer, type: 0, size: suffix.count, isLast: true)
        writer.append(suffix)
        return writer.bytes
    }

    /// A frame with a window of 128 KiB that does not say how much it holds.
    static func frameOfUndeclaredSize(_ bytes: [UInt8]) -> [UInt8] {
        var writer = ByteWriter()
        writer.append(fixed: magic)
        writer.append(0x00)
        writer.append(0x38)
        appendBlock(&writer, type: 0, size: bytes.count, isLast: true)
        writer.append(bytes)
        return writer.bytes
    }

    static let blockBytesMax = 128 << 10
    private static let magic: UInt32 = 0xFD2F_B528

    private static func head(declaring size: Int) -> ByteWriter {
        var writer = ByteWriter()
        writer.append(fixed: magic)
        // Single segment, content size in four bytes.
        writer.append(0xA0)
        writer.append(fixed: UInt32(size))
        return writer
    }

    private static func appendBlock(_ writer: inout ByteWriter, type: UInt32, size: Int, isLast: Bool) {
        let header = UInt32(size) << 3 | type << 1 | (isLast ? 1 : 0)
        for shift: UInt32 in [0, 8, 16] { writer.append(UInt8(truncatingIfNeeded: header >> shift)) }
    }
}
