import Events

/// A batch ready to be sent.
struct EncodedBatch: Sendable {
    let bytes: [UInt8]
    let eventCount: Int
}

/// Cuts a stream of events into encoded batches.
struct BatchCutter: ~Copyable {
    private let eventsMax: Int
    private var builder = BatchBuilder()
    private var encoder: BatchEncoder

    init(eventsMax: Int, codec: BatchEncoder.Codec = .zstd(level: 1)) {
        self.eventsMax = eventsMax
        encoder = BatchEncoder(codec: codec)
    }

    /// - Returns: a batch, when the event made one full.
    mutating func add(_ event: Event) throws -> EncodedBatch? {
        try builder.add(event)
        return builder.eventCount == eventsMax ? try cut() : nil
    }

    /// What is left; nil if nothing is.
    mutating func finish() throws -> EncodedBatch? {
        builder.eventCount == 0 ? nil : try cut()
    }

    private mutating func cut() throws -> EncodedBatch {
        let count = builder.eventCount
        let bytes = try encoder.encode(builder)
        builder.removeAll()
        return EncodedBatch(bytes: bytes, eventCount: count)
    }
}
