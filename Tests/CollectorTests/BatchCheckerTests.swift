import Bytes
import Events
import Testing
import Wire

@testable import Collector

@Suite struct BatchCheckerTests {
    private func outcome(_ frame: BatchFrame, isImport: Bool = false) -> CheckedBatch.Outcome {
        TestBatch.checked(frame, isImport: isImport).outcome
    }

    @Test func aGoodBatchIsValidWithItsRangeOfTimes() throws {
        let bytes = try TestBatch.bytes(1, count: 3)
        guard case .valid(let valid) = outcome(TestBatch.frame(1, count: 3, bytes)) else {
            Issue.record("it was rejected")
            return
        }
        #expect(valid.minTimestampMicros == TestBatch.now && valid.maxTimestampMicros == TestBatch.now)
        #expect(valid.exclusions.isEmpty && !valid.isCompressed)
    }

    @Test func aCountThatIsNotTheBatchsIsMalformed() throws {
        let bytes = try TestBatch.bytes(1, count: 3)
        guard case .rejected(.malformed) = outcome(TestBatch.frame(1, count: 4, bytes)) else {
            Issue.record("it was taken")
            return
        }
    }

    @Test func anUnknownReservedTypeCostsThatEventOnly() throws {
        var encoder = BatchEncoder(codec: .raw)
        let bytes = try encoder.encode([
            Event(type: "tick", timestampMicros: TestBatch.now),
            Event(type: "$nonsense", timestampMicros: TestBatch.now),
        ])
        let batch = TestBatch.checked(TestBatch.frame(5, count: 2, bytes))
        #expect(batch.verdicts == [Verdict(sequence: 6, count: 1, code: .schema)])
    }

    @Test func neighboursOfOneCodeAreOneVerdict() throws {
        var encoder = BatchEncoder(codec: .raw)
        let far = TestBatch.now + 86_400_000_000
        let kinds: [(String, Int64)] = [
            ("tick", far), ("tick", far), ("tick", far), ("tick", TestBatch.now), ("tick", far),
            ("$nonsense", TestBatch.now), ("$nonsense", TestBatch.now),
        ]
        let bytes = try encoder.encode(kinds.map { Event(type: $0.0, timestampMicros: $0.1) })
        let batch = TestBatch.checked(TestBatch.frame(5, count: 7, bytes))
        #expect(batch.verdicts == [
            Verdict(sequence: 5, count: 3, code: .future), Verdict(sequence: 9, count: 1, code: .future),
            Verdict(sequence: 10, count: 2, code: .schema),
        ])
    }

    @Test func aClockFarAheadIsCorrectedForLiveStreamsOnly() throws {
        var encoder = BatchEncoder(codec: .raw)
        let day: Int64 = 86_400_000_000
        let bytes = try encoder.encode([Event(type: "tick", timestampMicros: TestBatch.now + 3 * day)])
        let frame = TestBatch.frame(1, count: 1, bytes, offset: -3 * day)
        #expect(TestBatch.checked(frame).verdicts.isEmpty)
        #expect(TestBatch.checked(frame, isImport: true).verdicts.map(\.code) == [.future])
        #expect(TestBatch.checked(frame, isImport: true).clockOffsetMicros == 0)
    }

    @Test func everyPrefixAndFlippedBitHasAnOutcome() throws {
        let bytes = try TestBatch.bytes(1, count: 3)
        for end in 0..<bytes.count {
            guard case .rejected = outcome(TestBatch.frame(1, count: 3, Array(bytes[..<end]))) else {
                Issue.record("a prefix of \(end) bytes was taken")
                continue
            }
        }
        for bit in 0..<(bytes.count * 8) {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            _ = outcome(TestBatch.frame(1, count: 3, damaged))
        }
    }
}
