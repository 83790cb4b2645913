import Bytes
import Files
import TestSupport
import Testing
import Zstd

@testable import Parquet

@Suite struct CorruptionTests {
    let folder = TemporaryFolder()

    private func smallFile() throws -> [UInt8] {
        var random = SeededRandom(seed: 11)
        let columns = RoundTripTests.forms.enumerated().map {
            ParquetColumn("c\($0)", $1.type, isOptional: $0 % 3 != 0, encoding: $1.encoding)
        }
        let groups = [150, 20].map { rowCount in
            columns.map {
                RandomColumns.make($0.type, rowCount: rowCount, nullChance: $0.isOptional ? 0.3 : 0, random: &random)
            }
        }
        var settings = ParquetWriterSettings()
        settings.pageRowsMax = 64
        try write(folder("small"), columns, groups, settings)
        return try Disk.posix.contents(folder("small"))
    }

    @Test func everyPrefixIsRefused() throws {
        let bytes = try smallFile()
        #expect(readAll(bytes) == nil)
        for count in Array(0..<64) + Array(stride(from: 64, to: bytes.count, by: 37)) {
            #expect(readAll(Array(bytes[..<count])) != nil, "prefix of \(count) bytes")
        }
    }

    /// The footer put behind fewer pages than it describes.
    @Test func missingPagesAreRefused() throws {
        let bytes = try smallFile()
        let length = Int(try bytes.rawSpan.load(at: bytes.count - 8, as: UInt32.self))
        let chunks = try ParquetFile(bytes, name: "whole").rowGroups.flatMap(\.record.chunks)
        let pagesEnd = try #require(chunks.map { $0.dataPageOffset + $0.compressedBytes }.min())
        for kept in stride(from: 4, to: pagesEnd, by: 11) {
            #expect(readAll(Array(bytes[..<kept]) + bytes[(bytes.count - 8 - length)...]) != nil, "\(kept) bytes kept")
        }
    }

    @Test func flippedBitsAreCaughtOrHarmless() throws {
        let bytes = try smallFile()
        var random = SeededRandom(seed: 12)
        for _ in 0..<4000 {
            var damaged = bytes
            damaged[.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            _ = readAll(damaged)
        }
    }

    /// The checksum off, so that decoders meet the damage.
    @Test func decodersSurviveDamagedPages() throws {
        var random = SeededRandom(seed: 13)
        for form in RoundTripTests.forms {
            let values = RandomColumns.make(form.type, rowCount: 200, nullChance: 0.2, random: &random)
            let path = folder("page \(form.testDescription)")
            try write(path, [ParquetColumn("c", form.type, isOptional: true, encoding: form.encoding)], [[values]])
            let file = try Disk.posix.contents(path)
            let plain = try uncompressed(file)
            #expect(readAll(plain) == nil, "the same file without compression")
            for _ in 0..<600 {
                var damaged = plain
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    let byteOffset = Int.random(in: 4..<(plain.count / 2), using: &random)
                    damaged[byteOffset] = .random(in: 0...255, using: &random)
                }
                _ = readAll(damaged)
            }
        }
    }

    /// The first column's first row group rewritten without compression and checksums.
    private func uncompressed(_ bytes: [UInt8]) throws -> [UInt8] {
        let length = Int(try bytes.rawSpan.load(at: bytes.count - 8, as: UInt32.self))
        let footerStart = bytes.count - 8 - length
        var footer = try Footer(bytes.rawSpan.extracting(footerStart..<(bytes.count - 8)))
        var chunk = footer.rowGroups[0].chunks[0]
        var decompressor = Decompressor()
        var output = ByteWriter(capacity: 0)
        output.append(utf8: "PAR1")
        let start = chunk.dictionaryPageOffset ?? chunk.dataPageOffset
        var offset = start
        while offset < start + chunk.compressedBytes {
            var header = try PageHeader(bytes.rawSpan, &offset)
            let range = offset..<(offset + header.storedBytes)
            let page = try decompressor.decompress(bytes.rawSpan.extracting(range), limit: 1 << 20)
            header.storedBytes = page.count
            header.checksum = nil
            if header.type == PageType.dictionary.rawValue { chunk.dictionaryPageOffset = output.count }
            if header.type == PageType.data.rawValue { chunk.dataPageOffset = output.count }
            output.append(header.encoded())
            output.append(page)
            offset = range.upperBound
        }
        chunk.codec = Codec.uncompressed.rawValue
        chunk.compressedBytes = output.count - 4
        chunk.encodings = [.plain]
        footer.rowGroups[0].chunks[0] = chunk
        let encoded = footer.encoded()
        output.append(encoded)
        output.append(fixed: UInt32(encoded.count))
        output.append(utf8: "PAR1")
        return output.bytes
    }

