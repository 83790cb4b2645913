import JSON
import Zones

/// Counts and sums over events, for each group of them.
package struct AggregateQuestion: Sendable {
    struct Metric: Sendable {
        enum Measure: Sendable {
            case count
            case countDistinct(Field)
            case sum(Field)
            case average(Field)
            case least(Field)
            case greatest(Field)
        }
        let measure: Measure
        let alias: String
        /// Where the question has it, for errors.
        let path: String
    }

    enum Dimension: Sendable, Hashable {
        case field(Field)
        case time(BucketUnit)
    }

    struct Column: Sendable {
        let name: String
        let dimension: Dimension
    }

    struct Order: Sendable {
        enum Key: Sendable {
            case group(Int)
            case metric(Int)
        }
        let key: Key
        let isDescending: Bool
    }

    let metrics: [Metric]
    let groups: [Column]
    /// Which of the groups the rows show, in order.
    let shown: [Int]
    let order: [Order]
    let limit: Int?

    static let members = ["metrics", "dimensions", "group_by", "order_by", "limit"]
    static let metricTypes = ["count", "count_distinct", "sum", "avg", "min", "max"]
    static let units: [BucketUnit] = [.hour, .day, .week, .month]
    /// Groups are told apart by values of this many columns at most.
    private static let groupCountMax = 16
    private static let metricCountMax = 64
    private static let orderCountMax = 64
    private static let limits = 1...1_000_000

    init(_ reader: ObjectReader, warnings: inout [String]) throws(QueryError) {
        var metrics: [Metric] = []
        for (value, path) in try reader.list("metrics", atMost: Self.metricCountMax) ?? [("count", "metrics")] {
            metrics.append(try Self.metric(value, path: path, warnings: &warnings))
        }
        guard !metrics.isEmpty else {
            throw .invalid(path: "metrics", reason: "at least one metric is needed", allowed: Self.metricTypes)
        }
        let dimensions = try Self.columns(reader, "dimensions", &warnings)
        let groups = try Self.columns(reader, "group_by", &warnings) ?? dimensions ?? []
        var shown = Array(groups.indices)
        if let dimensions {
            shown = []
            for (index, column) in dimensions.enumerated() {
                guard let group = groups.firstIndex(where: { $0.dimension == column.dimension }) else {
                    throw .invalid(
                        path: "dimensions[\(index)]", reason: "\"\(column.name)\" is not in group_by",
                        allowed: groups.map(\.name))
                }
                shown.append(group)
            }
        }
        var names = Set<String>()
        let named = shown.map { (groups[$0].name, "group_by") } + metrics.map { ($0.alias, $0.path) }
        for (name, path) in named where name == "complete" || !names.insert(name).inserted {
            throw .invalid(path: path, reason: "two columns would be called \"\(name)\"; give one an alias")
        }
        (self.metrics, self.groups, self.shown) = (metrics, groups, shown)
        order = try Self.order(reader, groups: groups, metrics: metrics)
        limit = try reader.integer("limit", in: Self.limits)
    }

    /// A part of another kind's answer: all groups, in any order.
    init(metrics: [Metric], groups: [Column]) {
        (self.metrics, self.groups, shown) = (metrics, groups, Array(groups.indices))
        (order, limit) = ([], nil)
    }

    private static func metric(
        _ value: JSONValue, path: String, warnings: inout [String]
    ) throws(QueryError) -> Metric {
        let metric: ObjectReader
        if let type = value.asString {
            metric = try ObjectReader(["type": .string(type)], path: path, allowed: nil)
        } else {
            metric = try ObjectReader(value, path: path, allowed: ["type", "field", "alias"])
        }
        guard let type = try metric.choice("type", of: metricTypes, what: "metric") else {
            throw .invalid(path: metric.path(of: "type"), reason: "missing", allowed: metricTypes)
        }
        let fieldName = try metric.string("field")
        let alias = try metric.string("alias") ?? fieldName.map { "\(type)_\($0)" } ?? type
        if type == "count" {
            guard fieldName == nil else {
                throw .invalid(
                    path: metric.path(of: "field"), reason: "\"count\" counts events and takes no field",
                    allowed: ["count_distinct"])
            }
            return Metric(measure: .count, alias: alias, path: path)
        }
        let fieldPath = metric.path(of: "field")
        guard let fieldName else {
            throw .invalid(path: fieldPath, reason: "\"\(type)\" needs a field", allowed: Field.allowed)
        }
        let field = try Field(parsing: fieldName, path: fieldPath, warnings: &warnings)
        if type == "count_distinct" { return Metric(measure: .countDistinct(field), alias: alias, path: path) }
        try checkIsNumeric(field, type, path: fieldPath)
        let measure: Metric.Measure =
            switch type {
            case "sum": .sum(field)
            case "avg": .average(field)
            case "min": .least(field)
            default: .greatest(field)
            }
        return Metric(measure: measure, alias: alias, path: path)
    }

    private static func checkIsNumeric(_ field: Field, _ type: String, path: String) throws(QueryError) {
        let isSum = type == "sum" || type == "avg"
        switch field {
        case .value, .bare: return
        case .fixed(.sequence), .fixed(.position): return
        case .fixed(.timestamp), .fixed(.receivedAt):
            guard isSum else { return }
            throw .invalid(path: path, reason: "\"\(type)\" of instants means nothing", allowed: ["min", "max"])
        case .fixed, .person:
            throw .invalid(
                path: path, reason: "\"\(type)\" needs numbers",
                allowed: ["properties.<name>", "device.<name>", "location.<name>", "context.<name>", "traits.<name>"])
        }
    }

    private static func columns(
        _ reader: ObjectReader, _ name: String, _ warnings: inout [String]
    ) throws(QueryError) -> [Column]? {
        guard let list = try reader.list(name, atMost: groupCountMax) else { return nil }
        var columns: [Column] = []
        for (value, path) in list {
            let column: Column
            if value.asObject != nil {
                let time = try ObjectReader(value, path: path, allowed: ["time"])
                let names = units.map(\.rawValue)
                guard let unit = try time.choice("time", of: names, what: "unit") else {
                    throw .invalid(path: time.path(of: "time"), reason: "missing", allowed: names)
                }
                column = Column(name: unit, dimension: .time(units[names.firstIndex(of: unit) ?? 0]))
            } else {
                column = try self.column(try value.text(path: path), path: path, warnings: &warnings)
            }
            guard !columns.contains(where: { $0.dimension == column.dimension }) else {
                throw .invalid(path: path, reason: "\"\(column.name)\" stands here twice")
            }
            columns.append(column)
        }
        return columns
    }

    private static func column(
        _ text: String, path: String, warnings: inout [String]
    ) throws(QueryError) -> Column {
        if let unit = units.first(where: { $0.rawValue == text }) { return Column(name: text, dimension: .time(unit)) }
        let field = try Field(parsing: text, path: path, warnings: &warnings)
        guard !field.isTime else {
            throw .invalid(path: path, reason: "instants are grouped by buckets", allowed: units.map(\.rawValue))
        }
        return Column(name: text, dimension: .field(field))
    }

    private static func order(
        _ reader: ObjectReader, groups: [Column], metrics: [Metric]
    ) throws(QueryError) -> [Order] {
        var order: [Order] = []
        for (value, path) in try reader.list("order_by", atMost: orderCountMax) ?? [] {
            var name: String
            var direction: String
            var namePath = path
            if value.asObject != nil {
                let object = try ObjectReader(value, path: path, allowed: ["field", "direction"])
                name = try object.requiredString("field")
                direction = try object.string("direction") ?? "asc"
                namePath = object.path(of: "field")
            } else {
                let words = try value.text(path: path).split(separator: " ").map(String.init)
                guard (1...2).contains(words.count) else {
                    throw .invalid(
                        path: path, reason: "a column is expected, and a direction after it if need be",
                        allowed: ["\"<column>\"", "\"<column> ASC\"", "\"<column> DESC\""])
                }
                (name, direction) = (words[0], words.count == 2 ? words[1] : "asc")
            }
            direction = direction.lowercased()
            guard direction == "asc" || direction == "desc" else {
                throw .unknown("direction", direction, path: path, allowed: ["asc", "desc"])
            }
            let key = try orderKey(name, path: namePath, groups: groups, metrics: metrics)
            order.append(Order(key: key, isDescending: direction == "desc"))
        }
        return order
    }

    private static func orderKey(
        _ name: String, path: String, groups: [Column], metrics: [Metric]
    ) throws(QueryError) -> Order.Key {
        if let metric = metrics.firstIndex(where: { $0.alias == name }) { return .metric(metric) }
        if let group = groups.firstIndex(where: { $0.name == name }) { return .group(group) }
        // The dashboards' "count DESC" over metrics without that name.
        if name == "count" { return .metric(0) }
        throw .unknown("column", name, path: path, allowed: metrics.map(\.alias) + groups.map(\.name))
    }
}
