import Gzip
import TestSupport
import Testing

@Suite struct GzipTests {
    @Test(arguments: [0, 1, 1000, 1 << 20]) func whatIsCompressedInflatesToTheSame(byteCount: Int) throws {
        var random = SeededRandom(seed: UInt64(byteCount) + 1)
        let bytes = (0..<byteCount).map { _ in UInt8.random(in: 0...15, using: &random) }
        for effort in [Gzip.Effort.fast, .best] {
            let compressed = Gzip.compress(bytes, effort)
            #expect(compressed.count < bytes.count * 3 / 4 + 64)
            #expect(GzipInflater.isGzip(compressed))
            #expect(try Gzip.inflate(compressed, limit: byteCount) == bytes)
        }
    }

    @Test func equalBytesGiveEqualBytes() {
        #expect(Gzip.compress([1, 2, 3], .fast) == Gzip.compress([1, 2, 3], .fast))
    }

    @Test func everyPrefixIsRefused() {
        let compressed = Gzip.compress(Array("a body of some bytes".utf8), .best)
        for count in 1..<compressed.count {
            #expect(throws: GzipError.self) { try Gzip.inflate(Array(compressed.prefix(count)), limit: 1000) }
        }
    }

    @Test func everyFlippedBitIsRefusedOrMeansNothing() {
        let bytes = Array("a body of some bytes".utf8)
        let compressed = Gzip.compress(bytes, .best)
        // Behind the header, whose time and system nobody reads.
        for index in 10..<compressed.count {
            for bit in 0..<8 {
                var damaged = compressed
                damaged[index] ^= 1 << bit
                // The bits that fill the last byte of the data mean nothing.
                let inflated = Result { () throws(GzipError) in try Gzip.inflate(damaged, limit: 1000) }
                switch inflated {
                case .success(let same): #expect(same == bytes)
                case .failure(let error): #expect(!error.reason.isEmpty)
                }
            }
        }
    }

    @Test func moreThanTheLimitIsRefused() {
        let bomb = Gzip.compress([UInt8](repeating: 0, count: 1 << 20), .best)
        #expect(throws: GzipError.self) { try Gzip.inflate(bomb, limit: (1 << 20) - 1) }
    }
}
