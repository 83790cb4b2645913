import Bytes
import TestSupport
import Testing

@testable import Zstd

@Suite struct ZstdTests {
    @Test(arguments: [0, 1, 1000, 300_000]) func bytesSurviveTheRoundTrip(count: Int) throws {
        var random = SeededRandom(seed: UInt64(count))
        let bytes = random.bytes(count).map { $0 & 7 }
        var compressor = Compressor(level: 1)
        var decompressor = Decompressor()
        let packed = try compressor.compress(bytes.rawSpan)
        let unpacked = try decompressor.decompress(packed.rawSpan, limit: count)
        #expect(unpacked == bytes)
    }

    @Test func aBombIsRefusedBeforeAnythingIsAllocated() throws {
        var compressor = Compressor(level: 19)
        let bomb = try compressor.compress([UInt8](repeating: 0, count: 64 << 20).rawSpan)
        #expect(bomb.count < 10_000)
        #expect(throws: ZstdError.decodedSizeNotAllowed(declared: 64 << 20, limit: 1 << 20)) { try inflate(bomb) }
    }

    @Test func damagedFramesAreRefused() throws {
        var compressor = Compressor(level: 1)
        let packed = try compressor.compress(Array("some text some text some text".utf8).rawSpan)
        for end in 0..<packed.count {
            #expect(throws: ZstdError.self) { try inflate(Array(packed[0..<end])) }
        }
    }

    private func inflate(_ bytes: [UInt8]) throws -> [UInt8] {
        var decompressor = Decompressor()
        return try decompressor.decompress(bytes.rawSpan, limit: 1 << 20)
    }
}
