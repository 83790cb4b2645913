import Bytes
import Crypto
import TestSupport
import Testing

@Suite struct DigestsTests {
    // FIPS 180-4 examples, from NIST's "Cryptographic Standards and Guidelines".
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func sha256MatchesThePublishedDigests(message: String, digest: String) {
        #expect(Hex.encode(SHA256.hash(Array(message.utf8))) == digest)
    }

    // RFC 4231, test cases 1, 2, 3 and 6.
    @Test(arguments: [
        (
            [UInt8](repeating: 0x0B, count: 20), Array("Hi There".utf8),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            [UInt8](repeating: 0xAA, count: 20), [UInt8](repeating: 0xDD, count: 50),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
        ),
        (
            [UInt8](repeating: 0xAA, count: 131), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
    ])
    func hmacMatchesThePublishedCodes(key: [UInt8], message: [UInt8], code: String) throws {
        let hmac = HMACSHA256(key: key)
        #expect(Hex.encode(hmac.code(for: message)) == code)
        #expect(hmac.isValid(try #require(Hex.decode(code)), for: message))
        #expect(!hmac.isValid(try #require(Hex.decode(code)), for: message + [0]))
    }

    @Test func anEmptyKeyAndAnEmptyMessageHaveACode() {
        #expect(
            Hex.encode(HMACSHA256(key: []).code(for: []))
                == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }

    @Test func equalityComparesEveryByteAndTheLength() {
        var random = SeededRandom(seed: 1)
        let bytes = random.bytes(33)
        #expect(constantTimeEquals(bytes, bytes) && constantTimeEquals([], []))
        #expect(!constantTimeEquals(bytes, Array(bytes.dropLast())))
        for bit in 0..<(bytes.count * 8) {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!constantTimeEquals(bytes, flipped))
        }
    }

    @Test func randomBytesHaveTheirCountAndDiffer() {
        #expect(secureRandomBytes(count: 0).isEmpty)
        #expect(Set((0..<100).map { _ in secureRandomBytes(count: 16) }).count == 100)
    }
}
