import Bytes
import Files

/// Reads a log that somebody else may be writing: what is durable, and nothing else.
///
/// Keeps its segments mapped between calls, so following the tail costs only what is new. One thread at a time.
package final class LogReader {
    package let folder: String
    private let disk: Disk
    private var segments: [SegmentReader] = []
    /// Where the next sequential read goes on, so that following costs no search.
    private var cursor: (sequence: UInt64, segment: UInt64, byteOffset: Int)?
    /// By segment, about every 64th record that was passed: where a read that goes back begins.
    private var places: [UInt64: [(sequence: UInt64, byteOffset: Int)]] = [:]

    package init(folder: String, disk: Disk) {
        self.folder = folder
        self.disk = disk
    }

    /// Reads the durable mark and sees that every segment up to it is open.
    /// - Returns: nil if there is no log yet.
    /// - Throws: `.unstable` if the segments do not reach from the oldest to the mark, or there are segments without a
    ///   readable mark, as between a power cut and the collector's next start: what is durable is not known then.
    package func refresh() throws -> DurableMark? {
        for _ in 0..<20 {
            guard let mark = try DurableMark.read(in: folder, disk: disk) else {
                guard disk.exists(folder), !Self.segmentNumbers(try disk.list(folder)).isEmpty else { return nil }
                continue
            }
            if mark.lineage != lineage { forget() }
            if segments.last?.header.number == mark.segment { return mark }
            do {
                let numbers = Self.segmentNumbers(try disk.list(folder)).filter { $0 <= mark.segment }
                segments = try Self.openChain(folder: folder, numbers: numbers, disk: disk, keeping: segments)
                places = places.filter { place in segments.contains { $0.header.number == place.key } }
                if segments.last?.header.number == mark.segment { return mark }
            } catch WALError.file(let error) where error.isNotFound {
                continue  // freed between the listing and the opening: list again
            } catch WALError.brokenChain {
                continue  // freed while the folder was being listed
            }
        }
        throw WALError.unstable(path: folder)
    }

    /// The life of the log that is open; nil if none is.
    package var lineage: UUID16? { segments.last?.header.lineage }

    /// Another log has taken this one's place: nothing of it may be used for the other.
    private func forget() {
        segments = []
        cursor = nil
        places = [:]
    }

    /// The record before the oldest that is still here: everything up to it is in the tables.
    package var firstAvailable: UInt64 { (segments.first?.header.previousLastRecord ?? 0) + 1 }

    /// Calls `body` with each record after `after`, through `through`, which must not be beyond the mark.
    /// - Throws: `.recordsLost` if they are not all there; `.corruptRecord` where one does not hold.
    package func forEachRecord(after: UInt64, through: UInt64, _ body: (Record) throws -> Void) throws {
        guard after < through else { return }
        var next = max(after + 1, firstAvailable)
        for (index, segment) in segments.enumerated() {
            let last = index + 1 < segments.count ? segments[index + 1].header.previousLastRecord : UInt64.max
            guard next <= min(last, through), segment.header.previousLastRecord < last else { continue }
            try forEachRecord(in: segment, from: &next, through: min(last, through), body)
        }
        guard next > through else {
            throw WALError.recordsLost(path: folder, lastFound: next - 1, lastDurable: through)
        }
    }

    private func forEachRecord(
        in segment: SegmentReader, from next: inout UInt64, through: UInt64, _ body: (Record) throws -> Void
    ) throws {
        let number = segment.header.number
        var offset = places[number]?.last { $0.sequence <= next }?.byteOffset ?? SegmentHeader.byteCount
        if let cursor, cursor.segment == number, cursor.sequence <= next { offset = max(offset, cursor.byteOffset) }
        while next <= through {
            switch segment.find(at: offset) {
            case .record(let record):
                offset = record.end
                if record.sequence >= (places[number]?.last?.sequence ?? 0) + 64 {
                    places[number, default: []].append((record.sequence, record.byteOffset))
                }
                guard record.sequence >= next else { continue }
                guard record.sequence == next else { return }
                try body(record)
                next += 1
                cursor = (next, number, offset)
            case .bad(let byteOffset, let reason):
                throw WALError.corruptRecord(path: segment.path, byteOffset: byteOffset, reason: reason)
            case .footer, .end:
                return
            }
        }
    }

    // MARK: Folders of segments

    static func segmentNumbers(_ names: [String]) -> [UInt64] {
        names.compactMap { name in
            name.hasSuffix(".wal") && name.utf8.count == 20 ? UInt64(name.prefix(16), radix: 16) : nil
        }.sorted()
    }

    /// Opens the segments of those numbers and checks that each follows the one before.
    static func openChain(
        folder: String, numbers: [UInt64], disk: Disk, keeping open: [SegmentReader] = []
    ) throws -> [SegmentReader] {
        var segments: [SegmentReader] = []
        for number in numbers {
            let path = folder + "/" + SegmentHeader.fileName(number)
            let segment = try open.first { $0.header.number == number } ?? SegmentReader(path: path, disk: disk)
            if let previous = segments.last?.header {
                guard number == previous.number + 1, segment.header.previousUUID == previous.uuid,
                    segment.header.lineage == previous.lineage,
                    segment.header.previousLastRecord >= previous.previousLastRecord
                else { throw WALError.brokenChain(path: path, reason: "does not follow segment \(previous.number)") }
            }
            segments.append(segment)
        }
        return segments
    }

    /// The sources that a segment starts from.
    static func checkpoint(of header: SegmentHeader, folder: String, disk: Disk) throws -> [UInt8] {
        let path = folder + "/" + SegmentHeader.checkpointName(header.number)
        do {
            let bytes = try disk.contents(path)
            guard XXH64.hash(bytes) == header.checkpointHash else {
                throw WALError.corruptCheckpoint(path: path, reason: "does not match the segment's header")
            }
            return bytes
        } catch let error as FileError where error.isNotFound {
            throw WALError.corruptCheckpoint(path: path, reason: "missing")
        }
    }

    /// Opens every segment of a folder for a tool, whatever the mark says.
    package static func segments(folder: String, disk: Disk) throws -> [SegmentReader] {
        try segmentNumbers(try disk.list(folder)).map {
            try SegmentReader(path: folder + "/" + SegmentHeader.fileName($0), disk: disk)
        }
    }
}
