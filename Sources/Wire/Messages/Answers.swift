import Bytes

/// Events of one code that were not stored.
public struct Verdict: Equatable, Sendable {
    public var sequence: UInt64
    public var count: UInt64
    public var code: VerdictCode

    public init(sequence: UInt64, count: UInt64, code: VerdictCode) {
        self.sequence = sequence
        self.count = count
        self.code = code
    }
}

/// ACK: everything up to `durable` is on disk or will never be. Cumulative for its stream.
public struct Acknowledgement: Equatable, Sendable {
    public var stream: UInt32
    public var durable: UInt64
    public var totals: SourceTotals
    /// What this commit did not store, ascending.
    public var verdicts: [Verdict]

    public init(stream: UInt32, durable: UInt64, totals: SourceTotals, verdicts: [Verdict]) {
        self.stream = stream
        self.durable = durable
        self.totals = totals
        self.verdicts = verdicts
    }

    public init(_ header: FrameHeader, _ payload: RawSpan) throws(WireError) {
        let type = FrameType.acknowledgement
        let fields = try Fields(payload, of: type, known: [1, 3], list: 3)
        stream = header.stream
        durable = header.base
        totals = try SourceTotals(try fields.varints(1, count: 5), durable: durable, type: type, id: 1)
        verdicts = []
        for value in fields.list(3) {
            let numbers = try fields.varints(value, of: 3, count: 3, trailing: 0)
            guard let code = VerdictCode(rawValue: numbers[2]), numbers[0] >= 1, numbers[1] >= 1,
                numbers[0] <= durable, numbers[1] <= durable - numbers[0] + 1
            else { throw .field(type: type, id: 3) }
            verdicts.append(Verdict(sequence: numbers[0], count: numbers[1], code: code))
        }
    }

    public func encoded() -> [UInt8] {
        var fields = FieldWriter()
        fields.varints(1, totals.values)
        for verdict in verdicts { fields.varints(3, [verdict.sequence, verdict.count, verdict.code.rawValue]) }
        return FrameHeader.frame(.acknowledgement, stream: stream, base: durable, fields)
    }
}

/// NACK: nothing from `expected` on was taken. The answer to an OPEN has `expected` 0.
public struct NegativeAcknowledgement: Equatable, Sendable {
    static let detailBytesMax = 256

    public var stream: UInt32
    public var expected: UInt64
    public var code: NackCode
    public var retry: RetryRule
    /// With `retry` `.after`: how long to wait.
    public var afterMilliseconds: UInt64
    public var detail: String

    public init(
        stream: UInt32, expected: UInt64, code: NackCode, retry: RetryRule, afterMilliseconds: UInt64 = 0,
        detail: String = ""
    ) {
        self.stream = stream
        self.expected = expected
        self.code = code
        self.retry = retry
        self.afterMilliseconds = afterMilliseconds
        self.detail = detail
    }

    public init(_ header: FrameHeader, _ payload: RawSpan) throws(WireError) {
        let fields = try Fields(payload, of: .negativeAcknowledgement, known: [1, 3, 5, 6])
        stream = header.stream
        expected = header.base
        code = try fields.code(1, NackCode.self)
        retry = try fields.code(3, RetryRule.self)
        afterMilliseconds = try fields.uint(5, ifAbsent: 0)
        detail = try fields.text(6, bytesMax: Self.detailBytesMax, ifAbsent: "")
    }

    public func encoded() -> [UInt8] {
        var fields = FieldWriter()
        fields.uint(1, code.rawValue)
        fields.uint(3, retry.rawValue)
        if retry == .after { fields.uint(5, afterMilliseconds) }
        if !detail.isEmpty { fields.text(6, detail.cut(toBytes: Self.detailBytesMax)) }
        return FrameHeader.frame(.negativeAcknowledgement, stream: stream, base: expected, fields)
    }
}

extension String {
    /// The longest prefix of whole characters within `bytesMax` bytes of UTF-8.
    func cut(toBytes bytesMax: Int) -> String {
        var cut = self
        while cut.utf8.count > bytesMax { cut.removeLast() }
        return cut
    }
}
