import Bytes

/// What the plan says of one batch.
public struct PlanJudgement: Sendable, Equatable {
    /// How many events did not keep to the plan: each is counted once, under its first violation.
    public struct Count: Sendable, Equatable {
        /// nil: a type that is not declared.
        public let eventType: String?
        public let kind: PlanViolation
        public let events: Int

        public init(eventType: String?, kind: PlanViolation, events: Int) {
            self.eventType = eventType
            self.kind = kind
            self.events = events
        }
    }

    /// What costs events, by their content or by the plan: in row order, at most one an event.
    public internal(set) var verdicts: [ContentVerdict] = []
    public internal(set) var counts: [Count] = []
    /// By value column: the rows whose values must go before the batch is kept. Only in the mode `strip`.
    public internal(set) var stripped: [Int: Bitmap] = [:]
}

/// Holds batches to a plan. One thread at a time; reusable.
///
/// Rows are sorted into classes: one for each declared type that occurs, one for all that is exempt, one for all that
/// is undeclared though it had to be. A class is a bitmap of rows, so that columns are held to the plan 64 rows a step.
///
/// O(rows + strings) for the types, and O(rows / 64 × types that declare it) a property's column, where no event
/// violates the plan; else also O(violations).
public struct PlanJudge: Sendable {
    public let plan: TrackingPlan
    /// The rows of each class, one class behind the other, `wordCount` words each. Class 0 is exempt, 1 is undeclared;
    /// the others stand in `typeOfClass`.
    private var classRows: [UInt64] = []
    private var wordCount = 0
    /// By string of the batch: the first word of its class, and 1; 0 until it is looked up.
    private var placeOfString: [UInt32] = []
    /// By class from 2 on: the type's index in the plan.
    private var typeOfClass: [Int] = []
    /// By type of the plan: the first word of its class in this batch; 0 for none.
    private var placeOfType: [Int]
    /// Rows that a value may violate the plan in.
    private var planned: [UInt64] = []
    /// Of the column at hand: the first words of the classes that allow such values.
    private var allowing: [Int] = []
    /// By property that some type requires: the rows that have it.
    private var present: [Int: Bitmap] = [:]
    /// By row: the raw value of its violation, 0 for none. Empty until there is one.
    private var violations: [UInt8] = []
    private var stripped: [Int: Bitmap] = [:]

    /// The classes before those of types.
    private static let otherClasses = 2

    public init(_ plan: TrackingPlan) {
        self.plan = plan
        placeOfType = [Int](repeating: 0, count: plan.isEnabled.count)
    }

    /// - Parameter verdicts: what content alone costs, in row order: the plan says nothing of those events.
    public mutating func judge(_ batch: Batch, _ verdicts: [ContentVerdict]) -> PlanJudgement {
        var judgement = PlanJudgement(verdicts: verdicts)
        guard !plan.isTrivial else { return judgement }
        classify(batch)
        guard !typeOfClass.isEmpty || plan.isStrict else { return judgement }
        violations.removeAll(keepingCapacity: true)
        if !stripped.isEmpty { stripped = [:] }
        judgeTypes(batch)
        if plan.mode != .off {
            judgeValues(batch)
            judgeRequired(batch)
        }
        guard !violations.isEmpty else { return judgement }
        for verdict in verdicts { violations[verdict.index] = 0 }
        count(batch, into: &judgement)
        exclude(into: &judgement)
        judgement.stripped = stripped
        return judgement
    }

    // MARK: Types

    /// Sorts rows into classes.
    private mutating func classify(_ batch: Batch) {
        for type in typeOfClass { placeOfType[type] = 0 }
        typeOfClass.removeAll(keepingCapacity: true)
        placeOfString.removeAll(keepingCapacity: true)
        placeOfString.append(contentsOf: repeatElement(0, count: batch.strings.count))
        wordCount = (batch.eventCount &+ 63) / 64
        classRows.removeAll(keepingCapacity: true)
        classRows.append(contentsOf: repeatElement(0, count: Self.otherClasses &* wordCount))
        var row = 0
        while true {
            Self.sort(batch.types, from: &row, by: placeOfString, into: &classRows)
            if row == batch.eventCount { return }
            addString(batch.types[row], batch)
        }
    }

