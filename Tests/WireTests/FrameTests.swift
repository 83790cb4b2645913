import Bytes
import TestSupport
import Testing

@testable import Wire

@Suite struct FrameTests {
    static let messages = FrameVectors.messages()

    @Test(arguments: messages) func everyMessageSurvivesTheRoundTrip(name: String, message: Message) throws {
        #expect(try decodeAll(message.encoded(), pieceBytes: .max) == [message])
    }

    @Test(arguments: [1, 2, 3, 7, 31, 32, 33, 100, 1 << 20])
    func piecesOfAnySizeGiveTheSameFrames(pieceBytes: Int) throws {
        let all = Self.messages.map { $0.1 }
        let bytes = all.flatMap { $0.encoded() }
        #expect(try decodeAll(bytes, pieceBytes: pieceBytes) == all)
    }

    @Test func aFrameWhollyInOnePieceIsNotCollected() throws {
        let bytes = Ping(number: 1, clockMicros: 2).encoded() + Ping(number: 2, clockMicros: 3).encoded()
        var decoder = FrameDecoder()
        var offset = 0
        for number in 1...2 {
            let frame = try decoder.next(bytes.rawSpan, &offset)
            let payload = try #require(frame).payload
            guard case .inPiece = payload else { Issue.record("collected frame \(number)"); return }
        }
        let rest = try decoder.next(bytes.rawSpan, &offset)
        #expect(rest == nil && offset == bytes.count)
    }

    @Test func noPrefixYieldsAFrameOrTraps() throws {
        for (_, message) in Self.messages {
            let bytes = message.encoded()
            for end in 0..<bytes.count {
                #expect(try decodeAll(Array(bytes[0..<end]), pieceBytes: 64).isEmpty)
            }
        }
    }

    @Test func everyFlippedBitOfAFrameIsNoticed() {
        for (name, message) in Self.messages {
            let bytes = message.encoded()
            for bit in 0..<(bytes.count * 8) {
                var flipped = bytes
                flipped[bit / 8] ^= 1 << UInt8(bit % 8)
                #expect(throws: WireError.self, "\(name) bit \(bit)") { try decodeAll(flipped, pieceBytes: .max) }
            }
        }
    }

    /// The checksums hold, so the fields themselves are read.
    @Test func everyFlippedBitOrPrefixOfAPayloadIsReadOrRefusedButNeverTraps() throws {
        for (_, message) in Self.messages {
            let frame = message.encoded()
            let payload = Array(frame[32...])
            var variants: [[UInt8]] = (0..<payload.count).map { Array(payload[0..<$0]) }
            for bit in 0..<(payload.count * 8) {
                var flipped = payload
                flipped[bit / 8] ^= 1 << UInt8(bit % 8)
                variants.append(flipped)
            }
            for variant in variants { _ = try? decodeAll(sealed(frame, variant), pieceBytes: .max) }
        }
    }

    @Test(arguments: UInt64(1)...200) func randomFieldsNeverTrap(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for type in FrameType.allCases {
            let payload = random.bytes(Int.random(in: 0..<40, using: &random)).map { $0 % 12 }
            var header = FrameHeader(type: type, stream: type.isOfStream ? 1 : 0, payload: payload.rawSpan)
            if type == .batch { header.eventCount = 3 }
            if type.usesBase { header.base = 5 }
            _ = try? decodeAll(header.encoded(before: payload.rawSpan), pieceBytes: .max)
        }
    }

    @Test func nothingIsBelievedBeforeTheHeaderChecksumHolds() {
        var bytes = Ping(number: 1, clockMicros: 2).encoded()
        bytes[3] = 0xFF  // a payload of 4 GB
        #expect { try decodeAll(bytes, pieceBytes: .max) } throws: { error in
            if case .headerChecksum = error as? WireError { true } else { false }
        }
    }

    @Test func aPayloadOverTheLimitInForceIsRefusedBeforeItsBytesCome() {
        let payload = [UInt8](repeating: 0, count: 4097)
        let header = Array(FrameHeader(type: .ping, payload: payload.rawSpan).encoded(before: payload.rawSpan)[0..<32])
        #expect(throws: WireError.payloadTooBig(bytes: 4097, limit: 4096)) {
            try decodeAll(header, pieceBytes: .max, payloadBytesMax: 4096)
        }
    }

    @Test func theServerPicksTheVersionOrAnswersItsOwnRange() {
        #expect(Preamble(lowestVersion: 0, highestVersion: 7, code: 0).answer() == .ours)
        let answer = Preamble(lowestVersion: 1, highestVersion: 7, code: 0).answer()
        #expect(answer == Preamble(lowestVersion: 0, highestVersion: 0, code: 128))
        #expect(throws: WireError.magic) { try Preamble(Array("GET / HT".utf8)) }
    }

    private func sealed(_ frame: [UInt8], _ payload: [UInt8]) throws -> [UInt8] {
        var header = try FrameHeader(frame.rawSpan, at: 0, payloadBytesMax: .max)
        header.payloadBytes = UInt32(payload.count)
        header.payloadChecksum = CRC32C.checksum(payload)
        return header.encoded(before: payload.rawSpan)
    }
}

/// Feeds `bytes` in pieces and decodes every frame.
func decodeAll(
    _ bytes: [UInt8], pieceBytes: Int, payloadBytesMax: Int = Limits.frameBytesMax
) throws -> [Message] {
    var decoder = FrameDecoder(payloadBytesMax: payloadBytesMax)
    var messages: [Message] = []
    var start = 0
    while start < bytes.count {
        let piece = Array(bytes[start..<(start + min(pieceBytes, bytes.count - start))])
        start += piece.count
        var offset = 0
        while let frame = try decoder.next(piece.rawSpan, &offset) {
            if let message = try Message(frame, in: piece.rawSpan) { messages.append(message) }
        }
    }
    return messages
}
