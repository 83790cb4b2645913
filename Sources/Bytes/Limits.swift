/// Every maximum of the formats, in one table. What a daemon allows may be less, never more.
public enum Limits {
    // The wire: protocol/frames.md §8.
    public static let frameBytesMax = 16 << 20
    public static let framePayloadBytesBeforeHelloMax = 4 << 10
    public static let tokenBytesMax = 256
    public static let unackedBatchesPerStreamMax = 256
    public static let streamsPerConnectionMax = 4096
    public static let sequenceMax: UInt64 = (1 << 48) - 1

    // The batch: protocol/batch.md §8.
    public static let batchEventsMax = 1 << 16
    public static let batchDecodedBytesMax = 16 << 20
    public static let batchStringsMax = 1 << 18
    public static let batchColumnsMax = 1024
    public static let eventTypeBytesMax = 200
    public static let propertyNameBytesMax = 255
    public static let identifierBytesMax = 512
    public static let stringBytesMax = 1 << 20
    /// Of the values of one event, and of all of a batch, spelled out: protocol/batch.md §6.
    public static let eventValueBytesMax = 4 << 20
    public static let batchValueBytesMax = 64 << 20

    // The log: protocol/wal.md §11.
    public static let recordEventsMax = 1 << 20
    public static let recordBytesMax = 64 << 20
    public static let packBytesMax = 64 << 10

    // The table: protocol/table.md §1 and §4.
    public static let rowGroupRowsMax = 122_880
    public static let projectNameBytesMax = 63
}