    /// Sets the bits of rows in their classes, up to the first whose string has no place yet.
    private static func sort(
        _ types: [UInt32], from row: inout Int, by places: [UInt32], into classRows: inout [UInt64]
    ) {
        let types = types.span
        let places = places.span
        var words = classRows.mutableSpan
        var next = row
        while next < types.count {
            let place = Int(places[Int(types[next])])
            if place == 0 { break }
            words[place &- 1 &+ next &>> 6] |= 1 &<< UInt64(next & 63)
            next &+= 1
        }
        row = next
    }

    private mutating func addString(_ string: UInt32, _ batch: Batch) {
        let name = batch.strings.span(Int(string))
        var first = plan.isStrict && plan.mode != .off ? wordCount : 0
        if name.byteCount > 0, name.uncheckedByte(0) == UInt8(ascii: "$") {
            first = 0
        } else if let type = plan.typeNames.index(of: name) {
            if placeOfType[type] == 0 {
                placeOfType[type] = classRows.count
                typeOfClass.append(type)
                classRows.append(contentsOf: repeatElement(0, count: wordCount))
            }
            first = placeOfType[type]
        }
        placeOfString[Int(string)] = UInt32(first) &+ 1
    }

    /// The type of a row in the plan; nil if it is not declared.
    private func type(of row: Int, _ batch: Batch) -> Int? {
        let rowClass = (Int(placeOfString[Int(batch.types[row])]) &- 1) / wordCount
        return rowClass < Self.otherClasses ? nil : typeOfClass[rowClass &- Self.otherClasses]
    }

    private mutating func judgeTypes(_ batch: Batch) {
        if plan.isStrict { markClass(at: wordCount, .undeclaredType, batch) }
        for type in typeOfClass where !plan.isEnabled[type] {
            let first = placeOfType[type]
            markClass(at: first, .disabledType, batch)
            // Nothing more is asked of what is dropped.
            for word in 0..<wordCount { classRows[first &+ word] = 0 }
        }
    }

    private mutating func markClass(at first: Int, _ kind: PlanViolation, _ batch: Batch) {
        let rows = Bitmap(words: Array(classRows[first..<(first &+ wordCount)]), count: batch.eventCount)
        rows.forEachOne { mark($0, kind, batch) }
    }

    private mutating func mark(_ row: Int, _ kind: PlanViolation, _ batch: Batch) {
        if violations.isEmpty { violations.append(contentsOf: repeatElement(0, count: batch.eventCount)) }
        if violations[row] == 0 || kind.rawValue < violations[row] { violations[row] = kind.rawValue }
    }

    // MARK: Values

    private mutating func judgeValues(_ batch: Batch) {
        plan(rowsOf: batch)
        if !present.isEmpty { present = [:] }
        for number in batch.valueColumns.indices where batch.valueColumns[number].scope == .property {
            let property = plan.propertyNames.index(of: batch.strings.span(Int(batch.valueColumns[number].name)))
            allowing.removeAll(keepingCapacity: true)
            if let property {
                let bit = batch.valueColumns[number].type.bit
                for declaration in plan.declarations[property] {
                    let place = placeOfType[declaration.type]
                    if place != 0, declaration.valueTypes & bit != 0 { allowing.append(place) }
                }
                if !plan.required.isEmpty { notePresent(property, batch.valueColumns[number].presence) }
            }
            if isAnyOpen(batch.valueColumns[number].presence.words) { judge(batch, number, property) }
        }
    }

    private mutating func plan(rowsOf batch: Batch) {
        planned.removeAll(keepingCapacity: true)
        planned.append(contentsOf: repeatElement(0, count: wordCount))
        // What is undeclared is found fault with already, but its values may have to go.
        let firstClass = plan.mode == .strip ? 1 : Self.otherClasses
        for first in stride(from: firstClass &* wordCount, to: classRows.count, by: wordCount) {
            for word in 0..<wordCount { planned[word] |= classRows[first &+ word] }
        }
    }

    /// The planned rows of a word of the column at hand whose class does not allow their value.
    @inline(__always)
    private func open(_ presence: UInt64, _ word: Int) -> UInt64 {
        var rows = presence & planned[word]
        for first in allowing { rows &= ~classRows[first &+ word] }
        return rows
    }

