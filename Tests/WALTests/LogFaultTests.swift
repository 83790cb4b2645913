import Files
import Glibc
import TestSupport
import Testing

@testable import WAL

/// Every disk operation of a short life fails once, in each way; what was acknowledged must be there afterwards, once.
@Suite struct LogFaultTests {
    enum Way: String, CaseIterable, CustomTestStringConvertible {
        case error, full, short, crash
        var kind: FaultyDisk.Kind {
            switch self {
            case .error: .error(EIO)
            case .full: .error(ENOSPC)
            case .short: .shortWrite(20)
            case .crash: .crash
            }
        }
        var testDescription: String { rawValue }
    }

    @Test(arguments: Way.allCases) func nothingAcknowledgedIsLostOrDoubled(way: Way) throws {
        for ordinal in 0... {
            let log = LogFixture()
            let faulty = FaultyDisk(failing: ordinal, kind: way.kind)
            let acknowledged = life(log, faulty.disk)
            _ = try log.open()
            let read = try log.basesRead()
            #expect(Set(read).count == read.count, "ordinal \(ordinal): doubled in \(read)")
            #expect(
                Set(acknowledged).isSubset(of: read), "ordinal \(ordinal): \(acknowledged) acknowledged, \(read) read")
            if !faulty.didFail {
                #expect(acknowledged.count == 12, "a disk that refuses nothing acknowledges everything")
                return
            }
        }
    }

    /// Commits until something throws; then a second start on the same faulty disk goes on, as a daemon's would.
    private func life(_ log: LogFixture, _ disk: Disk) -> [UInt64] {
        var acknowledged: [UInt64] = []
        var base: UInt64 = 1
        for _ in 0..<2 {
            do {
                let (writer, _) = try log.open(disk)
                for _ in 0..<6 {
                    // A sender whose batch failed may send it again, but that is judged by its source, not by the log.
                    defer { base += 1 }
                    do {
                        try LogFixture.commit(base, to: writer, byteCount: 30_000)
                        acknowledged.append(base)
                    } catch {
                        guard writer.isMarked else { throw error }
                    }
                }
                try writer.free(published: [:])
                try writer.seal(nowMicros: 5)
            } catch {
                continue
            }
        }
        return acknowledged
    }
}
