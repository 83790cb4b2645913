import JSON
import Table

/// Who did what, and is what: a group of people.
package struct SegmentQuestion: Sendable {
    /// What somebody must be, over `conditions`.
    indirect enum Definition: Sendable {
        case all([Definition])
        case any([Definition])
        case not(Definition)
        /// By its number.
        case condition(Int)

        /// - Parameter conditions: whether each holds.
        func holds(_ conditions: (Int) -> Bool) -> Bool {
            switch self {
            case .all(let parts): parts.allSatisfy { $0.holds(conditions) }
            case .any(let parts): parts.contains { $0.holds(conditions) }
            case .not(let part): !part.holds(conditions)
            case .condition(let number): conditions(number)
            }
        }
    }

    enum Condition: Sendable {
        /// He has so many events that pass.
        case events(Predicate, Times, withinMicros: Int64?)
        /// The latest value of a trait passes.
        case trait(Field, Predicate)

        var predicate: Predicate {
            switch self {
            case .events(let predicate, _, _), .trait(_, let predicate): predicate
            }
        }
    }

    /// Bounds of a number of events; all must hold.
    struct Times: Sendable {
        fileprivate(set) var bounds: [(comparison: Comparison, count: Int)]

        enum Comparison: String, CaseIterable, Sendable { case eq, gte, gt, lte, lt }

        static let any = Times(bounds: [(.gte, 1)])

        func holds(_ count: Int) -> Bool {
            bounds.allSatisfy { bound in
                switch bound.comparison {
                case .eq: count == bound.count
                case .gte: count >= bound.count
                case .gt: count > bound.count
                case .lte: count <= bound.count
                case .lt: count < bound.count
                }
            }
        }
    }

    let definition: Definition
    let conditions: [Condition]
    let limit: Int

    static let members = ["segment", "limit"]
    private static let limits = 1...100_000
    private static let defaultLimit = 1000

    init(_ reader: ObjectReader, _ filters: FilterReader, warnings: inout [String]) throws(QueryError) {
        guard let value = reader["segment"] else {
            throw .invalid(path: reader.path(of: "segment"), reason: "missing", allowed: SegmentReader.forms)
        }
        var definitions = SegmentReader(filters: filters)
        definition = try definitions.definition(value, path: reader.path(of: "segment"), warnings: &warnings)
        conditions = definitions.conditions
        limit = try reader.integer("limit", in: Self.limits) ?? Self.defaultLimit
    }
}

/// Reads a segment's definition, and numbers its conditions.
private struct SegmentReader {
    typealias Definition = SegmentQuestion.Definition

    let filters: FilterReader
    private(set) var conditions: [SegmentQuestion.Condition] = []
    /// Conditions, and what is empty: everything else has one of them inside, and JSON is not deep.
    private var leafCount = 0

    static let forms = ["all", "any", "not", "did", "event_type", "property", "trait"]
    private static let leafCountMax = 64
    private static let counts = 0...1_000_000_000

    init(filters: FilterReader) { self.filters = filters }

    mutating func definition(
        _ value: JSONValue, path: String, warnings: inout [String]
    ) throws(QueryError) -> Definition {
        let known = try ObjectReader(value, path: path, allowed: nil)
        let named = known.members.map(\.name).filter(Self.forms.contains)
        guard let form = named.first else {
            guard let name = known.members.first?.name else {
                throw .invalid(path: path, reason: "an empty definition", allowed: Self.forms)
            }
            throw .unknown("condition", name, path: known.path(of: name), allowed: Self.forms)
        }
        switch form {
        case "all": return .all(try parts(value, form, path: path, warnings: &warnings))
        case "any": return .any(try parts(value, form, path: path, warnings: &warnings))
        case "not":
            let reader = try ObjectReader(value, path: path, allowed: [form])
            guard let part = reader[form] else { throw .invalid(path: reader.path(of: form), reason: "missing") }
            return .not(try definition(part, path: reader.path(of: form), warnings: &warnings))
        case "did", "event_type": return try add(did(value, form, path: path, warnings: &warnings), path: path)
        default: return try add(test(value, form, path: path, warnings: &warnings), path: path)
        }
    }

    private mutating func countLeaf(path: String) throws(QueryError) {
        leafCount += 1
        guard leafCount <= Self.leafCountMax else {
            throw .invalid(path: path, reason: "more than \(Self.leafCountMax) conditions")
        }
    }

    private mutating func parts(
        _ value: JSONValue, _ form: String, path: String, warnings: inout [String]
    ) throws(QueryError) -> [Definition] {
        let reader = try ObjectReader(value, path: path, allowed: [form])
        let partsPath = reader.path(of: form)
        guard let elements = reader[form]?.asArray else {
            throw .invalid(path: partsPath, reason: "an array of definitions is expected", allowed: Self.forms)
        }
        if elements.isEmpty { try countLeaf(path: path) }
        var parts: [Definition] = []
        for (index, element) in elements.enumerated() {
            parts.append(try definition(element, path: "\(partsPath)[\(index)]", warnings: &warnings))
        }
        return parts
    }

    private mutating func add(
        _ condition: SegmentQuestion.Condition, path: String
    ) throws(QueryError) -> Definition {
        try countLeaf(path: path)
        conditions.append(condition)
        return .condition(conditions.count - 1)
    }

    /// "Did purchase at least twice within the last 7 days."
    private func did(
        _ value: JSONValue, _ form: String, path: String, warnings: inout [String]
    ) throws(QueryError) -> SegmentQuestion.Condition {
        let reader = try ObjectReader(value, path: path, allowed: [form, "times", "within", "filters"])
        var predicate = Predicate.test(.eventType, .isIn([Value(try reader.requiredString(form))]))
        if let own = reader["filters"] {
            let filter = try filters.predicate(own, path: reader.path(of: "filters"), warnings: &warnings)
            predicate = .all([predicate, filter])
        }
        return .events(predicate, try times(reader), withinMicros: try reader.elapsedMicros("within"))
    }

    private func times(_ reader: ObjectReader) throws(QueryError) -> SegmentQuestion.Times {
        guard let value = reader["times"] else { return .any }
        let names = SegmentQuestion.Times.Comparison.allCases.map(\.rawValue)
        let times = try ObjectReader(value, path: reader.path(of: "times"), allowed: names)
        var bounds: [(comparison: SegmentQuestion.Times.Comparison, count: Int)] = []
        for comparison in SegmentQuestion.Times.Comparison.allCases {
            guard let count = try times.integer(comparison.rawValue, in: Self.counts) else { continue }
            bounds.append((comparison, count))
        }
        guard !bounds.isEmpty else { throw .invalid(path: times.path, reason: "no number of times", allowed: names) }
        return SegmentQuestion.Times(bounds: bounds)
    }

    /// A value of any event, or the latest value of a trait.
    private func test(
        _ value: JSONValue, _ form: String, path: String, warnings: inout [String]
    ) throws(QueryError) -> SegmentQuestion.Condition {
        let reader = try ObjectReader(value, path: path, allowed: [form, "op", "value"])
        let name = try reader.requiredString(form)
        guard form == "trait" else {
            let field = try Field(parsing: name, path: reader.path(of: form), warnings: &warnings)
            return .events(try filters.test(reader, on: field), .any, withinMicros: nil)
        }
        guard !name.isEmpty else { throw .invalid(path: reader.path(of: form), reason: "an empty name") }
        let field = Field.value(.trait, Array(name.utf8))
        return .trait(field, try filters.test(reader, on: field))
    }
}