    private func isAnyOpen(_ presence: [UInt64]) -> Bool {
        for word in 0..<wordCount where open(presence[word], word) != 0 { return true }
        return false
    }

    private mutating func judge(_ batch: Batch, _ number: Int, _ property: Int?) {
        let column = batch.valueColumns[number]
        let rows = (0..<wordCount).map { open(column.presence.words[$0], $0) }
        let nulls = property == nil ? nil : column.explicitNulls(of: batch)
        let declarations = property.map { plan.declarations[$0] } ?? []
        var gone = Bitmap(repeating: false, count: batch.eventCount)
        var isAnyGone = false
        Bitmap(words: rows, count: batch.eventCount).forEachOne { row in
            let type = type(of: row, batch)
            if !declarations.contains(where: { $0.type == type }) {
                mark(row, .undeclaredProperty, batch)
                gone[row] = true
                isAnyGone = true
            } else if nulls?[row] != true {
                mark(row, .wrongType, batch)
            }
        }
        if plan.mode == .strip, isAnyGone { stripped[number] = gone }
    }

    private mutating func notePresent(_ property: Int, _ rows: Bitmap) {
        guard plan.required.contains(property) else { return }
        present[property, default: Bitmap(repeating: false, count: rows.count)].formUnion(rows)
    }

    private mutating func judgeRequired(_ batch: Batch) {
        for property in plan.required {
            var lacking = [UInt64](repeating: 0, count: wordCount)
            for declaration in plan.declarations[property] where declaration.isRequired {
                let first = placeOfType[declaration.type]
                if first == 0 { continue }
                for word in 0..<wordCount { lacking[word] |= classRows[first &+ word] }
            }
            if let present = present[property] {
                for word in 0..<wordCount { lacking[word] &= ~present.words[word] }
            }
            Bitmap(words: lacking, count: batch.eventCount).forEachOne { mark($0, .missingProperty, batch) }
        }
    }

    // MARK: What follows

    private func count(_ batch: Batch, into judgement: inout PlanJudgement) {
        var events: [Int: Int] = [:]
        for (row, violation) in violations.enumerated() where violation != 0 {
            let type = type(of: row, batch) ?? -1
            events[type &* 256 &+ Int(violation), default: 0] += 1
        }
        judgement.counts = events.sorted { $0.key < $1.key }.compactMap { key, events in
            guard let kind = PlanViolation(rawValue: UInt8(truncatingIfNeeded: key)) else { return nil }
            let name = key < 0 ? nil : plan.typeNames.name(key &>> 8)
            return PlanJudgement.Count(eventType: name, kind: kind, events: events)
        }
    }

    /// Merges what the plan costs with what content alone does.
    private func exclude(into judgement: inout PlanJudgement) {
        var merged: [ContentVerdict] = []
        var content = judgement.verdicts[...]
        for (row, violation) in violations.enumerated() {
            if content.first?.index == row, let verdict = content.popFirst() { merged.append(verdict) }
            guard let kind = PlanViolation(rawValue: violation), let code = code(for: kind) else { continue }
            merged.append(ContentVerdict(index: row, code: code))
        }
        judgement.verdicts = merged
    }

    /// What a violation costs; nil: nothing.
    private func code(for kind: PlanViolation) -> ContentVerdict.Code? {
        if kind == .disabledType { return .schema }
        return switch plan.mode {
        case .off, .warn, .strip: nil
        case .quarantine: .quarantined(kind)
        case .reject: .schema
        }
    }
}

extension ValueColumn {
    /// The rows that have an explicit null; nil if none can. O(values).
    fileprivate func explicitNulls(of batch: Batch) -> Bitmap? {
        guard case .json(let refs) = values else { return nil }
        let null = Array("null".utf8)
        var rows = Bitmap(repeating: false, count: batch.eventCount)
        var ordinal = 0
        presence.forEachOne { row in
            if batch.strings.span(Int(refs[ordinal])).equals(null.rawSpan) { rows[row] = true }
            ordinal &+= 1
        }
        return rows
    }
}
