import Testing
import TestSupport

@testable import Bytes

@Suite struct ChecksumTests {
    @Test func crc32cMatchesThePublishedVectors() {
        // RFC 3720 appendix B.4, and the check value of the CRC catalogue.
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.checksum(Array(0..<32)) == 0x46DD_794E)
        #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xE306_9283)
    }

    @Test(arguments: [1, 2, 3]) func portableAndHardwareAgree(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for count in 0..<200 {
            let bytes = random.bytes(count)
            let portable = CRC32C.portable(bytes.rawSpan)
            #expect(CRC32C.checksum(bytes) == portable, "seed \(seed), \(count) bytes")
            let cut = count / 3
            let head = CRC32C.checksum(bytes.rawSpan.extracting(0..<cut))
            let whole = CRC32C.checksum(bytes.rawSpan.extracting(cut..<count), continuing: head)
            #expect(CRC32C.checksum(bytes) == whole)
        }
    }

    @Test func xxh64MatchesThePublishedVectors() {
        // The specification's sanity values, as python-xxhash prints them.
        #expect(XXH64.hash([]) == 0xEF46_DB37_51D8_E999)
        #expect(XXH64.hash(Array("a".utf8)) == 0xD24E_C4F1_A98C_6E5B)
        #expect(XXH64.hash(Array("abc".utf8)) == 0x44BC_2CF5_AD77_0999)
        let long = "Nobody inspects the spammish repetition"
        #expect(XXH64.hash(Array(long.utf8)) == 0xFBCE_A83C_8A37_8BF1)
    }

    /// Appendix A of the paper and the reference implementation's vectors: key 00…0f, input 00, 01, 02, …
    @Test(arguments: [
        (1, 0x74F8_39C5_93DC_67FD), (8, 0x93F5_F579_9A93_2462), (9, 0x9E00_82DF_0BA9_E4B0),
        (15, 0xA129_CA61_49BE_45E5),
    ] as [(Int, UInt64)])
    func sipHashMatchesThePaper(count: Int, expected: UInt64) {
        let input = (0..<count).map { UInt8($0) }
        let tail = Array(input.dropFirst())
        let hash = SipHash(key: Array(0..<16)).hash(prefix: input[0], tail.rawSpan)
        #expect(hash == expected)
    }
}
