import Bytes

/// 16 random bytes.
package struct UUID16: Hashable, Sendable, CustomStringConvertible {
    package let bytes: [UInt8]

    package init(_ bytes: [UInt8]) {
        precondition(bytes.count == 16)
        self.bytes = bytes
    }

    package static let zero = UUID16([UInt8](repeating: 0, count: 16))

    package static func random(using generator: inout some RandomNumberGenerator) -> UUID16 {
        UUID16((0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }

    package var description: String { Hex.encode(bytes) }

    /// The first four bytes, which mark a segment's own records.
    var tag: UInt32 { bytes[0..<4].enumerated().reduce(0) { $0 | UInt32($1.element) << UInt32($1.offset * 8) } }
}

/// The first 256 bytes of a segment: protocol/wal.md §2.
package struct SegmentHeader: Equatable, Sendable {
    package static let byteCount = 256
    private static let magic = Array("TDMKWAL\0".utf8)
    private static let version: UInt32 = 0

    package var lineage: UUID16
    package var uuid: UUID16
    package var number: UInt64
    package var previousUUID: UUID16
    /// The last record of the previous segment that counts.
    package var previousLastRecord: UInt64
    package var createdMicros: Int64
    package var checkpointHash: UInt64

    package func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: Self.byteCount)
        writer.append(Self.magic)
        writer.append(fixed: Self.version)
        writer.append([UInt8](repeating: 0, count: 12))  // feature bits: none yet
        writer.append(lineage.bytes)
        writer.append(uuid.bytes)
        writer.append(fixed: number)
        writer.append(previousUUID.bytes)
        writer.append(fixed: previousLastRecord)
        writer.append(fixed: createdMicros)
        writer.append(fixed: checkpointHash)
        writer.append([UInt8](repeating: 0, count: Self.byteCount - 4 - writer.count))
        writer.append(fixed: CRC32C.checksum(writer.bytes))
        return writer.bytes
    }

    /// - Throws: `.notASegment` for a wrong magic, version, feature bit or checksum.
    package init(_ bytes: RawSpan, path: String) throws(WALError) {
        func refuse(_ reason: String) -> WALError { .notASegment(path: path, reason: reason) }
        guard bytes.byteCount >= Self.byteCount else { throw refuse("shorter than a segment header") }
        guard bytes.copy(0..<8) == Self.magic else { throw refuse("not a Tidemark log segment") }
        do {
            var offset = 8
            let version = try bytes.read(UInt32.self, &offset)
            guard version == Self.version else { throw refuse("format version \(version) is not supported, 0 is") }
            _ = try bytes.read(UInt32.self, &offset)
            let readOnly = try bytes.read(UInt32.self, &offset)
            let incompatible = try bytes.read(UInt32.self, &offset)
            guard readOnly == 0, incompatible == 0 else { throw refuse("needs features that this program lacks") }
            let crc = try bytes.load(at: 252, as: UInt32.self)
            guard crc == CRC32C.checksum(bytes.extracting(0..<252)) else {
                throw refuse("header checksum does not match")
            }
            lineage = UUID16(bytes.copy(try bytes.take(16, &offset)))
            uuid = UUID16(bytes.copy(try bytes.take(16, &offset)))
            number = try bytes.read(UInt64.self, &offset)
            previousUUID = UUID16(bytes.copy(try bytes.take(16, &offset)))
            previousLastRecord = try bytes.read(UInt64.self, &offset)
            createdMicros = try bytes.read(Int64.self, &offset)
            checkpointHash = try bytes.read(UInt64.self, &offset)
        } catch let error as WALError {
            throw error
        } catch {
            throw refuse("truncated header")
        }
    }

    package init(
        lineage: UUID16, uuid: UUID16, number: UInt64, previousUUID: UUID16, previousLastRecord: UInt64,
        createdMicros: Int64, checkpointHash: UInt64
    ) {
        self.lineage = lineage
        self.uuid = uuid
        self.number = number
        self.previousUUID = previousUUID
        self.previousLastRecord = previousLastRecord
        self.createdMicros = createdMicros
        self.checkpointHash = checkpointHash
    }

    /// The name of segment `number` in its folder.
    package static func fileName(_ number: UInt64) -> String { Hex.encode(number) + ".wal" }
    package static func checkpointName(_ number: UInt64) -> String { Hex.encode(number) + ".sources" }
}
