import Bytes

/// The files of protocol/vectors/frames/: every message once, and frames that must be refused.
///
/// `<name>.bin` holds the bytes, `<name>.json` says what they mean. Servers and clients test against the same files.
public enum FrameVectors {
    public struct Vector: Sendable {
        public var name: String
        public var bytes: [UInt8]
        /// One object on several lines, with a line feed at the end.
        public var json: String
    }

    public static func all() -> [Vector] {
        preambles() + messages().map { good($0.0, $0.1) } + bad()
    }

    private static let source = Array<UInt8>(0x10...0x19)
    private static let lineage = Array<UInt8>(0xA0...0xAF)

    /// Every type of message, with the name of its file.
    static func messages() -> [(String, Message)] {
        guard let source = SourceID(bytes: source) else { preconditionFailure("a source is ten bytes") }
        let totals = SourceTotals(unknownBefore: 0, skipped: 3, stored: 290, rejected: 5, quarantined: 2)
        return [
            ("hello", .hello(Hello(token: "tm_ingest_0123456789", sdkName: "python", sdkVersion: "0.1.0",
                features: 0, clockMicros: 1_700_000_000_000_000))),
            ("hello_ack", .helloAcknowledgement(HelloAcknowledgement(role: .ingest, project: "shop",
                limits: ConnectionLimits(), clockMicros: 1_700_000_000_000_500, features: 0))),
            ("open_first", .open(Open(stream: 1, project: "shop", source: source, kind: .live, acked: 0,
                lineageLastSeen: nil))),
            ("open_again", .open(Open(stream: 2, project: "shop", source: source, kind: .backfill, acked: 250,
                lineageLastSeen: lineage))),
            ("opened", .opened(Opened(stream: 2, durable: 300, lineage: lineage, totals: totals, fingerprints: [
                BatchFingerprint(base: 251, count: 20, fingerprint: 0x0123_4567_89AB_CDEF),
                BatchFingerprint(base: 271, count: 30, fingerprint: 0)]))),
            ("batch", .batch(BatchFrame(stream: 1, base: 1, eventCount: 2, rewinds: false, clockOffsetMicros: 0,
                batch: Array("not a real batch".utf8)))),
            ("batch_rewind_offset", .batch(BatchFrame(stream: 1, base: Limits.sequenceMax - 1, eventCount: 2,
                rewinds: true, clockOffsetMicros: -3_600_000_000, batch: Array("another".utf8)))),
            ("ack", .acknowledgement(Acknowledgement(stream: 1, durable: 300, totals: totals, verdicts: [
                Verdict(sequence: 281, count: 3, code: .schema), Verdict(sequence: 290, count: 2, code: .expired)]))),
            ("nack_gap", .negativeAcknowledgement(NegativeAcknowledgement(stream: 1, expected: 301,
                code: .sequenceGap, retry: .now))),
            ("nack_storage", .negativeAcknowledgement(NegativeAcknowledgement(stream: 1, expected: 301,
                code: .storage, retry: .after, afterMilliseconds: 1500, detail: "disk: input/output error"))),
            ("skip", .skip(Skip(stream: 1, base: 301, count: 7, reason: .droppedBySender, rewinds: false))),
            ("close", .close(Close(stream: 1, acked: 307, final: true))),
            ("goaway", .goAway(GoAway(reason: .draining, reconnectAfterMilliseconds: 2000))),
            ("error", .error(ErrorMessage(code: .authentication, detail: "unknown token"))),
            ("admin", .admin(AdminRequest(number: 7, verb: "publish", argument: #"{"project":"shop"}"#))),
            ("admin_reply", .adminReply(AdminReply(number: 7, status: .done, result: #"{"version":12}"#))),
            ("ping", .ping(Ping(number: 9, clockMicros: 1_700_000_030_000_000))),
            ("pong", .pong(Pong(number: 9, clockMicros: 1_700_000_030_000_400))),
        ]
    }

    private static func preambles() -> [Vector] {
        let refusal = Preamble(lowestVersion: 0, highestVersion: 0, code: UInt16(ErrorCode.version.rawValue))
        return [("preamble", Preamble.ours), ("preamble_refusal", refusal)].map { name, preamble in
            let json = JSONText.object([
                ("type", .text("PREAMBLE")), ("lowest_version", .number(UInt64(preamble.lowestVersion))),
                ("highest_version", .number(UInt64(preamble.highestVersion))),
                ("code", .number(UInt64(preamble.code))),
            ])
            return Vector(name: name, bytes: preamble.encoded(), json: json.lines() + "\n")
        }
    }

    private static func good(_ name: String, _ message: Message) -> Vector {
        let bytes = message.encoded()
        let header: FrameHeader
        do {
            header = try FrameHeader(bytes.rawSpan, at: 0, payloadBytesMax: Limits.frameBytesMax)
        } catch {
            preconditionFailure("our own frame: \(error)")
        }
        let type = FrameType(rawValue: header.type)
        let json = JSONText.object([
            ("type", .text(type?.name ?? "")), ("stream", .number(UInt64(header.stream))),
            ("base", .number(header.base)), ("event_count", .number(UInt64(header.eventCount))),
            ("rewind", .bool(header.rewinds)), ("fields", message.json),
        ])
        return Vector(name: name, bytes: bytes, json: json.lines() + "\n")
    }

    private static func bad() -> [Vector] {
        let ping = Ping(number: 9, clockMicros: 5).encoded()
        func frame(_ type: UInt8, _ payload: [UInt8], _ change: (inout FrameHeader) -> Void = { _ in }) -> [UInt8] {
            var header = FrameHeader(type: .ping, payload: payload.rawSpan)
            header.type = type
            change(&header)
            return header.encoded(before: payload.rawSpan)
        }
        func flipped(_ index: Int) -> [UInt8] {
            var bytes = ping
            bytes[index] ^= 1
            return bytes
        }
        let cases: [(String, ErrorCode, [UInt8])] = [
            ("bad_header_checksum", .checksum, flipped(16)),
            ("bad_payload_checksum", .checksum, flipped(ping.count - 1)),
            ("bad_unknown_odd_type", .protocolViolation, frame(29, [])),
            ("bad_unknown_odd_field", .protocolViolation, frame(2, [3, 1, 0])),
            ("bad_field_order", .protocolViolation, frame(21, [2, 1, 0, 1, 1, 1])),
            ("bad_field_twice", .protocolViolation, frame(2, [2, 1, 0, 2, 1, 0])),
            ("bad_field_cut_short", .protocolViolation, frame(2, [2, 9, 0])),
            ("bad_uint_leaves_rest", .protocolViolation, frame(2, [2, 2, 0, 0])),
            ("bad_missing_field", .protocolViolation, frame(23, [])),
            ("bad_base", .protocolViolation, frame(2, []) { $0.base = 1 << 48 }),
            ("bad_stream", .protocolViolation, frame(2, []) { $0.stream = 1 }),
            ("bad_flags", .protocolViolation, frame(2, []) { $0.rewinds = true }),
            ("bad_frame_too_big", .frameTooBig, frame(2, []) { $0.payloadBytes = (16 << 20) + 1 }),
        ]
        return cases.map { name, code, bytes in
            let json = JSONText.object([
                ("error", .text(code.name)), ("payload_bytes_max", .number(UInt64(Limits.frameBytesMax))),
            ])
            return Vector(name: name, bytes: bytes, json: json.lines() + "\n")
        } + [skipped(frame(200, [1, 2, 3])), skippedField(frame(2, [2, 1, 10, 100, 1, 7]))]
    }

    /// An unknown even type: not an error, and nothing comes of it.
    private static func skipped(_ bytes: [UInt8]) -> Vector {
        let json = JSONText.object([("skipped", .bool(true))])
        return Vector(name: "unknown_even_type", bytes: bytes, json: json.lines() + "\n")
    }

    /// An unknown even field is passed over.
    private static func skippedField(_ bytes: [UInt8]) -> Vector {
        var vector = good("unknown_even_field", .ping(Ping(number: 0, clockMicros: 5)))
        vector.bytes = bytes
        return vector
    }
}

extension ErrorCode {
    /// The name in protocol/frames.md §7.
    public var name: String {
        switch self {
        case .version: "VERSION"
        case .authentication: "AUTHENTICATION"
        case .protocolViolation: "PROTOCOL"
        case .frameTooBig: "FRAME_TOO_BIG"
        case .checksum: "CHECKSUM"
        case .timeout: "TIMEOUT"
        case .overloaded: "OVERLOADED"
        case .internalFailure: "INTERNAL"
        }
    }
}
