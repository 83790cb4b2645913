import Bytes
import Glibc
import TestSupport
import Testing

@testable import Files

@Suite struct FilesTests {
    let folder = TemporaryFolder()

    @Test func whatIsWrittenIsRead() throws {
        let file = try File.open(folder("a"), .createNew(0o600), disk: .posix)
        try file.write([1, 2, 3], at: 2)
        try file.synchronizeData()
        #expect(try file.size() == 5)
        #expect(try file.read(at: 0, count: 10) == [0, 0, 1, 2, 3])
        try file.close()
        let mapping = try FileMapping(folder("a"), disk: .posix)
        let copy = mapping.bytes.copy()
        #expect(copy == [0, 0, 1, 2, 3])
    }

    @Test func errorsNameOperationPathAndReason() {
        let error = #expect(throws: FileError.self) { try Disk.posix.contents(folder("missing")) }
        #expect(error?.isNotFound == true)
        #expect(error?.description == "cannot open \(folder("missing")): No such file or directory")
    }

    /// A crash at any step of a replacement leaves the old content or the new, never a mixture.
    @Test func replacementIsAtomicAtEveryStep() throws {
        let path = folder("config")
        for ordinal in 0... {
            try Disk.posix.replace(path, with: Array("old".utf8))
            let faulty = FaultyDisk(failing: ordinal, kind: .crash)
            let result = Result { try faulty.disk.replace(path, with: Array("newer content".utf8)) }
            let content = String(decoding: try Disk.posix.contents(path), as: UTF8.self)
            if case .success = result {
                #expect(content == "newer content")
                #expect(!faulty.didFail && ordinal > 3)
                return
            }
            #expect(content == "old" || content == "newer content", "ordinal \(ordinal)")
        }
    }

    @Test func shortWritesAreReported() throws {
        let faulty = FaultyDisk(failing: 0, kind: .shortWrite(2)) { $0 == .write }
        let file = try File.open(folder("b"), .createNew(0o600), disk: faulty.disk)
        #expect(throws: FileError.self) { try file.write([9, 9, 9], at: 0) }
        #expect(try Disk.posix.contents(folder("b")) == [9, 9])
    }

    @Test func aSecondLockIsRefused() throws {
        let first = try File.open(folder("lock"), .createOrOpen(0o600), disk: .posix)
        #expect(try first.lock(wait: false))
        let second = try File.open(folder("lock"), .createOrOpen(0o600), disk: .posix)
        #expect(try second.lock(wait: false) == false)
    }

    @Test func foldersAreMadeWithTheirParentsAndListedSorted() throws {
        try Disk.posix.makeFolder(folder("x/y/z"))
        try Disk.posix.makeFolder(folder("x/y/z"))
        try Disk.posix.makeFolder(folder("x/y/a"))
        #expect(try Disk.posix.list(folder("x/y")) == ["a", "z"])
        #expect(try Disk.posix.freeBytes(folder.path) > 0)
    }
}
