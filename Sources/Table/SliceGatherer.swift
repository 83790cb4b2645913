import Bytes
import Events
import WAL

/// Gathers what the records of a log add to one project: rows of events, and the last totals of each source.
package struct SliceGatherer: ~Copyable {
    package private(set) var events: EventRows
    /// What the plan kept aside; nothing unless it is asked for.
    private(set) var quarantine: QuarantineRows
    /// How the sources that were touched stand, by the last record that touched each.
    private(set) var sources: [SourceID: SourceStanding] = [:]
    /// Entries of the project, batches or not.
    package private(set) var entryCount = 0
    /// Bytes of the bodies, as they came or decoded, whichever is more: what a slice is bounded by,
    package private(set) var bodyBytes = 0
    /// and what their values take once they are written as JSON: protocol/batch.md §6.
    package private(set) var valueBytes = 0
    private let project: Project
    private let gathersQuarantine: Bool
    private var decoder = BatchDecoder()
    private var bodies = BodyReader()

    struct SourceStanding {
        var totals: SourceTotals
        var record: UInt64
        var commitMicros: Int64
    }

    package init(project: Project, gathersQuarantine: Bool = false) {
        self.project = project
        self.gathersQuarantine = gathersQuarantine
        events = EventRows(project: project)
        quarantine = QuarantineRows(project: project)
    }

    /// Rows gathered, and what their columns take.
    var rowCount: Int { events.rowCount + quarantine.rows.rowCount }
    var rowBytes: Int { events.byteCount + quarantine.rows.byteCount }

    /// Adds the entries of one record that are the project's.
    /// - Throws: `WALError.corruptBody` or `.corruptBatch` if a body is not what was checked when it came.
    package mutating func add(_ record: Record) throws {
        var ordinal = 0
        for (index, entry) in record.entries.enumerated() {
            defer { ordinal += entry.ordinalCount }
            guard entry.project == project.name else { continue }
            entryCount += 1
            sources[entry.source] = SourceStanding(
                totals: entry.totals, record: record.sequence, commitMicros: record.commitMicros)
            guard case .batch(let details) = entry.kind else { continue }
            let body = try bodies.body(index, of: record)
            let batch: Batch
            do {
                bodyBytes += max(body.count, try BatchHeader.read(body.rawSpan).decodedByteCount)
                batch = try decoder.decode(body.rawSpan)
            } catch {
                throw TableError.corruptBatch(record: record.sequence, entry: index, reason: error)
            }
            valueBytes += batch.valueBytes
            let excluded = Set(details.exclusions.map(\.index))
            let kept = (0..<batch.eventCount).filter { !excluded.contains($0) }
            events.append(kept, of: batch, entry, details, record: record.sequence, firstOrdinal: ordinal)
            if gathersQuarantine {
                quarantine.append(batch, entry, details, record: record.sequence, firstOrdinal: ordinal)
            }
        }
    }
}
