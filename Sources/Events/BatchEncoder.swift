import Bytes
import Zstd

/// Makes batches of builders: canonical bytes (protocol/batch.md §11). One thread at a time; reusable.
public struct BatchEncoder: ~Copyable {
    private let codec: Codec
    private var compressor: Compressor

    public enum Codec: Sendable, Equatable {
        case raw
        case zstd(level: Int32)
    }

    public init(codec: Codec) {
        self.codec = codec
        if case .zstd(let level) = codec {
            compressor = Compressor(level: level)
        } else {
            compressor = Compressor(level: 1)
        }
    }

    /// The whole batch, header included. The same events give the same bytes, whatever order their values stand in.
    /// - Parameter builder: holds at least one event; a precondition.
    public mutating func encode(_ builder: borrowing BatchBuilder) throws(BatchError) -> [UInt8] {
        precondition(builder.eventCount > 0, "a batch holds at least one event")
        let body = BodyEncoder.encode(builder)
        var writer = ByteWriter(capacity: BatchHeader.byteCount + body.count)
        let headerCodec: BatchHeader.Codec = codec == .raw ? .raw : .zstd
        BatchHeader(codec: headerCodec, eventCount: builder.eventCount, decodedByteCount: body.count).write(to: &writer)
        switch codec {
        case .raw:
            writer.append(body)
        case .zstd:
            do throws(ZstdError) {
                writer.append(try compressor.compress(body.rawSpan))
            } catch {
                throw .compression(error)
            }
        }
        return writer.bytes
    }

    /// One batch of `events`, which are not empty.
    public mutating func encode(_ events: [Event]) throws(BatchError) -> [UInt8] {
        var builder = BatchBuilder()
        for event in events { try builder.add(event) }
        return try encode(builder)
    }
}
