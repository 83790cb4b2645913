import Bytes
import TestSupport
import Testing

@testable import Events

/// Whatever the bytes are: the decoder never traps, and takes exactly what the oracle takes, with the same meaning.
@Suite struct DamageTests {
    private static let seeds: [UInt64] = [1, 2, 3, 5]

    @Test(arguments: seeds) func everyPrefixIsRefused(seed: UInt64) throws {
        let bytes = try batch(seed)
        for count in bytes.indices {
            #expect(throws: BatchError.self, "seed \(seed), \(count) bytes") { try decode(Array(bytes[..<count])) }
        }
    }

    @Test(arguments: seeds) func everyPrefixOfTheBodyIsJudgedAsByTheOracle(seed: UInt64) throws {
        let bytes = try batch(seed)
        for count in 12..<bytes.count { expectAgreement(reheaded(Array(bytes[..<count])), "seed \(seed), \(count)") }
    }

    @Test(arguments: seeds) func everyBitFlipIsJudgedAsByTheOracle(seed: UInt64) throws {
        var bytes = try batch(seed)
        for bit in 0..<(bytes.count * 8) {
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            expectAgreement(bytes, "seed \(seed), bit \(bit)")
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        }
    }

    @Test(arguments: UInt64(100)..<106) func randomDamageIsJudgedAsByTheOracle(seed: UInt64) throws {
        let bytes = try batch(seed)
        var random = SeededRandom(seed: seed)
        var taken = 0
        for round in 0..<2000 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 12..<damaged.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: damaged[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: damaged[place] &+= 1
                case 2: damaged.insert(UInt8.random(in: 0...3, using: &random), at: place)
                default: damaged.remove(at: place)
                }
            }
            if expectAgreement(reheaded(damaged), "seed \(seed), round \(round)") { taken += 1 }
        }
        #expect(taken > 0, "some damage leaves a valid batch, or the comparison shows nothing")
    }

    @Test(arguments: seeds) func damagedZstdBatchesNeverTrap(seed: UInt64) throws {
        var source = RandomEvents(seed: seed)
        let events = source.events(8)
        var bytes = try encode(events, .zstd(level: 3))
        let whole = bytes
        for count in bytes.indices {
            #expect(throws: BatchError.self, "seed \(seed), \(count) bytes") { try decode(Array(whole[..<count])) }
        }
        for bit in 0..<(bytes.count * 8) {
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            // No checksum guards the frame, so some damage gives another valid batch.
            if let batch = try? decode(bytes) {
                let rows = batch.events()
                let again = try encode(rows, .raw)
                #expect(NaiveBatch.events(again) == rows, "seed \(seed), bit \(bit)")
            }
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        }
    }

    private func batch(_ seed: UInt64) throws -> [UInt8] {
        var source = RandomEvents(seed: seed)
        return try encode(source.events(3 + Int(seed % 7)), .raw)
    }

    /// The same body under a header that declares its size.
    private func reheaded(_ bytes: [UInt8]) -> [UInt8] {
        var writer = ByteWriter()
        writer.append(bytes)
        writer.patch(at: 8, fixed: UInt32(bytes.count - 12))
        return writer.bytes
    }

    @discardableResult
    private func expectAgreement(_ bytes: [UInt8], _ place: String) -> Bool {
        let events = (try? decode(bytes))?.events()
        let expected = NaiveBatch.events(bytes)
        #expect(events == expected, "\(place)")
        return events != nil
    }
}