    @Test func aFlipInAPageIsCaughtByItsChecksum() throws {
        let bytes = try smallFile()
        let file = try ParquetFile(bytes, name: "f")
        let record = file.rowGroups[0].record.chunks[2]
        var offset = record.dataPageOffset
        let header = try PageHeader(bytes.rawSpan, &offset)
        for index in offset..<(offset + header.storedBytes) {
            var damaged = bytes
            damaged[index] ^= 0x10
            let error = #expect(throws: ParquetError.self) {
                try ParquetFile(damaged, name: "f").read(column: 2, rowGroup: 0)
            }
            guard case .checksumMismatch(_, _, let place) = error else {
                Issue.record("byte \(index): \(String(describing: error))")
                return
            }
            #expect(place.description == "f, row group 0, column c2, byte \(offset)")
        }
    }

    /// Whatever step of the disk fails, the writer says so, and what is left is no Parquet file.
    @Test func aFailedDiskLeavesNoFileThatCouldBeRead() throws {
        let columns = [ParquetColumn("a", .int64, isOptional: false), ParquetColumn("b", .string, isOptional: true)]
        let strings = StringColumn(dictionary: ByteStrings(["x", "y"]), codes: [0, 1, StringColumn.null])
        let group: [ColumnValues] = [.int64([1, 2, 3], validity: nil), .strings(strings)]
        for ordinal in 0... {
            let path = folder("faulty \(ordinal)")
            let faulty = FaultyDisk(failing: ordinal, kind: .crash)
            let result = Result { try write(path, columns, [group, group], disk: faulty.disk) }
            if case .success = result {
                #expect(!faulty.didFail && ordinal > 5)
                return
            }
            #expect(faulty.didFail)
            guard Disk.posix.exists(path) else { continue }
            // Only where the last sync fails may all bytes be there.
            let error = readAll(try Disk.posix.contents(path))
            if error == nil { #expect(ordinal == 7, "ordinal \(ordinal)") }
        }
    }

    @Test func unfitValuesAreRefusedAndTheWriterGoesOn() throws {
        let columns = [ParquetColumn("a", .int64, isOptional: false)]
        var writer = try ParquetWriter(
            folder("unfit"), schema: ParquetSchema(columns), sortingColumns: [], keyValueMetadata: [],
            settings: ParquetWriterSettings(), disk: .posix)
        for (values, rowCount) in [
            (ColumnValues.int64([], validity: nil), 0), (.int64([1], validity: nil), 2),
            (.int32([1], validity: nil), 1), (.int64([1], validity: Bitmap([false])), 1),
        ] {
            do {
                try writer.writeRowGroup([values], rowCount: rowCount)
                Issue.record("accepted \(values)")
            } catch is ParquetError {}
        }
        try writer.writeRowGroup([.int64([7], validity: nil)], rowCount: 1)
        #expect(try writer.finish().rowCount == 1)
        let read = try ParquetFile(folder("unfit"), disk: .posix).read(column: 0, rowGroup: 0)
        #expect(read == .int64([7], validity: nil))
    }

    @Test func schemasThatCannotBeWrittenAreRefused() {
        for columns in [
            [], [ParquetColumn("a", .int64, isOptional: true), ParquetColumn("a", .bool, isOptional: true)],
            [ParquetColumn("a", .int64, isOptional: true, encoding: .dictionary)],
            [ParquetColumn("a", .fixed(0), isOptional: true)],
        ] {
            #expect(throws: ParquetError.self) { try write(folder("schema"), columns, []) }
        }
        #expect(!Disk.posix.exists(folder("schema")))
    }
}

/// Reads all there is; returns the first error, which is always ours.
func readAll(_ bytes: [UInt8]) -> ParquetError? {
    do {
        let file = try ParquetFile(bytes, name: "damaged")
        for group in file.rowGroups.indices {
            for column in file.schema.columns.indices { _ = try file.read(column: column, rowGroup: group) }
        }
        return nil
    } catch { return error }
}
