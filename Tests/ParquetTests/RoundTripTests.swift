import Bytes
import Files
import TestSupport
import Testing

@testable import Parquet

@Suite struct RoundTripTests {
    let folder = TemporaryFolder()

    struct Form: Sendable, CustomTestStringConvertible {
        let type: ParquetType
        let encoding: ColumnEncoding
        var testDescription: String { "\(type) as \(encoding)" }
    }

    static let forms: [Form] = [
        Form(type: .int64, encoding: .deltaBinaryPacked), Form(type: .int64, encoding: .plain),
        Form(type: .timestampMicros, encoding: .deltaBinaryPacked), Form(type: .int32, encoding: .deltaBinaryPacked),
        Form(type: .int32, encoding: .plain), Form(type: .date, encoding: .deltaBinaryPacked),
        Form(type: .double, encoding: .plain), Form(type: .double, encoding: .byteStreamSplit),
        Form(type: .bool, encoding: .plain), Form(type: .string, encoding: .dictionary),
        Form(type: .string, encoding: .deltaLength), Form(type: .string, encoding: .plain),
        Form(type: .fixed(16), encoding: .plain), Form(type: .fixed(3), encoding: .plain),
    ]

    @Test(arguments: forms)
    func whatIsWrittenIsRead(form: Form) throws {
        var random = SeededRandom(seed: 7)
        for (ordinal, rowCount) in [1, 127, 128, 129, 20_001].enumerated() {
            for nullChance in [0, 0.1, 0.9, 1] {
                let values = RandomColumns.make(form.type, rowCount: rowCount, nullChance: nullChance, random: &random)
                let column = ParquetColumn("c", form.type, isOptional: nullChance > 0, encoding: form.encoding)
                let path = folder("\(ordinal)-\(nullChance)")
                try write(path, [column], [[values]])
                let file = try ParquetFile(path, disk: .posix)
                #expect(file.schema.columns.map(\.name) == ["c"])
                #expect(file.schema.columns.map(\.type) == [form.type])
                #expect(file.schema.columns.map(\.isOptional) == [nullChance > 0])
                let read = try file.read(column: 0, rowGroup: 0)
                #expect(read.cells == values.cells, "\(rowCount) rows, nulls \(nullChance), seed 7")
                checkStatistics(file.rowGroups[0].columns[0], values)
            }
        }
    }

