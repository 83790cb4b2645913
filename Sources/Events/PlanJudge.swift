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
/// O(rows + strings) for the types and O(rows / 64 × types that declare it) a value column where no event violates the
/// plan; else also O(violations).
public struct PlanJudge: Sendable {
    public let plan: TrackingPlan
    /// By string of the batch: its class, 0 until it is looked up.
    private var classOfString: [UInt32] = []
    /// The classes from `firstClass` on, of the declared types that occur: each one's index in the plan.
    private var typeOfClass: [Int] = []
    /// By type of the plan: its class in this batch, 0 for none.
    private var classOfType: [UInt32]
    /// By class that is not exempt: which rows are of it, `wordCount` words each.
    private var classRows: [UInt64] = []
    private var wordCount = 0
    /// By row: the raw value of its violation, 0 for none. Empty until there is one.
    private var violations: [UInt8] = []
    private var stripped: [Int: Bitmap] = [:]

    /// Reserved, or not declared where that is allowed.
    private static let exempt: UInt32 = 1
    /// Not declared, though it had to be.
    private static let undeclared: UInt32 = 2
    private static let firstClass: UInt32 = 3

    public init(_ plan: TrackingPlan) {
        self.plan = plan
        classOfType = [UInt32](repeating: 0, count: plan.rules.count)
    }

