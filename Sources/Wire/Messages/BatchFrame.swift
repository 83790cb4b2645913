import Bytes

/// BATCH: an envelope and the batch's own bytes, which stay where they were received.
public struct BatchFrame: Sendable {
    public var stream: UInt32
    /// The sequence of the first event.
    public var base: UInt64
    public var eventCount: UInt32
    public var rewinds: Bool
    /// µs to add to the sender's timestamps, summed over relays.
    public var clockOffsetMicros: Int64
    /// Reserved.
    public var privacyPolicy: UInt64
    private let storage: [UInt8]
    private let range: Range<Int>

    public init(
        stream: UInt32, base: UInt64, eventCount: UInt32, rewinds: Bool, clockOffsetMicros: Int64, batch: [UInt8]
    ) {
        self.stream = stream
        self.base = base
        self.eventCount = eventCount
        self.rewinds = rewinds
        self.clockOffsetMicros = clockOffsetMicros
        privacyPolicy = 0
        storage = batch
        range = 0..<batch.count
    }

    /// Copies the batch's bytes once if the payload lies in the reader's piece, and not at all if it was collected.
    public init(_ header: FrameHeader, _ payload: FramePayload, in piece: RawSpan) throws(WireError) {
        switch payload {
        case .inPiece(let range):
            let span = piece.extracting(range)
            let start = try Self.batchStart(span)
            let batch = span.copy(start..<span.byteCount)
            try self.init(header, envelope: span.extracting(2..<start), storage: batch, range: 0..<batch.count)
        case .collected(let bytes):
            let start = try Self.batchStart(bytes.rawSpan)
            let envelope = bytes.rawSpan.extracting(2..<start)
            try self.init(header, envelope: envelope, storage: bytes, range: start..<bytes.count)
        }
    }

    private init(
        _ header: FrameHeader, envelope: RawSpan, storage: [UInt8], range: Range<Int>
    ) throws(WireError) {
        guard header.base >= 1 else { throw .header(field: "base", value: header.base) }
        let count = UInt64(header.eventCount)
        guard count >= 1, count <= UInt64(Limits.batchEventsMax), header.base + count - 1 <= Limits.sequenceMax
        else { throw .header(field: "event count", value: count) }
        stream = header.stream
        base = header.base
        eventCount = header.eventCount
        rewinds = header.rewinds
        clockOffsetMicros = 0
        privacyPolicy = 0
        self.storage = storage
        self.range = range
        if !envelope.isEmpty {
            let fields = try Fields(envelope, of: .batch, known: [2, 4])
            clockOffsetMicros = try fields.int(2, ifAbsent: 0)
            privacyPolicy = try fields.uint(4, ifAbsent: 0)
        }
    }

    /// Where the batch's bytes begin: after the envelope and its size.
    private static func batchStart(_ payload: RawSpan) throws(WireError) -> Int {
        guard let envelopeBytes = try? payload.load(at: 0, as: UInt16.self),
            2 + Int(envelopeBytes) <= payload.byteCount
        else { throw .field(type: .batch, id: 0) }
        return 2 + Int(envelopeBytes)
    }

    /// The batch's own bytes.
    public var batch: RawSpan {
        @_lifetime(borrow self)
        borrowing get { storage.rawSpan.extracting(range) }
    }

    /// The size of the batch's own bytes.
    public var batchBytes: Int { range.count }

    /// XXH64 of the batch's own bytes. O(n).
    public var fingerprint: UInt64 { XXH64.hash(batch) }

    /// The whole frame; the batch's bytes are copied once.
    public func encoded() -> [UInt8] {
        var envelope = FieldWriter()
        if clockOffsetMicros != 0 { envelope.int(2, clockOffsetMicros) }
        if privacyPolicy != 0 { envelope.uint(4, privacyPolicy) }
        var start = ByteWriter()
        start.append(fixed: UInt16(envelope.writer.count))
        start.append(envelope.writer.bytes)
        var header = FrameHeader(
            type: .batch, stream: stream, base: base, eventCount: eventCount, rewinds: rewinds,
            payload: start.bytes.rawSpan)
        header.payloadBytes += UInt32(range.count)
        header.payloadChecksum = CRC32C.checksum(batch, continuing: header.payloadChecksum)
        var frame = ByteWriter(capacity: FrameHeader.byteCount + start.count + range.count)
        header.append(to: &frame)
        frame.append(start.bytes)
        frame.append(batch)
        return frame.bytes
    }
}

extension BatchFrame: Equatable {
    public static func == (left: BatchFrame, right: BatchFrame) -> Bool {
        left.stream == right.stream && left.base == right.base && left.eventCount == right.eventCount
            && left.rewinds == right.rewinds && left.clockOffsetMicros == right.clockOffsetMicros
            && left.privacyPolicy == right.privacyPolicy && left.batch.equals(right.batch)
    }
}
