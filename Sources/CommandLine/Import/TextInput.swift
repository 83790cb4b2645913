import Files
import Gzip

/// The bytes of one input, whatever holds them: a file or standard input, plain or gzip, without a byte order mark.
final class TextInput {
    static let pieceBytes = 256 << 10
    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// The path, or `-`.
    let name: String
    /// Of the file as it lies on the disk; nil if nobody knows.
    let totalBytes: Int?
    /// Read so far, as it lies on the disk.
    private(set) var readBytes = 0
    private let readPiece: (Int) throws -> [UInt8]
    private var inflater: GzipInflater?
    private var hasBegun = false
    private var hasEnded = false

    /// - Parameter path: `-` for standard input.
    init(_ path: String, console: Console, disk: Disk) throws {
        name = path
        if path == "-" {
            totalBytes = nil
            readPiece = { _ in try console.readInput(Self.pieceBytes) }
        } else {
            let file = OpenFile(try File.open(path, .readOnly, disk: disk))
            totalBytes = try file.file.size()
            readPiece = { offset in try file.file.read(at: offset, count: Self.pieceBytes) }
        }
    }

    /// - Returns: the next bytes of the text; nil at the end.
    func next() throws -> [UInt8]? {
        guard hasBegun else {
            hasBegun = true
            return try first()
        }
        return try nextPiece()
    }

    private func first() throws -> [UInt8]? {
        var start = try read()
        while start.count < 2, !hasEnded { start += try read() }
        if GzipInflater.isGzip(start) {
            let inflater = GzipInflater()
            inflater.feed(start)
            self.inflater = inflater
            start = []
        }
        while start.count < Self.byteOrderMark.count, let more = try nextPiece() { start += more }
        if start.starts(with: Self.byteOrderMark) { start.removeFirst(Self.byteOrderMark.count) }
        return start.isEmpty ? try next() : start
    }

    private func nextPiece() throws -> [UInt8]? {
        guard let inflater else {
            let piece = try read()
            return piece.isEmpty ? nil : piece
        }
        while true {
            let piece: [UInt8]
            do throws(GzipError) { piece = try inflater.next() } catch {
                throw CommandError.unreadableInput(path: name, reason: error.description)
            }
            if !piece.isEmpty { return piece }
            let more = try read()
            if more.isEmpty {
                guard !inflater.isInsideMember else {
                    throw CommandError.unreadableInput(path: name, reason: "the gzip data ends too early")
                }
                return nil
            }
            inflater.feed(more)
        }
    }

    private func read() throws -> [UInt8] {
        let piece = try readPiece(readBytes)
        readBytes += piece.count
        if piece.isEmpty { hasEnded = true }
        return piece
    }

    /// A file is a noncopyable value; closures share it through this.
    private final class OpenFile {
        let file: File
        init(_ file: consuming File) { self.file = file }
    }
}
