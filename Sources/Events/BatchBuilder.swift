import Bytes
import JSON

/// Gathers events for one batch; `BatchEncoder` makes it bytes. Takes only what a decoder would accept.
public struct BatchBuilder: Sendable {
    let limits: BatchLimits
    var strings = StringInterner()
    // One entry a row; strings by the interner's index, `Batch.none` for none.
    var types: [UInt32] = []
    var userIDs: [UInt32] = []
    var anonymousIDs: [UInt32] = []
    var sessionIDs: [UInt32] = []
    var groupKeys: [UInt32] = []
    var timestampsMicros: [Int64] = []
    var flags: [UInt8] = []
    var explicitIDRows: [Int] = []
    var explicitIDs: [EventID] = []
    var columns: [GatheredColumn] = []

    private var names = FieldTable()
    private var valueCount = 0
    private var valueBytes = 0
    private var staged: [(column: Int, bits: UInt64)] = []

    public init(limits: BatchLimits = .format) { self.limits = limits }

    public var eventCount: Int { types.count }

    /// The body will have at most this many bytes: what a sender compares with the size it wants its batches to have.
    public var decodedByteCountMax: Int {
        decodedByteCountMax(events: eventCount, values: valueCount, explicitIDs: explicitIDs.count)
    }

    /// Adds one event. On an error the builder is as before, but for memory. O(bytes of the event).
    /// - Throws: what a decoder would throw; `.overLimit` of events, strings, columns, decoded bytes or value bytes
    ///   means "full".
    public mutating func add(_ event: Event) throws(BatchError) {
        guard eventCount < limits.eventsMax else {
            throw .overLimit(.events, value: UInt64(eventCount + 1), limit: limits.eventsMax)
        }
        try BatchBuilder.check(event)
        let type = strings.intern(event.type)
        let userID = intern(event.userID)
        let anonymousID = intern(event.anonymousID)
        let sessionID = intern(event.sessionID)
        let groupKey = intern(event.groupKey)
        try stage(event.values)
        let eventValueBytes = try checkedValueBytes(event.values)
        try checkRoom(explicitIDs: event.eventID == nil ? 0 : 1)
        if let id = event.eventID {
            explicitIDRows.append(eventCount)
            explicitIDs.append(id)
        }
        for value in staged { columns[value.column].append(value.bits, row: eventCount) }
        valueCount += staged.count
        valueBytes += eventValueBytes
        userIDs.append(userID)
        anonymousIDs.append(anonymousID)
        sessionIDs.append(sessionID)
        groupKeys.append(groupKey)
        timestampsMicros.append(event.timestampMicros)
        let serverSide = event.isServerSide ? FlagBits.serverSide : 0
        flags.append(serverSide | event.consent.rawValue &<< FlagBits.consentShift)
        types.append(type)
    }

    /// Empties the builder for the next batch; keeps its memory.
    public mutating func removeAll() {
        strings.removeAll()
        types.removeAll(keepingCapacity: true)
        userIDs.removeAll(keepingCapacity: true)
        anonymousIDs.removeAll(keepingCapacity: true)
        sessionIDs.removeAll(keepingCapacity: true)
        groupKeys.removeAll(keepingCapacity: true)
        timestampsMicros.removeAll(keepingCapacity: true)
        flags.removeAll(keepingCapacity: true)
        explicitIDRows.removeAll(keepingCapacity: true)
        explicitIDs.removeAll(keepingCapacity: true)
        columns.removeAll(keepingCapacity: true)
        names.removeAll()
        valueCount = 0
        valueBytes = 0
    }

    private mutating func intern(_ text: String?) -> UInt32 {
        guard let text else { return Batch.none }
        return strings.intern(text)
    }

    /// Finds each value's column and what is stored of it, without adding a row yet.
    private mutating func stage(_ values: [EventValue]) throws(BatchError) {
        staged.removeAll(keepingCapacity: true)
        names.beginEvent()
        for (index, value) in values.enumerated() {
            let type: ValueType
            let bits: UInt64
            switch value.value {
            case .bool(let bool): (type, bits) = (.bool, bool ? 1 : 0)
            case .int64(let number): (type, bits) = (.int64, UInt64(bitPattern: number))
            case .float64(let number): (type, bits) = (.float64, number.bitPattern)
            case .string(let text): (type, bits) = (.string, UInt64(strings.intern(text)))
            case .json(let text): (type, bits) = (.json, UInt64(strings.intern(text)))
            }
            switch names.column(value.scope, value.name, type, next: columns.count) {
            case .taken: throw .repeatedName(.valueColumn(index), row: eventCount)
            case .known(let column): staged.append((column, bits))
            case .new:
                staged.append((columns.count, bits))
                columns.append(GatheredColumn(scope: value.scope, type: type, name: strings.intern(value.name)))
            }
        }
    }

    private func checkedValueBytes(_ values: [EventValue]) throws(BatchError) -> Int {
        let count = values.reduce(0) { $0 + $1.byteCount }
        guard count <= Limits.eventValueBytesMax else {
            throw .overLimit(.eventValueBytes, value: UInt64(count), limit: Limits.eventValueBytesMax)
        }
        guard valueBytes + count <= Limits.batchValueBytesMax else {
            throw .overLimit(.valueBytes, value: UInt64(valueBytes + count), limit: Limits.batchValueBytesMax)
        }
        return count
    }

