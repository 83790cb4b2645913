import Bytes
import TestSupport
import Testing

@testable import Parquet

@Suite struct KernelTests {
    @Test func packedCodesOfEveryWidth() {
        var random = SeededRandom(seed: 1)
        for width in 0...32 {
            let mask = width == 0 ? 0 : UInt32.max >> UInt32(32 - width)
            let codes = (0..<77).map { _ in UInt32(truncatingIfNeeded: random.next()) & mask }
            var writer = ByteWriter(capacity: 0)
            writer.append(9)
            encodePacked(codes.span, width: width, to: &writer)
            var read = [UInt32](repeating: 5, count: 80)
            var out = read.mutableSpan
            unpackCodes(writer.bytes.rawSpan, at: 1, width: width, into: &out, at: 2, count: 77)
            #expect(read == [5, 5] + codes + [5], "width \(width), seed 1")
        }
    }

    @Test func hybridCodesOfEveryWidthAndRunLength() throws {
        var random = SeededRandom(seed: 2)
        for width in 1...32 {
            var codes: [UInt32] = []
            while codes.count < 500 {
                let code = UInt32(truncatingIfNeeded: random.next()) >> UInt32(32 - width)
                let length = random.chance(0.5) ? 1 : Int.random(in: 1...40, using: &random)
                codes += [UInt32](repeating: code, count: length)
            }
            var writer = ByteWriter(capacity: 0)
            encodeHybrid(codes.span, width: width, to: &writer)
            var read = [UInt32](repeating: 0, count: codes.count)
            var out = read.mutableSpan
            var offset = 0
            try decodeCodes(writer.bytes.rawSpan, &offset, width: width, into: &out, at: 0, count: codes.count)
            #expect(read == codes && offset == writer.count, "width \(width), seed 2")
        }
    }

    @Test func deltasOfEveryWidth() throws {
        var random = SeededRandom(seed: 3)
        for width in 0...64 {
            for count in [0, 1, 2, 32, 33, 128, 129, 130, 300] {
                let values = (0..<count).map { _ in
                    width == 0 ? Int64.min : Int64(bitPattern: random.next() >> UInt64(64 - width))
                }
                try checkDeltas(values, "width \(width), count \(count), seed 3")
                try checkDeltas(values.map { Int32(truncatingIfNeeded: $0) }, "width \(width), count \(count), seed 3")
            }
        }
    }

    private func checkDeltas<T: ColumnNumber & FixedWidthInteger & SignedInteger>(
        _ values: [T], _ comment: Comment
    ) throws {
        var writer = ByteWriter(capacity: 0)
        encodeDeltas(values.span, to: &writer)
        var read = [T](repeating: 0, count: values.count)
        var out = read.mutableSpan
        var offset = 0
        try decodeDeltas(writer.bytes.rawSpan, &offset, into: &out, at: 0, count: values.count)
        #expect(read == values && offset == writer.count, comment)
    }

    @Test func bitRunsKeepWhatWasAppended() {
        var random = SeededRandom(seed: 4)
        var run = BitRun()
        var bits: [Bool] = []
        for _ in 0..<200 {
            let length = Int.random(in: 0...64, using: &random)
            if random.chance(0.3) {
                let value = random.chance(0.5)
                run.append(repeating: value, length: length * 3)
                bits += [Bool](repeating: value, count: length * 3)
            } else {
                let word = random.next()
                run.append(word, length: length)
                bits += (0..<length).map { word >> UInt64($0) & 1 == 1 }
            }
        }
        #expect(run.bitmap() == Bitmap(bits), "seed 4")
        for _ in 0..<100 {
            let low = Int.random(in: 0..<bits.count, using: &random)
            let high = Int.random(in: low..<bits.count, using: &random)
            #expect(run.onesCount(low..<high) == bits[low..<high].filter { $0 }.count)
        }
    }

    /// RFC 1952's polynomial; the check value of every catalogue of CRCs.
    @Test func theChecksumIsThatOfGzip() {
        let check = CRC32.checksum(Array("123456789".utf8).rawSpan)
        #expect(check == 0xCBF4_3926)
    }
}
