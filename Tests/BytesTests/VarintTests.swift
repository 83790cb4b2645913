import Testing
import TestSupport

@testable import Bytes

@Suite struct VarintTests {
    @Test(arguments: [UInt64(0), 1, 127, 128, 300, 16_383, 16_384, 1 << 35, UInt64.max])
    func varintsSurviveTheRoundTrip(value: UInt64) throws {
        var writer = ByteWriter()
        writer.append(varint: value)
        var offset = 0
        let read = try writer.bytes.rawSpan.varint(&offset)
        #expect(read == value && offset == writer.count)
        for end in 0..<writer.count {
            let part = Array(writer.bytes[0..<end])
            #expect(throws: DecodeError.self) { try readVarint(part) }
        }
    }

    @Test(arguments: [Int64(0), -1, 1, Int64.min, Int64.max, -1_000_000])
    func signedVarintsSurviveTheRoundTrip(value: Int64) throws {
        var writer = ByteWriter()
        writer.append(signed: value)
        var offset = 0
        let read = try writer.bytes.rawSpan.signedVarint(&offset)
        #expect(read == value)
    }

    @Test func elevenBytesOrSixtyFiveBitsAreRefused() {
        for bytes in [[UInt8](repeating: 0x80, count: 11), [UInt8](repeating: 0xFF, count: 9) + [2]] {
            #expect(throws: DecodeError.varintTooLong(offset: 0)) { try readVarint(bytes) }
        }
    }

    @Test func loadsOutsideTheSpanAreRefused() {
        let bytes: [UInt8] = [1, 2, 3]
        for offset in [-1, 0, 2, 3, Int.max] {
            #expect(throws: DecodeError.truncated(offset: offset)) { try load(bytes, offset) }
        }
    }

    @Test func hexSurvivesTheRoundTrip() {
        #expect(Hex.decode(Hex.encode([0, 15, 255])) == [0, 15, 255])
        #expect(Hex.encode(0x0102_0304_0506_0708) == "0102030405060708")
        #expect(Hex.decode("0g") == nil && Hex.decode("abc") == nil)
    }

    private func readVarint(_ bytes: [UInt8]) throws -> UInt64 {
        var offset = 0
        return try bytes.rawSpan.varint(&offset)
    }

    private func load(_ bytes: [UInt8], _ offset: Int) throws -> UInt32 {
        try bytes.rawSpan.load(at: offset, as: UInt32.self)
    }
}
