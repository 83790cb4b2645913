import Bytes

/// Where a frame's payload lies.
public enum FramePayload: Equatable, Sendable {
    /// In the piece that was being read; not copied.
    case inPiece(Range<Int>)
    /// Collected from several pieces.
    case collected([UInt8])
}

/// One frame whose checksums hold.
public struct DecodedFrame: Equatable, Sendable {
    public var header: FrameHeader
    public var payload: FramePayload
}

/// Cuts a stream of pieces of any size into frames. protocol/frames.md §2.
///
/// A frame that lies wholly in one piece is not buffered; of the others each byte is copied once. Nothing is stored
/// for a payload before the header's checksum holds and its size is within the limit.
public struct FrameDecoder: Sendable {
    /// The limit in force; a larger payload throws.
    public var payloadBytesMax: Int
    /// Fewer than 32 bytes of a header.
    private var headerStart: [UInt8] = []
    /// The header whose payload is being collected.
    private var collecting: FrameHeader?
    private var collected = ByteWriter()

    public init(payloadBytesMax: Int = Limits.framePayloadBytesBeforeHelloMax) {
        self.payloadBytesMax = payloadBytesMax
    }

    /// Reads on at `offset` of `piece`, which is moved past what was taken.
    /// - Returns: nil when the piece is used up.
    /// - Throws: a `WireError`, after which nothing of the stream can be read.
    public mutating func next(_ piece: RawSpan, _ offset: inout Int) throws(WireError) -> DecodedFrame? {
        if let header = collecting { return try collect(header, piece, &offset) }
        guard let header = try readHeader(piece, &offset) else { return nil }
        let payloadBytes = Int(header.payloadBytes)
        if payloadBytes <= piece.byteCount - offset {
            let range = offset..<(offset + payloadBytes)
            offset += payloadBytes
            try check(header, piece.extracting(range))
            return DecodedFrame(header: header, payload: .inPiece(range))
        }
        collecting = header
        collected = ByteWriter(capacity: payloadBytes)
        return try collect(header, piece, &offset)
    }

    private mutating func readHeader(_ piece: RawSpan, _ offset: inout Int) throws(WireError) -> FrameHeader? {
        let available = piece.byteCount - offset
        if headerStart.isEmpty && available >= FrameHeader.byteCount {
            let header = try FrameHeader(piece, at: offset, payloadBytesMax: payloadBytesMax)
            offset += FrameHeader.byteCount
            return header
        }
        let taken = min(available, FrameHeader.byteCount - headerStart.count)
        headerStart += piece.copy(offset..<(offset + taken))
        offset += taken
        guard headerStart.count == FrameHeader.byteCount else { return nil }
        let header = try FrameHeader(headerStart.rawSpan, at: 0, payloadBytesMax: payloadBytesMax)
        headerStart = []
        return header
    }

    private mutating func collect(
        _ header: FrameHeader, _ piece: RawSpan, _ offset: inout Int
    ) throws(WireError) -> DecodedFrame? {
        let taken = min(piece.byteCount - offset, Int(header.payloadBytes) - collected.count)
        collected.append(piece.extracting(offset..<(offset + taken)))
        offset += taken
        guard collected.count == Int(header.payloadBytes) else { return nil }
        var payload = ByteWriter()
        swap(&payload, &collected)
        collecting = nil
        try check(header, payload.bytes.rawSpan)
        return DecodedFrame(header: header, payload: .collected(payload.bytes))
    }

    private func check(_ header: FrameHeader, _ payload: RawSpan) throws(WireError) {
        let actual = CRC32C.checksum(payload)
        guard actual == header.payloadChecksum else {
            throw .payloadChecksum(type: header.type, expected: header.payloadChecksum, actual: actual)
        }
    }
}
