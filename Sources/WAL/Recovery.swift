import Bytes
import Files

/// What opening a log found and did.
package struct RecoveryReport: Equatable, Sendable {
    /// The log did not exist, or held nothing.
    package var isNew = false
    /// The last stop was not clean.
    package var wasUnclean = false
    /// Intact records beyond the durable mark that were copied and synced.
    package var recordsCopied = 0
    /// Bytes of a torn end that were cut and kept aside.
    package var tornBytes = 0
    package var tornPath: String?
}

extension LogWriter {
    /// Opens the log in `folder`, recovering what an unclean stop left: protocol/wal.md §9.
    ///
    /// - Parameters:
    ///   - state: follows every record since the last checkpoint, in order.
    ///   - highestPublished: the highest record that any table says it holds. A new log starts far above it, so that no
    ///     position is used twice.
    /// - Complexity: O(bytes of the log): footers are not trusted, every record's checksums are.
    package static func open(
        folder: String, options: Options, disk: Disk, state: SourceState, highestPublished: UInt64, nowMicros: Int64
    ) throws -> (LogWriter, RecoveryReport) {
        try disk.makeFolder(folder, mode: 0o700)
        let names = try disk.list(folder)
        let numbers = LogReader.segmentNumbers(names)
        let checkpoints = Set(numbers.map(SegmentHeader.checkpointName))
        // Unfinished files, and checkpoints whose segment was freed by a daemon that died between the two.
        for name in names where name.hasSuffix(".tmp") || name.hasSuffix(".sources") && !checkpoints.contains(name) {
            try disk.unlink(folder + "/" + name)
        }
        guard !numbers.isEmpty else {
            return try create(folder, options, disk, state, highestPublished, nowMicros)
        }
        let mark = try DurableMark.read(in: folder, disk: disk)
        let segments = try LogReader.openChain(folder: folder, numbers: numbers, disk: disk)
        let recovery = Recovery(
            folder: folder, options: options, disk: disk, state: state, segments: segments, mark: mark,
            highestPublished: highestPublished)
        return try recovery.run(nowMicros: nowMicros)
    }

    private static func create(
        _ folder: String, _ options: Options, _ disk: Disk, _ state: SourceState, _ highestPublished: UInt64,
        _ nowMicros: Int64
    ) throws -> (LogWriter, RecoveryReport) {
        var random = SystemRandomNumberGenerator()
        let start = highestPublished == 0 ? 0 : highestPublished + (1 << 32)
        let writer = try LogWriter(
            folder: folder, lineage: .random(using: &random), lastSequence: start, lastCommitMicros: nowMicros,
            options: options, disk: disk, state: state, sealed: [], previous: nil)
        try writer.startSegment(atLeast: 0, createdMicros: nowMicros, records: [])
        try writer.adopt(lastSequence: start, commitMicros: nowMicros)
        return (writer, RecoveryReport(isNew: true))
    }
}

/// One recovery. Crash story: it only ever adds files, and the successor exists from its rename on; before that a
/// crash leaves a `.tmp` and the next start does the same again from the same bytes.
private struct Recovery {
    let folder: String
    let options: LogWriter.Options
    let disk: Disk
    let state: SourceState
    let segments: [SegmentReader]
    let mark: DurableMark?
    let highestPublished: UInt64

