import Bytes
import TestSupport
import Testing
import Wire

@testable import Collector

@Suite struct SourceCheckpointTests {
    private func sources(_ count: Int) -> [SourceUpdate] {
        var random = SeededRandom(seed: 7)
        return (0..<count).map { index in
            let batches = (0..<(index % 3)).map { number in
                BatchRecord(
                    batch: BatchFingerprint(base: UInt64(number * 10 + 1), count: 10, fingerprint: random.next()),
                    verdicts: number == 1 ? [Verdict(sequence: 12, count: 2, code: .schema)] : [])
            }
            return SourceUpdate(
                key: SourceKey(project: index % 2 == 0 ? "default" : "shop", source: .random(using: &random)),
                tokenName: "token \(index)",
                totals: SourceTotals(unknownBefore: 1, skipped: 2, stored: 300, rejected: 4, quarantined: 5),
                batches: batches)
        }
    }

    /// A checksum that fits, so that only the fields themselves can be wrong.
    private func sealed(_ body: [UInt8]) -> [UInt8] {
        var writer = ByteWriter()
        writer.append(body)
        writer.append(fixed: CRC32C.checksum(body))
        return writer.bytes
    }

    @Test(arguments: [0, 1, 20]) func aCheckpointSurvivesTheRoundTrip(count: Int) throws {
        let written = sources(count)
        #expect(try SourceCheckpoint.decode(SourceCheckpoint.encode(written)) == written)
    }

    @Test func noBytesAreNoSources() throws {
        #expect(try SourceCheckpoint.decode([]).isEmpty)
    }

    @Test func everyPrefixAndFlippedBitIsRefused() {
        let bytes = SourceCheckpoint.encode(sources(5))
        for end in 1..<bytes.count {
            #expect(throws: (any Error).self, "\(end) bytes") { try SourceCheckpoint.decode(Array(bytes[..<end])) }
        }
        for bit in 0..<(bytes.count * 8) {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: (any Error).self, "bit \(bit)") { try SourceCheckpoint.decode(damaged) }
        }
    }

    @Test func damageBehindAGoodChecksumNeverTraps() {
        let body = Array(SourceCheckpoint.encode(sources(5)).dropLast(4))
        for end in 0..<body.count {
            let cut = sealed(Array(body[..<end]))
            #expect(throws: (any Error).self, "\(end) bytes") { try SourceCheckpoint.decode(cut) }
        }
        for bit in 0..<(body.count * 8) {
            var damaged = body
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            replay(sealed(damaged))
        }
        for index in 0..<body.count {
            replay(sealed(Array(body[..<index]) + [UInt8](repeating: 0xFF, count: 9) + [1] + Array(body[index...])))
        }
    }

    @Test func bytesBehindTheLastSourceAreRefused() {
        let body = Array(SourceCheckpoint.encode(sources(2)).dropLast(4))
        #expect(throws: (any Error).self) { try SourceCheckpoint.decode(sealed(body + [0])) }
    }

    /// What is accepted must not harm the ledger either.
    private func replay(_ bytes: [UInt8]) {
        guard let updates = try? SourceCheckpoint.decode(bytes) else { return }
        var ledger = SourceLedger(lineage: [UInt8](repeating: 0, count: 16))
        for update in updates { ledger.restore(update) }
        for update in updates {
            let open = Open(
                stream: 1, project: update.key.project, source: update.key.source, kind: .live, acked: 1,
                lineageLastSeen: nil)
            _ = ledger.open(open, connection: 1, tokenName: update.tokenName ?? "")
        }
        _ = ledger.snapshot()
    }
}
