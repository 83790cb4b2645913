import Files

/// A file that is written from its beginning to its end, through a buffer.
final class OutputFile {
    private static let bufferBytes = 256 << 10

    private let file: File
    private var buffer: [UInt8] = []
    private var byteOffset = 0

    /// Replaces what bears the name.
    init(_ path: String, disk: Disk) throws(FileError) {
        file = try File.open(path, .createOrTruncate(0o644), disk: disk)
    }

    func append(_ bytes: [UInt8]) throws(FileError) {
        buffer += bytes
        if buffer.count >= Self.bufferBytes { try flush() }
    }

    /// Must be called at the end: what waits is lost otherwise.
    func flush() throws(FileError) {
        try file.write(buffer, at: byteOffset)
        byteOffset += buffer.count
        buffer.removeAll(keepingCapacity: true)
    }
}
