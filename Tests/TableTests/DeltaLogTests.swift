import Files
import JSON
import TestSupport
import Testing

@testable import Table

/// Versions of a table are files of actions: protocol/table.md §5.
@Suite struct DeltaLogTests {
    let folder = TemporaryFolder()
    var log: DeltaLog { DeltaLog(tableFolder: folder("t"), disk: .posix) }

    private func file(_ path: String, day: Int? = 19_781) -> DataFile {
        DataFile(
            path: path, day: day, byteCount: 7, rowCount: 3,
            bounds: .init(
                userKey: -5...(.max), timestampMicros: 1_709_164_800_000_001...1_709_164_800_000_999, position: 1...9))
    }

    private func add(_ file: DataFile) -> JSONValue { DeltaAction.add(file, modifiedMillis: 1) }

    @Test func noFolderIsVersionMinusOne() throws {
        let version = try log.newest()
        #expect(version.version == -1 && version.files.isEmpty && version.lastRecord == 0)
    }

    @Test func whatIsCommittedIsRead() throws {
        let first = try log.commit(
            [
                DeltaAction.protocolVersion, DeltaAction.commitInfo("WRITE", timestampMillis: 5), add(file("a")),
                DeltaAction.transaction("tidemark-log", 12, lastUpdatedMillis: 99),
                DeltaAction.transaction("tidemark-clock", 99_007, lastUpdatedMillis: 99),
                DeltaAction.transaction("tidemark-table:ledger", 0, lastUpdatedMillis: 99),
            ], onto: try log.newest())
        let second = try log.commit([add(file("b", day: nil)), ["remove": ["path": "a"]]], onto: first)
        #expect(first.version == 0 && first.files == [file("a")])
        #expect(first.lastRecord == 12 && first.clockMicros == 99_007)
        #expect(first.transactions == ["tidemark-log": 12, "tidemark-clock": 99_007, "tidemark-table:ledger": 0])
        #expect(second.version == 1 && second.files == [file("b", day: nil)])
        for known in [TableVersion(), first, second] {
            let read = try log.newest(after: known)
            #expect(read.version == 1 && read.files == second.files && read.transactions == second.transactions)
        }
        let names = try Disk.posix.list(folder("t/_delta_log"))
        #expect(names == ["00000000000000000000.json", "00000000000000000001.json"])
    }

    @Test func aVersionThatExistsIsAConflictAndStaysAsItIs() throws {
        let base = try log.newest()
        _ = try log.commit([add(file("a"))], onto: base)
        #expect {
            _ = try log.commit([add(file("b"))], onto: base)
        } throws: { error in
            if case TableError.commitConflict = error { true } else { false }
        }
        #expect(try log.newest().files == [file("a")])
    }

    @Test func aFileOfAnotherWriterHasNoBounds() throws {
        let foreign: JSONValue = [
            "add": [
                "path": "date=2024-02-28/x.parquet", "partitionValues": ["date": "2024-02-28"], "size": 9,
                "stats": "{\"numRecords\":3}", "tags": ["tidemark.user_key": "5 4"],
            ]
        ]
        let read = try log.commit([foreign], onto: try log.newest()).files
        let expected = DataFile(
            path: "date=2024-02-28/x.parquet", day: 19_781, byteCount: 9, rowCount: 3, bounds: nil)
        #expect(read == [expected])
    }

    @Test func aFileThatIsAddedAgainIsThereOnce() throws {
        let first = try log.commit([add(file("a")), add(file("b"))], onto: try log.newest())
        var larger = file("a")
        larger.rowCount = 4
        let second = try log.commit([add(larger)], onto: first)
        #expect(second.files.sorted { $0.path < $1.path } == [larger, file("b")])
    }

    @Test func newMetadataReplacesTheOld() throws {
        let first = try log.commit(
            [["metaData": ["configuration": ["a": "1", "b": "2"]]]], onto: try log.newest())
        let second = try log.commit([["metaData": ["configuration": ["b": "3"]]]], onto: first)
        #expect(second.configuration == ["b": "3"])
    }

    @Test(arguments: [
        "{", "[]", "{}", "{\"txn\":{\"appId\":\"a\",\"version\":-1}}", "{\"add\":{}}", "{\"remove\":{}}",
        "{\"add\":{\"path\":\"a\",\"size\":1},\"txn\":{}}",
        "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7}}",
    ])
    func whatIsNoActionIsRefusedWithItsPlace(line: String) throws {
        try Disk.posix.makeFolder(folder("t/_delta_log"))
        let path = folder("t/_delta_log/00000000000000000000.json")
        try Disk.posix.replace(path, with: Array(("{\"commitInfo\":{}}\n" + line + "\n").utf8))
        #expect {
            _ = try log.newest()
        } throws: { error in
            if case TableError.corruptCommit(path, line: 2, _) = error { true } else { false }
        }
    }

    @Test func noPrefixAndNoFlippedBitOfACommitTraps() throws {
        let actions: [JSONValue] = [
            DeltaAction.protocolVersion, add(file("a")), DeltaAction.transaction("x", 1, lastUpdatedMillis: 2),
        ]
        let text = Array(actions.map { $0.description + "\n" }.joined().utf8)
        try Disk.posix.makeFolder(folder("t/_delta_log"))
        let path = folder("t/_delta_log/00000000000000000000.json")
        let flips = (0..<(text.count * 8)).filter { $0 % 3 == 0 }.map { bit in
            var changed = text
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            return changed
        }
        for changed in flips + text.indices.map({ Array(text[..<$0]) }) {
            let made = try File.open(path, .createOrTruncate(0o644), disk: .posix)
            try made.write(changed, at: 0)
            do { _ = try log.newest() } catch is TableError {}
        }
    }
}
