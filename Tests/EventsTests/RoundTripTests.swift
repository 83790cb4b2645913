import Bytes
import TestSupport
import Testing

@testable import Events

@Suite struct RoundTripTests {
    @Test(arguments: UInt64(0)..<60) func randomEventsComeBackAsTheyWere(seed: UInt64) throws {
        var source = RandomEvents(seed: seed)
        let events = source.events([1, 2, 7, 8, 9, 63, 64, 65, 300][Int(seed) % 9])
        for codec in [BatchEncoder.Codec.raw, .zstd(level: 1)] {
            let bytes = try encode(events, codec)
            let batch = try decode(bytes)
            #expect(batch.events() == events.map(\.sorted), "seed \(seed)")
            #expect(batch.timestampMicrosMin == events.map(\.timestampMicros).min())
            #expect(batch.timestampMicrosMax == events.map(\.timestampMicros).max())
        }
    }

    @Test(arguments: UInt64(0)..<20) func theOrderOfAnEventsValuesDoesNotChangeTheBytes(seed: UInt64) throws {
        var source = RandomEvents(seed: seed)
        let events = source.events(50)
        let shuffled = events.map { event in
            var other = event
            other.values.shuffle(using: &source.random)
            return other
        }
        let bytes = try encode(events, .raw)
        let others = try encode(shuffled, .raw)
        #expect(bytes == others)
    }

    @Test func aDecodedBatchEncodesToTheSameBytes() throws {
        var source = RandomEvents(seed: 5)
        let bytes = try encode(source.events(100), .raw)
        let again = try encode(try decode(bytes).events(), .raw)
        #expect(bytes == again)
    }

    @Test func aBuilderIsReusable() throws {
        var source = RandomEvents(seed: 6)
        var builder = BatchBuilder()
        var encoder = BatchEncoder(codec: .raw)
        for _ in 0..<5 {
            let events = source.events(40)
            for event in events { try builder.add(event) }
            let bytes = try encoder.encode(builder)
            let fresh = try encode(events, .raw)
            #expect(bytes == fresh)
            #expect(bytes.count - BatchHeader.byteCount <= builder.decodedByteCountMax)
            builder.removeAll()
        }
    }
}

func encode(_ events: [Event], _ codec: BatchEncoder.Codec) throws -> [UInt8] {
    var encoder = BatchEncoder(codec: codec)
    return try encoder.encode(events)
}

func decode(_ bytes: [UInt8], limits: BatchLimits = .format) throws(BatchError) -> Batch {
    var decoder = BatchDecoder()
    return try decoder.decode(bytes.rawSpan, limits: limits)
}