    /// - Parameter verdicts: what content alone costs, in row order: the plan says nothing of those events.
    public mutating func judge(_ batch: Batch, _ verdicts: [ContentVerdict]) -> PlanJudgement {
        var judgement = PlanJudgement(verdicts: verdicts)
        guard !plan.isTrivial, classify(batch) else { return judgement }
        violations.removeAll(keepingCapacity: true)
        stripped.removeAll(keepingCapacity: true)
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
    /// - Returns: false if all are exempt.
    private mutating func classify(_ batch: Batch) -> Bool {
        for type in typeOfClass { classOfType[type] = 0 }
        typeOfClass.removeAll(keepingCapacity: true)
        classOfString.removeAll(keepingCapacity: true)
        classOfString.append(contentsOf: repeatElement(0, count: batch.strings.count))
        wordCount = (batch.eventCount &+ 63) / 64
        classRows.removeAll(keepingCapacity: true)
        classRows.append(contentsOf: repeatElement(0, count: wordCount))
        for (row, string) in batch.types.enumerated() {
            var rowClass = classOfString[Int(string)]
            if rowClass == 0 { rowClass = addClass(string, batch) }
            if rowClass == Self.exempt { continue }
            let word = Int(rowClass &- Self.undeclared) &* wordCount &+ row &>> 6
            classRows[word] |= 1 &<< UInt64(row & 63)
        }
        return !typeOfClass.isEmpty || plan.isStrict
    }

    private mutating func addClass(_ string: UInt32, _ batch: Batch) -> UInt32 {
        let name = batch.strings.span(Int(string))
        let found: UInt32
        if name.byteCount > 0, name.uncheckedByte(0) == UInt8(ascii: "$") {
            found = Self.exempt
        } else if let type = plan.typeNames.index(of: name) {
            if classOfType[type] == 0 {
                classOfType[type] = Self.firstClass &+ UInt32(typeOfClass.count)
                typeOfClass.append(type)
                classRows.append(contentsOf: repeatElement(0, count: wordCount))
            }
            found = classOfType[type]
        } else {
            found = plan.isStrict && plan.mode != .off ? Self.undeclared : Self.exempt
        }
        classOfString[Int(string)] = found
        return found
    }

    /// The words of a class's rows.
    private func words(of rowClass: UInt32) -> Range<Int> {
        let first = Int(rowClass &- Self.undeclared) &* wordCount
        return first..<(first &+ wordCount)
    }

    private mutating func judgeTypes(_ batch: Batch) {
        if plan.isStrict, plan.mode != .off { mark(words(of: Self.undeclared), .undeclaredType, batch) }
        for (index, type) in typeOfClass.enumerated() where !plan.rules[type].isEnabled {
            let range = words(of: Self.firstClass &+ UInt32(index))
            mark(range, .disabledType, batch)
            // Nothing more is asked of what is dropped.
            for word in range { classRows[word] = 0 }
        }
    }

    private mutating func mark(_ words: Range<Int>, _ kind: PlanViolation, _ batch: Batch) {
        Bitmap(words: Array(classRows[words]), count: batch.eventCount).forEachOne { mark($0, kind, batch) }
    }

    private mutating func mark(_ row: Int, _ kind: PlanViolation, _ batch: Batch) {
        if violations.isEmpty { violations.append(contentsOf: repeatElement(0, count: batch.eventCount)) }
        if violations[row] == 0 || kind.rawValue < violations[row] { violations[row] = kind.rawValue }
    }

    // MARK: Values

    private mutating func judgeValues(_ batch: Batch) {
        let strips = plan.mode == .strip
        // Rows that a value may violate the plan in: of declared types, and when values go, of undeclared ones too.
        var planned = [UInt64](repeating: 0, count: wordCount)
        for first in stride(from: strips ? 0 : wordCount, to: classRows.count, by: wordCount) {
            for word in 0..<wordCount { planned[word] |= classRows[first &+ word] }
        }
        for (number, column) in batch.valueColumns.enumerated() where column.scope == .property {
            let property = plan.propertyNames.index(of: batch.strings.span(Int(column.name)))
            var open = planned
            var isAnyOpen: UInt64 = 0
            for word in 0..<wordCount {
                open[word] &= column.presence.words[word]
                isAnyOpen |= open[word]
            }
            if isAnyOpen == 0 { continue }
            if let property {
                isAnyOpen = removeAllowed(property, column.type, from: &open)
                if isAnyOpen == 0 { continue }
            }
            judge(column, number, property, Bitmap(words: open, count: batch.eventCount), batch)
        }
    }

    /// Takes out the rows whose type allows the property such a value.
    /// - Returns: 0 if none is left.
    private func removeAllowed(_ property: Int, _ type: ValueType, from open: inout [UInt64]) -> UInt64 {
        for (index, planned) in typeOfClass.enumerated() {
            guard let allowed = plan.rules[planned].valueTypes[property], allowed & type.bit != 0 else { continue }
            let first = words(of: Self.firstClass &+ UInt32(index)).lowerBound
            for word in 0..<wordCount { open[word] &= ~classRows[first &+ word] }
        }
        return open.reduce(0, |)
    }

    /// - Parameter open: the rows whose values the plan does not allow as they are.
    private mutating func judge(
        _ column: ValueColumn, _ number: Int, _ property: Int?, _ open: Bitmap, _ batch: Batch
    ) {
        var gone = Bitmap(repeating: false, count: batch.eventCount)
        var isAnyGone = false
        let nulls = property == nil ? nil : column.explicitNulls(of: batch)
        open.forEachOne { row in
            let rowClass = classOfString[Int(batch.types[row])]
            var isDeclared = false
            if let property, rowClass >= Self.firstClass {
                let type = typeOfClass[Int(rowClass &- Self.firstClass)]
                isDeclared = plan.rules[type].valueTypes[property] != nil
            }
            if !isDeclared {
                mark(row, .undeclaredProperty, batch)
                gone[row] = true
                isAnyGone = true
            } else if nulls?[row] != true {
                mark(row, .wrongType, batch)
            }
        }
        if plan.mode == .strip, isAnyGone { stripped[number] = gone }
    }

    private mutating func judgeRequired(_ batch: Batch) {
        var requiring: [Int: [Int]] = [:]
        for (index, type) in typeOfClass.enumerated() {
            for property in plan.rules[type].required { requiring[property, default: []].append(index) }
        }
        guard !requiring.isEmpty else { return }
        var present: [Int: Bitmap] = [:]
        for column in batch.valueColumns where column.scope == .property {
            let property = plan.propertyNames.index(of: batch.strings.span(Int(column.name)))
            guard let property, requiring[property] != nil else { continue }
            present[property, default: Bitmap(repeating: false, count: batch.eventCount)].formUnion(column.presence)
        }
        for (property, classes) in requiring {
            var lacking = [UInt64](repeating: 0, count: wordCount)
            for index in classes {
                let first = words(of: Self.firstClass &+ UInt32(index)).lowerBound
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
        var events: [UInt64: Int] = [:]
        for (row, violation) in violations.enumerated() where violation != 0 {
            events[UInt64(classOfString[Int(batch.types[row])]) &<< 8 | UInt64(violation), default: 0] += 1
        }
        judgement.counts = events.sorted { $0.key < $1.key }.compactMap { key, events in
            guard let kind = PlanViolation(rawValue: UInt8(truncatingIfNeeded: key)) else { return nil }
            let place = Int(key &>> 8) - Int(Self.firstClass)
            let name = place < 0 ? nil : plan.typeNames.name(typeOfClass[place])
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
