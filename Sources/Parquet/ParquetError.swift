/// Where in which file something was found.
public struct ParquetPlace: Sendable, Equatable, CustomStringConvertible {
    /// The path, or the name the caller gave to bytes in memory.
    public let file: String
    public var rowGroup: Int?
    public var column: String?
    /// Counts from the start of the file.
    public var byteOffset: Int

    init(_ file: String, rowGroup: Int? = nil, column: String? = nil, byteOffset: Int = 0) {
        self.file = file
        self.rowGroup = rowGroup
        self.column = column
        self.byteOffset = byteOffset
    }

    func at(_ byteOffset: Int) -> ParquetPlace {
        var place = self
        place.byteOffset = byteOffset
        return place
    }

    public var description: String {
        let group = rowGroup.map { ", row group \($0)" } ?? ""
        let name = column.map { ", column \($0)" } ?? ""
        return "\(file)\(group)\(name), byte \(byteOffset)"
    }
}

/// Why a Parquet file could not be read or written. Disk failures pass through as `FileError`.
public enum ParquetError: Error, Equatable, Sendable {
    /// The file does not begin and end as a Parquet file does.
    case notParquet(reason: String, at: ParquetPlace)
    /// The bytes break the format.
    case malformed(what: String, at: ParquetPlace)
    /// The file is (or may be) valid but uses what this reader leaves out.
    case unsupported(what: String, at: ParquetPlace)
    /// The pages are compressed by a codec other than ZSTD.
    case unsupportedCodec(name: String, at: ParquetPlace)
    /// A size the file states is more than this reader accepts, or what is to be written would be.
    case overLimit(what: String, value: Int, limit: Int, at: ParquetPlace)
    /// The stored bytes of a page are not those that were written.
    case checksumMismatch(stored: UInt32, computed: UInt32, at: ParquetPlace)
    /// zstd could not inflate a page.
    case decompressionFailed(reason: String, at: ParquetPlace)

    /// The schema given to a writer cannot be written.
    case invalidSchema(reason: String)
    /// The values given to a writer do not fit the schema or each other.
    case unfitValues(reason: String, at: ParquetPlace)
    /// A row group must have at least one row.
    case emptyRowGroup(at: ParquetPlace)
    /// zstd could not compress a page.
    case compressionFailed(reason: String, at: ParquetPlace)
}

extension ParquetError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notParquet(let reason, let place): "not a Parquet file: \(reason) (\(place))"
        case .malformed(let what, let place): "malformed Parquet: \(what) (\(place))"
        case .unsupported(let what, let place): "not supported: \(what) (\(place))"
        case .unsupportedCodec(let name, let place): "compression codec \(name) is not supported (\(place))"
        case .overLimit(let what, let value, let limit, let place):
            "\(what) \(value) is over the limit of \(limit) (\(place))"
        case .checksumMismatch(let stored, let computed, let place):
            "page checksum is \(computed), the header says \(stored) (\(place))"
        case .decompressionFailed(let reason, let place): "cannot inflate page: \(reason) (\(place))"
        case .invalidSchema(let reason): "invalid schema: \(reason)"
        case .unfitValues(let reason, let place): "values do not fit: \(reason) (\(place))"
        case .emptyRowGroup(let place): "a row group needs at least one row (\(place))"
        case .compressionFailed(let reason, let place): "cannot compress page: \(reason) (\(place))"
        }
    }
}