    func run(nowMicros: Int64) throws -> (LogWriter, RecoveryReport) {
        let last = segments[segments.count - 1]
        var report = RecoveryReport()
        let scan = try Scan(last)
        report.wasUnclean = !scan.hasFooter
        let boundary = try durableBoundary(last, scan)
        // Tables that are ahead of the log mean an older log put in place: its next records would be taken for
        // published.
        let newest = scan.records.last?.sequence ?? last.header.previousLastRecord
        guard newest >= highestPublished else {
            throw WALError.behindTables(path: folder, lastFound: newest, lastPublished: highestPublished)
        }
        try state.load(try LogReader.checkpoint(of: last.header, folder: folder, disk: disk))
        for record in scan.records where record.sequence <= boundary { try state.apply(record) }
        let beyond = scan.records.filter { $0.sequence > boundary }
        if !scan.hasFooter {
            try keepTornEnd(last, scan, &report)
            report.recordsCopied = beyond.count
        }
        let writer = try LogWriter(
            folder: folder, lineage: last.header.lineage, lastSequence: boundary,
            lastCommitMicros: max(nowMicros, scan.records.last?.commitMicros ?? 0, mark?.commitMicros ?? 0),
            options: options, disk: disk, state: state, sealed: try sealedSegments(boundary, scan),
            previous: last.header)
        let drafts = beyond.map { record in
            RecordDraft(
                header: record.header, bytes: record.segment.copy(record.byteOffset..<record.end),
                entries: record.entries)
        }
        do {
            try writer.startSegment(
                atLeast: drafts.reduce(1 << 20) { $0 + $1.bytes.count }, createdMicros: nowMicros, records: drafts)
        } catch {
            // With nothing to copy a full disk costs only new events: what is published can be freed, and the next
            // commit tries again.
            guard error.isDiskFull, drafts.isEmpty else { throw error }
        }
        for record in beyond { try state.apply(record) }
        try writer.adopt(lastSequence: beyond.last?.sequence ?? boundary, commitMicros: beyond.last?.commitMicros ?? 0)
        return (writer, report)
    }

    /// The last record that need not be copied.
    private func durableBoundary(_ last: SegmentReader, _ scan: Scan) throws -> UInt64 {
        let start = last.header.previousLastRecord
        let found = scan.records.last?.sequence ?? start
        guard let mark, mark.lineage == last.header.lineage else { return scan.hasFooter ? found : start }
        guard mark.sequence <= found else {
            throw WALError.recordsLost(path: last.path, lastFound: found, lastDurable: mark.sequence)
        }
        if scan.hasFooter { return found }
        return mark.segment == last.header.number ? max(mark.sequence, start) : start
    }

    /// Cuts what stands behind the last intact record, keeping its bytes.
    private func keepTornEnd(_ last: SegmentReader, _ scan: Scan, _ report: inout RecoveryReport) throws {
        let end = last.writtenEnd(from: scan.end)
        guard end > scan.end else { return }
        // The torn record's own header may be whole, so the search for good ones begins behind its start.
        let found = scan.records.last?.sequence ?? last.header.previousLastRecord
        guard !last.hasRecord(above: found, from: scan.end + RecordHeader.alignment) else {
            throw WALError.corruptRecord(
                path: last.path, byteOffset: scan.end, reason: "a damaged record with intact ones behind it")
        }
        let path = folder + "/" + Hex.encode(last.header.number) + "-\(scan.end).torn"
        try disk.replace(path, with: last.copy(scan.end..<end), mode: 0o600)
        report.tornBytes = end - scan.end
        report.tornPath = path
    }

    private func sealedSegments(_ boundary: UInt64, _ scan: Scan) throws -> [LogWriter.SealedSegment] {
        var result: [LogWriter.SealedSegment] = []
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            let end = isLast ? boundary : segments[index + 1].header.previousLastRecord
            let found = isLast ? scan : try Scan(segment, through: end)
            guard isLast || (found.records.last?.sequence ?? segment.header.previousLastRecord) == end else {
                throw WALError.corruptRecord(
                    path: segment.path, byteOffset: found.end,
                    reason: "a damaged record in a segment that has a successor")
            }
            var projects: [String: UInt64] = [:]
            var size = LogSize()
            for record in found.records where record.sequence <= end {
                for entry in record.entries { projects[entry.project] = record.sequence }
                size.add(LogSize(recordBytes: record.header.recordBytes, eventCount: record.header.eventCount))
            }
            result.append(
                LogWriter.SealedSegment(
                    header: segment.header, projects: projects, size: size))
        }
        return result
    }
}

/// All intact records of one segment, in order.
struct Scan {
    var records: [Record] = []
    var hasFooter = false
    /// Behind the last intact record.
    var end = SegmentHeader.byteCount

    /// - Parameter through: stops behind this record; what follows does not count.
    init(_ segment: SegmentReader, through: UInt64 = .max) throws(WALError) {
        var expected = segment.header.previousLastRecord + 1
        while expected <= through {
            switch segment.find(at: end) {
            case .record(let record):
                guard record.sequence == expected, segment.isIntact(record) else { return }
                records.append(record)
                end = record.end
                expected += 1
            case .footer:
                hasFooter = true
                return
            case .end, .bad:
                return
            }
        }
    }
}
