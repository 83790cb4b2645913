import Files
import Foundation
import Testing

/// On a file system that is really full. TIDEMARK_SMALL_DISK names an empty folder on one of 12 to 32 MiB, such as a
/// tmpfs mounted for this; without it the tests are skipped, and the injected faults of the other suites must do.
@Suite struct FullDiskTests {
    private static let folder = ProcessInfo.processInfo.environment["TIDEMARK_SMALL_DISK"]

    @Test(.enabled(if: folder != nil)) func aFullDiskHoldsSendersBackUntilThereIsRoom() throws {
        let folder = try #require(Self.folder)
        let data = folder + "/data"
        defer { try? FileManager.default.removeItem(atPath: data) }
        let collector = CollectorProcess(data: data)
        try collector.start()
        let ballast = folder + "/ballast"
        let senders = try (0..<2).map { index in
            Sender("full\(index)", token: try collector.token(), seed: UInt64(index), pause: .milliseconds(2)) {
                .unix(path: data + "/collector.sock")
            }
        }
        try Disk.posix.replace(ballast, with: [UInt8](repeating: 1, count: 5 << 20))
        defer { try? FileManager.default.removeItem(atPath: ballast) }
        var filler = 0
        while try Disk.posix.freeBytes(folder) > 3 << 20 {
            filler += 1
            try Disk.posix.replace(folder + "/ballast-\(filler)", with: [UInt8](repeating: 1, count: 1 << 20))
        }
        defer {
            for number in 0...filler { try? FileManager.default.removeItem(atPath: folder + "/ballast-\(number)") }
        }
        for sender in senders { sender.start() }
        // A rotation with each request uses up the disk, a segment at a time.
        #expect(waitUntil(withinMillis: 15_000) {
            _ = try? collector.admin("publish")
            return senders.contains { $0.progress.refusals["diskFull", default: 0] > 0 }
        }, "\(senders.map(\.progress.refusals)) \(collector.log())")
        #expect(collector.isRunning)
        #expect(try collector.get("/healthz").status == 200)
        _ = try StoredEvents(data: data)
        try Disk.posix.unlink(ballast)
        let before = senders[0].progress.acked.count
        #expect(waitUntil(withinMillis: 10_000) { senders[0].progress.acked.count > before })
        for sender in senders { #expect(sender.finish()) }
        #expect(try collector.admin("publish").status == .done)
        let stored = try StoredEvents(data: data)
        #expect(senders.flatMap { stored.faults($0) } == [])
        #expect(try collector.stop() == .init(code: 0, wasSignalled: false))
    }
}