    @Test func whatOurReaderWouldRefuseIsNotWritten() throws {
        let column = ParquetColumn("c", .string, isOptional: false, encoding: .plain)
        var writer = try ParquetWriter(
            folder("big"), schema: ParquetSchema([column]), sortingColumns: [], keyValueMetadata: [],
            settings: ParquetWriterSettings(), disk: .posix)
        let size = ParquetLimits.pageBytesMax - 3
        let long = ByteStrings(bytes: [UInt8](repeating: 0x61, count: size), offsets: [0, size])
        #expect {
            try writer.writeRowGroup([.strings(StringColumn(dictionary: long, codes: [0]))], rowCount: 1)
        } throws: { error in
            guard case ParquetError.overLimit("page bytes", let value, let limit, _) = error else { return false }
            return value == size + 4 && limit == ParquetLimits.pageBytesMax
        }
        let short = ByteStrings(["a"])
        try writer.writeRowGroup([.strings(StringColumn(dictionary: short, codes: [0]))], rowCount: 1)
        let summary = try writer.finish()
        #expect(summary.rowCount == 1)
        #expect(try ParquetFile(folder("big"), disk: .posix).read(column: 0, rowGroup: 0).count == 1)
    }

    @Test func manyRowGroupsAndPagesAndColumns() throws {
        var random = SeededRandom(seed: 8)
        let columns = Self.forms.enumerated().map {
            ParquetColumn("c\($0)", $1.type, isOptional: true, encoding: $1.encoding)
        }
        let groups = [3001, 1, 1000, 64].map { rowCount in
            columns.map { RandomColumns.make($0.type, rowCount: rowCount, nullChance: 0.3, random: &random) }
        }
        var settings = ParquetWriterSettings()
        settings.pageRowsMax = 500
        let summary = try write(folder("many"), columns, groups, settings)
        let file = try ParquetFile(folder("many"), disk: .posix)
        #expect(summary.rowCount == 4066 && file.rowCount == 4066)
        #expect(summary.fileBytes == (try Disk.posix.contents(folder("many")).count))
        #expect(file.createdBy == "tidemark")
        for (groupIndex, group) in groups.enumerated() {
            for (columnIndex, values) in group.enumerated() {
                let read = try file.read(column: columnIndex, rowGroup: groupIndex)
                #expect(read.cells == values.cells, "group \(groupIndex), column \(columns[columnIndex]), seed 8")
            }
        }
        for (column, statistics) in summary.columns.enumerated() {
            let nullCount = groups.reduce(0) { sum, group in sum + group[column].cells.filter { $0 == nil }.count }
            #expect(statistics.nullCount == nullCount)
        }
    }

    @Test func aFileOfNoRowsIsAFile() throws {
        let summary = try write(folder("empty"), [ParquetColumn("c", .int64, isOptional: true)], [])
        #expect(summary.rowCount == 0 && summary.columns == [.allNullOfNone])
        let file = try ParquetFile(folder("empty"), disk: .posix)
        #expect(file.rowGroups.isEmpty && file.rowCount == 0)
    }

    @Test func metadataAndSortingAreKept() throws {
        let schema = ParquetSchema([ParquetColumn("a", .int64, isOptional: false)])
        var writer = try ParquetWriter(
            folder("meta"), schema: schema, sortingColumns: [SortingColumn(0)],
            keyValueMetadata: [("tidemark.range", "3"), ("empty", "")], settings: ParquetWriterSettings(),
            disk: .posix)
        try writer.writeRowGroup([.int64([1, 2], validity: nil)], rowCount: 2)
        _ = try writer.finish()
        let file = try ParquetFile(folder("meta"), disk: .posix)
        #expect(file.keyValueMetadata.map(\.key) == ["tidemark.range", "empty"])
        #expect(file.keyValueMetadata.map(\.value) == ["3", ""])
        #expect(file.rowGroups[0].sortingColumns == [SortingColumn(0)])
    }

    /// A dictionary of few strings stays small; many distinct strings are stored once each, without codes.
    @Test func theDictionaryIsGivenUpForDistinctStrings() throws {
        let strings = (0..<2000).map { "distinct string number \($0)" }
        let column = StringColumn(dictionary: ByteStrings(strings), codes: (0..<2000).map { UInt32($0) })
        #expect(column.compacted(bytesMax: 1 << 20) == nil)
        let repeated = StringColumn(dictionary: ByteStrings(strings + strings), codes: (0..<2000).map { $0 % 2 * 2000 })
        let compact = try #require(repeated.compacted(bytesMax: 1 << 20))
        #expect(compact.dictionary.count == 1 && compact.codes == [UInt32](repeating: 0, count: 2000))
        let long = StringColumn(
            dictionary: ByteStrings([String(repeating: "x", count: 100)]), codes: [UInt32](repeating: 0, count: 9))
        #expect(long.compacted(bytesMax: 99) == nil)
        #expect(long.compacted(bytesMax: 100) != nil)
    }

    /// Long tables keep the order of first use, whatever the hashes.
    @Test func aLongDictionaryKeepsTheOrderOfFirstUse() throws {
        let strings = (0..<5000).map { "string number \($0)" }
        let codes = (0..<20_000).map { UInt32(4999 - $0 % 5000) }
        let column = StringColumn(dictionary: ByteStrings(strings), codes: codes)
        let compact = try #require(column.compacted(bytesMax: 1 << 20))
        #expect(compact.dictionary == ByteStrings(strings.reversed()))
        #expect(compact.codes == (0..<20_000).map { UInt32($0 % 5000) })
    }

    @Test func longBoundsAreCutOnTheSafeSide() throws {
        let long = [String(repeating: "é", count: 40), String(repeating: "\u{7F}", count: 70) + "a"]
        let values = ColumnValues.strings(StringColumn(dictionary: ByteStrings(long), codes: [0, 1]))
        try write(folder("long"), [ParquetColumn("s", .string, isOptional: false)], [[values]])
        let bounds = try ParquetFile(folder("long"), disk: .posix).rowGroups[0].columns[0]
        #expect(!bounds.isMinExact && !bounds.isMaxExact)
        guard case .bytes(let least) = bounds.min, case .bytes(let most) = bounds.max else {
            Issue.record("string bounds are bytes")
            return
        }
        #expect(least == [UInt8](repeating: 0x7F, count: 64))
        #expect(String(decoding: most, as: UTF8.self) == String(repeating: "é", count: 31) + "ê")
        // Nothing of the head can grow: the bound stays whole.
        let highest = Array(String(repeating: "\u{10FFFF}", count: 20).utf8)
        #expect(upperBound(highest) == (highest, true))
        #expect(upperBound([UInt8](repeating: 0xFF, count: 70)) == ([UInt8](repeating: 0xFF, count: 70), true))
    }

    @Test func nanIsNoBoundAndZeroIsBoth() throws {
        let column = ParquetColumn("d", .double, isOptional: false)
        let groups: [[ColumnValues]] = [[.double([.nan, .nan], validity: nil)], [.double([0, .nan], validity: nil)]]
        try write(folder("nan"), [column], groups)
        let bounds = try ParquetFile(folder("nan"), disk: .posix).rowGroups.map { $0.columns[0] }
        #expect(bounds[0].min == nil && bounds[0].max == nil)
        #expect(bounds[1].min?.plain == ParquetValue.double(-0.0).plain)
        #expect(bounds[1].max?.plain == ParquetValue.double(0).plain)
    }

    private func checkStatistics(_ statistics: ColumnStatistics, _ values: ColumnValues) {
        #expect(statistics.nullCount == values.cells.filter { $0 == nil }.count)
        switch values {
        case .int64(let numbers, let validity):
            let present = numbers.indices.filter { validity?[$0] ?? true }.map { numbers[$0] }
            #expect(statistics.min == present.min().map { .int64($0) })
            #expect(statistics.max == present.max().map { .int64($0) })
        case .strings:
            let present = values.cells.compactMap { $0 }.map { Array($0.utf8) }
            for string in present {
                #expect(statistics.min.map { !(.bytes(string) < $0) } == true)
                #expect(statistics.max.map { !($0 < .bytes(string)) } == true)
            }
        default: break
        }
    }
}

extension ColumnStatistics {
    fileprivate static var allNullOfNone: ColumnStatistics {
        var statistics = ColumnStatistics.none
        statistics.nullCount = 0
        return statistics
    }
}

/// Writes a whole file, one element of `groups` a row group.
@discardableResult
func write(
    _ path: String, _ columns: [ParquetColumn], _ groups: [[ColumnValues]],
    _ settings: ParquetWriterSettings = ParquetWriterSettings(), disk: Disk = .posix
) throws -> ParquetSummary {
    var writer = try ParquetWriter(
        path, schema: ParquetSchema(columns), sortingColumns: [], keyValueMetadata: [], settings: settings, disk: disk)
    for group in groups { try writer.writeRowGroup(group, rowCount: group[0].count) }
    return try writer.finish()
}