    private func checkRoom(explicitIDs more: Int) throws(BatchError) {
        let stringCount = strings.strings.count
        guard stringCount <= limits.stringsMax else {
            throw .overLimit(.strings, value: UInt64(stringCount), limit: limits.stringsMax)
        }
        let columnCount = columns.count + BatchBuilder.fixedColumnsMax
        guard columnCount <= limits.columnsMax else {
            throw .overLimit(.columns, value: UInt64(columnCount), limit: limits.columnsMax)
        }
        let bytes = decodedByteCountMax(
            events: eventCount + 1, values: valueCount + staged.count, explicitIDs: explicitIDs.count + more)
        guard bytes <= limits.decodedBytesMax else {
            throw .overLimit(.decodedBytes, value: UInt64(bytes), limit: limits.decodedBytesMax)
        }
    }

    /// Kinds 1 to 8.
    private static let fixedColumnsMax = 8

    private func decodedByteCountMax(events: Int, values: Int, explicitIDs: Int) -> Int {
        // Lengths and refs take three bytes at most, other varints ten; a column's head five; two counts six.
        let stringBytes = strings.strings.bytes.count + 3 * strings.strings.count
        let bitmapBytes = (events + 7) / 8
        let fixedBytes = events * (5 * 3 + 10 + 1) + explicitIDs * EventID.byteCount + bitmapBytes
        let valueBytes = values * 10 + columns.count * (5 + 5 + bitmapBytes)
        return 6 + stringBytes + BatchBuilder.fixedColumnsMax * 5 + fixedBytes + valueBytes
    }
}

extension BatchBuilder {
    /// What the format demands of one event by itself.
    private static func check(_ event: borrowing Event) throws(BatchError) {
        let typePart = BatchPart.column(kind: ColumnKind.type)
        try check(event.type, .typeBytes, max: Limits.eventTypeBytesMax, typePart)
        try checkIdentifier(event.userID, ColumnKind.userID)
        try checkIdentifier(event.anonymousID, ColumnKind.anonymousID)
        try checkIdentifier(event.sessionID, ColumnKind.sessionID)
        try checkIdentifier(event.groupKey, ColumnKind.groupKey)
        for (index, value) in event.values.enumerated() {
            let part = BatchPart.valueColumn(index)
            try check(value.name, .nameBytes, max: Limits.propertyNameBytesMax, part)
            switch value.value {
            case .bool, .int64: break
            case .float64(let number):
                guard number.isFinite else { throw .notFinite(part) }
            case .string(let text):
                try checkString(text, part)
            case .json(let text):
                try checkString(text, part)
                let bytes = text.utf8.span
                guard JSONScanner.isValid(RawSpan(_elements: bytes)) else { throw .notJSON(part) }
            }
        }
    }

    private static func checkIdentifier(_ text: String?, _ kind: UInt8) throws(BatchError) {
        guard let text else { return }
        try check(text, .identifierBytes, max: Limits.identifierBytesMax, .column(kind: kind))
    }

    private static func check(
        _ text: String, _ quantity: BatchQuantity, max limit: Int, _ part: BatchPart
    ) throws(BatchError) {
        let count = text.utf8.count
        guard count > 0 else { throw .emptyString(part) }
        guard count <= limit else { throw .overLimit(quantity, value: UInt64(count), limit: limit) }
    }

    private static func checkString(_ text: String, _ part: BatchPart) throws(BatchError) {
        let count = text.utf8.count
        guard count <= Limits.stringBytesMax else {
            throw .overLimit(.stringBytes, value: UInt64(count), limit: Limits.stringBytesMax)
        }
    }
}

/// A value column under construction.
struct GatheredColumn: Sendable {
    let scope: EventValue.Scope
    let type: ValueType
    /// The interner's index.
    let name: UInt32
    var rows: [Int] = []
    /// Bool 0 or 1; int64 and float64 as bit patterns; strings by the interner's index.
    var bits: [UInt64] = []

    mutating func append(_ value: UInt64, row: Int) {
        rows.append(row)
        bits.append(value)
    }
}

/// Finds the column of a (scope, name, type), and says when an event names one twice.
private struct FieldTable: Sendable {
    enum Place {
        case known(Int)
        /// It gets the column that was `next`.
        case new
        /// This event has a value of that scope and name already.
        case taken
    }

    private var names = StringInterner()
    /// By (name, scope): the latest event that used it.
    private var lastEvents: [Int] = []
    /// By (name, scope, type): the column, or −1.
    private var columns: [Int] = []
    private var event = 0

    mutating func beginEvent() { event += 1 }

    mutating func column(_ scope: EventValue.Scope, _ name: String, _ type: ValueType, next: Int) -> Place {
        let scopes = EventValue.Scope.allCases.count
        let types = ValueType.allCases.count
        let nameIndex = Int(names.intern(name))
        if nameIndex * scopes == lastEvents.count {
            lastEvents.append(contentsOf: repeatElement(0, count: scopes))
            columns.append(contentsOf: repeatElement(-1, count: scopes * types))
        }
        let field = nameIndex * scopes + Int(scope.rawValue) - 1
        if lastEvents[field] == event { return .taken }
        lastEvents[field] = event
        let place = field * types + Int(type.rawValue) - 1
        if columns[place] >= 0 { return .known(columns[place]) }
        columns[place] = next
        return .new
    }

    mutating func removeAll() {
        names.removeAll()
        lastEvents.removeAll(keepingCapacity: true)
        columns.removeAll(keepingCapacity: true)
        event = 0
    }
}
