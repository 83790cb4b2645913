import Config
import Files
import WAL

/// The segments that a `wal` command looks at: those of a data folder, of a log's folder, or one lone file. Read only.
struct LogFiles {
    /// A segment and how much of it counts.
    struct Part {
        let segment: SegmentReader
        /// Records with a greater sequence do not count: they are not durable, or the next segment begins before them.
        let lastSequence: UInt64
        /// Whether another segment follows.
        let isFollowed: Bool
    }

    static let positional = CommandSyntax.Positional("folder or segment", .zeroOrOne)

    /// nil for a lone file.
    let folder: String?
    /// nil for a lone file, or if there is none or it does not hold.
    let mark: DurableMark?
    let parts: [Part]
    /// Files named like segments that are none.
    let broken: [WALError]

    /// - Parameter path: a data folder, a log's folder or a segment.
    init(_ path: String, disk: Disk) throws {
        if path.hasSuffix(".wal") {
            self = try Self(lone: path, disk: disk)
            return
        }
        let folder = disk.exists(path + "/wal") ? path + "/wal" : path
        for _ in 0..<20 {
            do {
                self = try Self(folder: folder, disk: disk)
                return
            } catch WALError.file(let error) where error.isNotFound && disk.exists(folder) {
                continue  // a segment was freed after the listing
            }
        }
        throw WALError.unstable(path: folder)
    }

    private init(lone path: String, disk: Disk) throws {
        folder = nil
        mark = nil
        (parts, broken) = try Self.open([path], mark: nil, disk: disk)
    }

    private init(folder: String, disk: Disk) throws {
        guard disk.exists(folder) else {
            throw CommandError.nothingThere(path: folder, expected: "no such folder")
        }
        // The mark first: segments that come later hold nothing that is durable by it.
        mark = try DurableMark.read(in: folder, disk: disk)
        let names = try disk.list(folder).filter { $0.hasSuffix(".wal") }
        guard !names.isEmpty else {
            throw CommandError.nothingThere(path: folder, expected: "no segments of a log in this folder")
        }
        self.folder = folder
        (parts, broken) = try Self.open(names.map { folder + "/" + $0 }, mark: mark, disk: disk)
    }

    private static func open(
        _ paths: [String], mark: DurableMark?, disk: Disk
    ) throws -> (parts: [Part], broken: [WALError]) {
        var segments: [SegmentReader] = []
        var broken: [WALError] = []
        for path in paths {
            do throws(WALError) { segments.append(try SegmentReader(path: path, disk: disk)) } catch {
                guard case .notASegment = error else { throw error }
                broken.append(error)
            }
        }
        let durable = mark?.sequence ?? .max
        let parts = segments.enumerated().map { index, segment in
            let next = index + 1 < segments.count ? segments[index + 1].header : nil
            return Part(
                segment: segment, lastSequence: min(durable, next?.previousLastRecord ?? .max), isFollowed: next != nil)
        }
        return (parts, broken)
    }
}

extension LogFiles.Part {
    /// Where the records that count end, and what stands there.
    enum End {
        case sealed(SegmentSummary, byteOffset: Int)
        /// Nothing more was written.
        case open(byteOffset: Int)
        /// A record that does not count.
        case beyond(byteOffset: Int)
        case bad(byteOffset: Int, reason: String)

        var byteOffset: Int {
            switch self {
            case .sealed(_, let byteOffset), .open(let byteOffset), .beyond(let byteOffset), .bad(let byteOffset, _):
                byteOffset
            }
        }
    }

    /// Calls `body` with every record that counts, in order.
    func forEachRecord(_ body: (Record) throws -> Void) rethrows -> End {
        var offset = SegmentHeader.byteCount
        while true {
            switch segment.find(at: offset) {
            case .record(let record):
                guard record.sequence <= lastSequence else { return .beyond(byteOffset: offset) }
                try body(record)
                offset = record.end
            case .footer(let summary, let byteOffset): return .sealed(summary, byteOffset: byteOffset)
            case .end(let byteOffset): return .open(byteOffset: byteOffset)
            case .bad(let byteOffset, let reason): return .bad(byteOffset: byteOffset, reason: reason)
            }
        }
    }

    /// The file's name without its folder.
    var name: String { String(segment.path.split(separator: "/").last ?? "") }
}
