/// What a reader accepts of a file it did not write: sizes beyond these are refused before anything is allocated.
public enum ParquetLimits {
    public static let footerBytesMax = 64 << 20
    public static let columnsMax = 1 << 14
    public static let rowGroupsMax = 1 << 16
    public static let rowGroupRowsMax = 1 << 26
    /// Of one page, inflated.
    public static let pageBytesMax = 256 << 20
    /// Of one chunk, decoded.
    public static let chunkBytesMax = 1 << 31
    public static let pagesPerChunkMax = 1 << 20
    public static let fixedWidthMax = 1 << 16
    public static let keyValuesMax = 1 << 16
}
