import Bytes

/// OPEN: a source begins or goes on. protocol/frames.md §6.
public struct Open: Equatable, Sendable {
    public var stream: UInt32
    public var project: String
    public var source: SourceID
    public var kind: SourceKind
    /// The highest durable sequence the sender has heard of.
    public var acked: UInt64
    /// Sixteen bytes from the OPENED before; nil if there was none.
    public var lineageLastSeen: [UInt8]?

    public init(
        stream: UInt32, project: String, source: SourceID, kind: SourceKind, acked: UInt64, lineageLastSeen: [UInt8]?
    ) {
        self.stream = stream
        self.project = project
        self.source = source
        self.kind = kind
        self.acked = acked
        self.lineageLastSeen = lineageLastSeen
    }

    public init(_ header: FrameHeader, _ payload: RawSpan) throws(WireError) {
        let fields = try Fields(payload, of: .open, known: [1, 3, 5, 7, 8])
        stream = header.stream
        project = try fields.text(1, bytesMax: Limits.projectNameBytesMax)
        let bytes = try fields.bytes(3, count: SourceID.byteCount)
        guard let source = SourceID(bytes: bytes) else { throw .field(type: .open, id: 3) }
        self.source = source
        kind = try fields.code(5, SourceKind.self)
        acked = try fields.uint(7, limit: Limits.sequenceMax)
        lineageLastSeen = fields.has(8) ? try fields.bytes(8, count: Opened.lineageByteCount) : nil
    }

    public func encoded() -> [UInt8] {
        var fields = FieldWriter()
        fields.text(1, project)
        fields.bytes(3, source.bytes)
        fields.uint(5, kind.rawValue)
        fields.uint(7, acked)
        if let lineageLastSeen { fields.bytes(8, lineageLastSeen) }
        return FrameHeader.frame(.open, stream: stream, fields)
    }
}

extension SourceTotals {
    init(_ values: [UInt64], durable: UInt64, type: FrameType, id: UInt64) throws(WireError) {
        guard values.allSatisfy({ $0 <= Limits.sequenceMax }) else { throw .field(type: type, id: id) }
        self.init(
            unknownBefore: values[0], skipped: values[1], stored: values[2], rejected: values[3],
            quarantined: values[4])
        guard sum == durable else { throw .field(type: type, id: id) }
    }
}

/// What recognises a resent BATCH or SKIP.
public struct BatchFingerprint: Equatable, Hashable, Sendable {
    public var base: UInt64
    public var count: UInt64
    /// XXH64 of the batch bytes as received; 0 for a SKIP.
    public var fingerprint: UInt64

    public init(base: UInt64, count: UInt64, fingerprint: UInt64) {
        self.base = base
        self.count = count
        self.fingerprint = fingerprint
    }
}

/// OPENED: where the source stands, when everything accepted before is durable or failed.
public struct Opened: Equatable, Sendable {
    public static let lineageByteCount = 16

    public var stream: UInt32
    public var durable: UInt64
    /// Sixteen bytes that change when the server's log begins anew.
    public var lineage: [UInt8]
    public var totals: SourceTotals
    /// The remembered batches and skips in (acked, durable], ascending, at most 256.
    public var fingerprints: [BatchFingerprint]

    public init(
        stream: UInt32, durable: UInt64, lineage: [UInt8], totals: SourceTotals, fingerprints: [BatchFingerprint]
    ) {
        self.stream = stream
        self.durable = durable
        self.lineage = lineage
        self.totals = totals
        self.fingerprints = fingerprints
    }

    public init(_ header: FrameHeader, _ payload: RawSpan) throws(WireError) {
        let fields = try Fields(payload, of: .opened, known: [1, 3, 5], list: 5)
        stream = header.stream
        durable = header.base
        lineage = try fields.bytes(1, count: Self.lineageByteCount)
        totals = try SourceTotals(try fields.varints(3, count: 5), durable: durable, type: .opened, id: 3)
        fingerprints = []
        let list = fields.list(5)
        guard list.count <= Limits.unackedBatchesPerStreamMax else { throw .field(type: .opened, id: 5) }
        for value in list {
            let numbers = try fields.varints(value, of: 5, count: 2, trailing: 8)
            guard numbers[0] <= Limits.sequenceMax, numbers[1] <= Limits.sequenceMax,
                let fingerprint = try? value.rawSpan.load(at: value.count - 8, as: UInt64.self)
            else { throw .field(type: .opened, id: 5) }
            fingerprints.append(BatchFingerprint(base: numbers[0], count: numbers[1], fingerprint: fingerprint))
        }
    }

    public func encoded() -> [UInt8] {
        var fields = FieldWriter()
        fields.bytes(1, lineage)
        fields.varints(3, totals.values)
        for batch in fingerprints {
            var value = ByteWriter()
            value.append(varint: batch.base)
            value.append(varint: batch.count)
            value.append(fixed: batch.fingerprint)
            fields.bytes(5, value.bytes)
        }
        return FrameHeader.frame(.opened, stream: stream, base: durable, fields)
    }
}

/// SKIP: sequences that will never come in a batch.
public struct Skip: Equatable, Sendable {
    public var stream: UInt32
    public var base: UInt64
    public var count: UInt64
    public var reason: SkipReason
    public var rewinds: Bool

    public init(stream: UInt32, base: UInt64, count: UInt64, reason: SkipReason, rewinds: Bool) {
        self.stream = stream
        self.base = base
        self.count = count
        self.reason = reason
        self.rewinds = rewinds
    }

    public init(_ header: FrameHeader, _ payload: RawSpan) throws(WireError) {
        let fields = try Fields(payload, of: .skip, known: [1, 3])
        stream = header.stream
        base = header.base
        rewinds = header.rewinds
        reason = try fields.code(1, SkipReason.self)
        count = try fields.uint(3, limit: Limits.sequenceMax)
        guard base >= 1 else { throw .header(field: "base", value: base) }
        guard count >= 1, base + count - 1 <= Limits.sequenceMax else { throw .field(type: .skip, id: 3) }
    }

    public func encoded() -> [UInt8] {
        var fields = FieldWriter()
        fields.uint(1, reason.rawValue)
        fields.uint(3, count)
        let payload = fields.writer.bytes.rawSpan
        return FrameHeader(type: .skip, stream: stream, base: base, rewinds: rewinds, payload: payload)
            .encoded(before: payload)
    }
}

/// CLOSE: the sender needs the stream no more.
public struct Close: Equatable, Sendable {
    public var stream: UInt32
    /// The highest durable sequence the sender has heard of.
    public var acked: UInt64
    /// Whether the source will never be opened again.
    public var final: Bool

    public init(stream: UInt32, acked: UInt64, final: Bool) {
        self.stream = stream
        self.acked = acked
        self.final = final
    }

    public init(_ header: FrameHeader, _ payload: RawSpan) throws(WireError) {
        let fields = try Fields(payload, of: .close, known: [1, 3])
        stream = header.stream
        acked = try fields.uint(1, limit: Limits.sequenceMax)
        final = try fields.uint(3, limit: 1) == 1
    }

    public func encoded() -> [UInt8] {
        var fields = FieldWriter()
        fields.uint(1, acked)
        fields.uint(3, final ? 1 : 0)
        return FrameHeader.frame(.close, stream: stream, fields)
    }
}
