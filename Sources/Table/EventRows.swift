import Bytes
import Events
import JSON
import Parquet
import WAL

/// Events as rows of the root table, gathered from batches of the log: what a publish writes and what the query
/// daemon holds of the tail. The one place where batch columns become table columns.
package struct EventRows: Sendable {
    private let project: Project
    /// In the order of `EventSchema.parquet`.
    private(set) var columns = EventSchema.parquet.columns.enumerated().map { index, column in
        index < EventSchema.firstJSON ? ColumnBuilder(column.type) : .texts
    }
    /// The source of each run of rows, for the ledger: index of the first row, and whose it is.
    private(set) var sourceRuns: [(firstRow: Int, source: SourceID)] = []
    package private(set) var rowCount = 0
    /// The rows that name an earlier id, ascending, and the ids: a property that has no column of its own.
    private(set) var previousIDs: (rows: [Int], ids: ByteStrings) = ([], ByteStrings())

    package init(project: Project) { self.project = project }

    /// What the columns take. O(columns).
    var byteCount: Int { columns.reduce(0) { $0 + $1.byteCount } }

    /// The day of a timestamp, since 1970-01-01, UTC.
    static func day(_ timestampMicros: Int64) -> Int {
        Int(timestampMicros.flooredQuotient(by: 86_400_000_000))
    }

    /// Adds some of the events of a batch. O(events × columns of the batch).
    /// - Parameters:
    ///   - kept: their indices in the batch, ascending.
    ///   - firstOrdinal: the ordinal of the batch's first event in its record.
    mutating func append(
        _ kept: [Int], of batch: Batch, _ entry: Entry, _ details: BatchEntry, record: UInt64, firstOrdinal: Int
    ) {
        guard !kept.isEmpty else { return }
        sourceRuns.append((rowCount, entry.source))
        appendTimes(batch, entry, details, kept)
        let firstPosition = Int64(record) << 20 + Int64(firstOrdinal)
        columns[.position].append(kept.map { firstPosition + Int64($0) })
        appendKeys(batch, kept)
        appendIdentifiers(batch, entry, kept)
        appendFlags(batch, kept)
        appendEventIDs(batch, kept)
        appendValues(batch, kept)
        appendPreviousIDs(batch, kept)
        appendExtra(batch, kept)
        rowCount += kept.count
    }

    private mutating func appendTimes(_ batch: Batch, _ entry: Entry, _ details: BatchEntry, _ kept: [Int]) {
        let isImport = entry.flags.contains(.isImport)
        let correction = isImport ? 0 : correctionMicros(details.clockOffsetMicros)
        columns[.timestamp].append(kept.map { batch.timestampsMicros[$0] &+ correction })
        if correction == 0 {
            columns[.originalTimestamp].appendNulls(kept.count)
        } else {
            columns[.originalTimestamp].append(kept.map { batch.timestampsMicros[$0] })
        }
        columns[.receivedAt].append([Int64](repeating: details.receivedMicros, count: kept.count))
        columns[.sequence].append(kept.map { Int64(entry.base) + Int64($0) })
    }

    private mutating func appendKeys(_ batch: Batch, _ kept: [Int]) {
        var userKeys = [Int64](repeating: 0, count: batch.strings.count)
        var anonymousKeys = userKeys
        columns[.userKey].append(
            kept.map { row in
                if let user = batch.userIDs?[row], user != Batch.none {
                    if userKeys[Int(user)] == 0 {
                        userKeys[Int(user)] = project.userKey(.user, batch.strings.span(Int(user)))
                    }
                    return userKeys[Int(user)]
                }
                guard let anonymous = batch.anonymousIDs?[row], anonymous != Batch.none else { return 0 }
                if anonymousKeys[Int(anonymous)] == 0 {
                    anonymousKeys[Int(anonymous)] = project.userKey(.anonymous, batch.strings.span(Int(anonymous)))
                }
                return anonymousKeys[Int(anonymous)]
            })
    }

    private mutating func appendIdentifiers(_ batch: Batch, _ entry: Entry, _ kept: [Int]) {
        columns[.eventType].append(batch.types, of: batch.strings, kept)
        columns[.userID].append(batch.userIDs, of: batch.strings, kept)
        columns[.anonymousID].append(batch.anonymousIDs, of: batch.strings, kept)
        columns[.sessionID].append(batch.sessionIDs, of: batch.strings, kept)
        columns[.groupKey].append(batch.groupKeys, of: batch.strings, kept)
        columns[.source].withStrings { interner, codes in
            let code = interner.intern(entry.source.description)
            codes.append(contentsOf: repeatElement(code, count: kept.count))
        }
    }

    private mutating func appendFlags(_ batch: Batch, _ kept: [Int]) {
        guard let flags = batch.flags else {
            columns[.consent].appendNulls(kept.count)
            columns[.serverSide].appendNulls(kept.count)
            return
        }
        let consents = kept.map { Int32(flags[$0] >> 1 & 3) }
        columns[.consent].append(consents, present: consents.map { $0 != 0 })
        let serverSide = kept.map { flags[$0] & 1 == 1 }
        columns[.serverSide].append(serverSide, present: serverSide)
    }

    private mutating func appendEventIDs(_ batch: Batch, _ kept: [Int]) {
        guard let explicit = batch.explicitIDs else {
            columns[.eventID].appendNulls(kept.count)
            return
        }
        var ordinals = [Int](repeating: -1, count: batch.eventCount)
        var next = 0
        explicit.presence.forEachOne { row in
            ordinals[row] = next
            next += 1
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(kept.count * 16)
        for row in kept {
            if ordinals[row] < 0 {
                bytes.append(contentsOf: repeatElement(0, count: 16))
            } else {
                bytes.append(contentsOf: explicit.bytes[(ordinals[row] * 16)..<(ordinals[row] * 16 + 16)])
            }
        }
        columns[.eventID].append(fixed: bytes, present: kept.map { ordinals[$0] >= 0 })
    }

    private mutating func appendExtra(_ batch: Batch, _ kept: [Int]) {
        guard !batch.unknownColumns.isEmpty else {
            columns[EventSchema.extraIndex].appendNulls(kept.count)
            return
        }
        let members = batch.unknownColumns.map { JSONObject.Member("\($0.kind)", .string(Hex.encode($0.bytes))) }
        let text = JSONValue.object(JSONObject(members)).description
        columns[EventSchema.extraIndex].append(texts: ByteStrings([text]), codes: [0])
        columns[EventSchema.extraIndex].appendNulls(kept.count - 1)
    }

    private mutating func appendValues(_ batch: Batch, _ kept: [Int]) {
        var rest: [JSONMember] = []
        var numbers: [Int: BatchDoubles] = [:]
        var filled = Set<Int>()
        for column in batch.valueColumns {
            guard let index = EventSchema.promotedIndex(column.scope, batch.strings.span(Int(column.name))) else {
                rest.append(JSONMember(column: column, rows: column.presence))
                continue
            }
            switch (column.values, EventSchema.parquet.columns[index].type) {
            case (.string(let refs), .string):
                columns[index].append(refs, at: column.presence, of: batch, kept)
                filled.insert(index)
            case (.float64(let values), .double):
                numbers[index, default: BatchDoubles(eventCount: batch.eventCount)].add(values, at: column.presence)
            case (.int64(let values), .double):
                let inexact = numbers[index, default: BatchDoubles(eventCount: batch.eventCount)]
                    .add(values, at: column.presence)
                rest.append(JSONMember(column: column, rows: inexact))
            default:
                rest.append(JSONMember(column: column, rows: column.presence))
            }
        }
        for index in EventSchema.firstPromoted..<EventSchema.firstJSON where !filled.contains(index) {
            if let numbers = numbers[index] {
                columns[index].append(numbers, kept)
            } else {
                columns[index].appendNulls(kept.count)
            }
        }
        appendJSON(rest, batch, kept)
    }

    private mutating func appendPreviousIDs(_ batch: Batch, _ kept: [Int]) {
        let name = Array(ReservedType.previousIDName.utf8)
        for column in batch.valueColumns where column.scope == .property {
            guard case .string(let refs) = column.values,
                batch.strings.span(Int(column.name)).equals(name.rawSpan)
            else { continue }
            for (index, row) in kept.enumerated() where column.presence[row] {
                previousIDs.rows.append(rowCount + index)
                previousIDs.ids.append(batch.strings.span(Int(refs[column.presence.onesCount(before: row)])))
            }
        }
    }

    private mutating func appendJSON(_ rest: [JSONMember], _ batch: Batch, _ kept: [Int]) {
        for (offset, scope) in EventSchema.jsonScopes.enumerated() {
            let index = EventSchema.firstJSON + offset
            let members = rest.filter { $0.column.scope == scope && $0.rows.onesCount > 0 }
            if members.isEmpty {
                columns[index].appendNulls(kept.count)
            } else {
                columns[index].append(json: members, of: batch, kept)
            }
        }
    }
}

extension Array where Element == ColumnBuilder {
    subscript(column: EventSchema.Fixed) -> ColumnBuilder {
        get { self[column.rawValue] }
        _modify { yield &self[column.rawValue] }
    }
}

extension Int64 {
    /// The quotient rounded towards minus infinity.
    func flooredQuotient(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
