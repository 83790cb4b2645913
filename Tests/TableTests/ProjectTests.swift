import Bytes
import Files
import TestSupport
import Testing
import WAL

@testable import Table

/// A project is a folder with its key: protocol/table.md §1.
@Suite struct ProjectTests {
    let folder = TemporaryFolder()
    let key = [UInt8](16..<32)

    private func refuses(_ body: () throws -> Void, isIt: @escaping (TableError) -> Bool) {
        #expect(performing: { try body() }, throws: { ($0 as? TableError).map(isIt) ?? false })
    }

    @Test func whatIsCreatedIsOpenedWithTheSameKey() throws {
        let made = try Project.create("shop-1", dataFolder: folder.path, key: key, disk: .posix)
        let opened = try Project.open("shop-1", dataFolder: folder.path, disk: .posix)
        #expect(opened.keyCheck == made.keyCheck && opened.name == "shop-1" && opened.folder == folder("shop-1"))
        #expect(try Project.list(dataFolder: folder.path, disk: .posix).map(\.name) == ["shop-1"])
    }

    @Test func aProjectIsCreatedOnce() throws {
        _ = try Project.create("a", dataFolder: folder.path, key: key, disk: .posix)
        refuses { _ = try Project.create("a", dataFolder: folder.path, key: [UInt8](0..<16), disk: .posix) } isIt: {
            if case .projectExists("a") = $0 { true } else { false }
        }
    }

    @Test(arguments: ["", "wal", "A", "a_b", "a/b", "..", "é", String(repeating: "a", count: 64)])
    func otherNamesAreRefused(name: String) throws {
        #expect(!Project.isValid(name))
        refuses { _ = try Project.create(name, dataFolder: folder.path, key: key, disk: .posix) } isIt: {
            if case .projectNameInvalid = $0 { true } else { false }
        }
        refuses { _ = try Project.open(name, dataFolder: folder.path, disk: .posix) } isIt: {
            if case .projectNameInvalid = $0 { true } else { false }
        }
    }

    @Test func whatIsNotThereIsUnknown() {
        refuses { _ = try Project.open("a", dataFolder: folder.path, disk: .posix) } isIt: {
            if case .projectUnknown("a") = $0 { true } else { false }
        }
    }

    @Test(arguments: [
        "", "{", "[]", "{}", #"{"format":1,"project":"a","key":"00000000000000000000000000000000"}"#,
        #"{"format":0,"project":"b","key":"00000000000000000000000000000000"}"#,
        #"{"format":0,"project":"a","key":"00"}"#,
        #"{"format":0,"project":"a","key":"0000000000000000000000000000000g"}"#,
    ])
    func aFileThatIsNoProjectOfThisFormatIsRefused(text: String) throws {
        try Disk.posix.makeFolder(folder("a"))
        try Disk.posix.replace(folder("a/project.json"), with: Array(text.utf8))
        refuses { _ = try Project.open("a", dataFolder: folder.path, disk: .posix) } isIt: {
            if case .refused = $0 { true } else { false }
        }
    }

    @Test func aTableOfAnotherKeyIsRefused() throws {
        let fixture = try TableFixture()
        try fixture.fill(records: 1, seed: 1)
        try fixture.commit([Shipment(events: TableEvents.few)])
        _ = try fixture.publisher().publish(through: .max)
        try Disk.posix.unlink(fixture.project.folder + "/project.json")
        let other = try Project.create("default", dataFolder: fixture.dataFolder, key: key, disk: .posix)
        refuses { _ = try other.newestEvents(disk: .posix) } isIt: { if case .refused = $0 { true } else { false } }
        let log = LogReader(folder: fixture.logFolder, disk: .posix)
        refuses { _ = try Publisher(project: other, log: log, disk: .posix).publish(through: .max) } isIt: {
            if case .refused = $0 { true } else { false }
        }
    }
}
