import Bytes
import Events
import WAL

/// Reads and decodes the batches of records; keeps its buffers between calls.
final class BatchOpener {
    private var bodies = BodyReader()
    private var decoder = BatchDecoder()

    /// The bytes of entry `index`, their checksums verified.
    func body(_ index: Int, of record: Record) throws -> [UInt8] { try bodies.body(index, of: record) }

    /// The batch of entry `index`.
    func batch(_ index: Int, of record: Record) throws -> Batch {
        let bytes = try bodies.body(index, of: record)
        return try decoder.decode(bytes.rawSpan)
    }
}
