import JSON
import Query

/// One widget of a dashboard, checked: what it shows, and the question whose answer it shows.
struct Widget: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        case metric, chart, funnel, table
    }

    enum ChartType: String, Sendable, CaseIterable {
        case line, bar, area, pie, stacked
    }

    let id: String
    let kind: Kind
    let title: String
    /// Of a chart.
    let chartType: ChartType?
    /// The columns that a table shows; nil: all of the answer.
    let columns: [String]?
    /// How many days back a metric's trend looks.
    let trendDays: Int?
    /// The dates of its filters.
    let dates: DateSpan?
    /// Its filters without the dates.
    let filters: JSONValue?
    /// What the question takes over as it is.
    private let asked: [JSONObject.Member]
    private let hasLimit: Bool

    /// Rows of a widget that sets no limit.
    static let rowCountMax = 1000
    private static let common = ["widget_id", "type", "title", "filters", "width"]
    private static let textBytes = 0...500

    /// - Parameters:
    ///   - path: where the dashboard has it, such as `widgets[2]`.
    ///   - context: for the question's check.
    /// - Throws: `Problem` with the place of the first thing that is wrong.
    init(_ value: JSONValue, path: String, context: QuestionContext) throws(Problem) {
        // The kind decides which members there may be, so it is read before they are judged.
        let names = value.asObject?.members.map(\.name) ?? []
        guard let kind = try BodyReader(value, path: path, allowed: names).choice("type", of: Kind.self) else {
            throw .invalid(path + ".type", "missing", allowed: Kind.allCases.map(\.rawValue))
        }
        let reader = try BodyReader(value, path: path, allowed: Self.common + kind.members)
        self.kind = kind
        id = try reader.requiredText("widget_id", bytes: 1...64)
        title = try reader.text("title", bytes: Self.textBytes) ?? ""
        _ = try reader.integer("width", in: 1...4)
        chartType = kind == .chart ? try reader.choice("chart_type", of: ChartType.self) ?? .bar : nil
        trendDays = try Self.trendDays(reader)
        columns = try reader.list("columns")?.map { (value, path) throws(Problem) in
            guard let name = value.asString else { throw .invalid(path, "a column's name is expected") }
            return name
        }
        (filters, dates) = try Self.filters(reader)
        asked = reader.members(kind.questionMembers)
        hasLimit = reader["limit"] != nil
        if kind == .metric { try Self.checkHasOneValue(reader) }
        try check(reader, context)
    }

    /// The question with the dates where the widget has them, so that errors name the widget's own members.
    private func check(_ reader: BodyReader, _ context: QuestionContext) throws(Problem) {
        var question = JSONObject([.init("kind", .string(questionKind))] + asked)
        question["filters"] = reader["filters"]
        do throws(QueryError) {
            _ = try Question(parsing: .object(question), context: context)
        } catch {
            var problem = Problem(error)
            problem.path = problem.path.map { reader.path(of: $0) } ?? reader.path
            throw problem
        }
        for (index, column) in (columns ?? []).enumerated() where !answerColumns.contains(column) {
            throw .invalid(
                reader.path(of: "columns[\(index)]"), "the answer has no column \"\(column)\"", allowed: answerColumns)
        }
    }

    /// What is asked about a widget's events.
    /// - Parameters:
    ///   - dates: nil is all time.
    ///   - more: filters beside the widget's own; all of them must hold.
    func question(_ dates: DateSpan?, timeZone: String?, more: [JSONValue]) -> JSONValue {
        var question = JSONObject([.init("kind", .string(questionKind))] + asked)
        let filters = more + (filters.map { [$0] } ?? [])
        if !filters.isEmpty { question["filters"] = filters.count == 1 ? filters[0] : ["and": .array(filters)] }
        if let dates { question["date_range"] = dates.json }
        if let timeZone { question["time_zone"] = .string(timeZone) }
        // One more than is shown, to see that there are more.
        if isCut { question["limit"] = .integer(Int64(Self.rowCountMax + 1)) }
        return .object(question)
    }

    /// Whether rows past `rowCountMax` are left out.
    var isCut: Bool { (kind == .chart || kind == .table) && !hasLimit }

    /// Whether a row of it stands for a person, or may.
    var namesPeople: Bool {
        let fields: Set<String> = [
            "user_id", "anonymous_id", "session_id", "event_id", "source", "sequence", "position",
        ]
        return columnTexts.contains { text in
            fields.contains(text.split(separator: ".").last.map(String.init) ?? text)
        }
    }

    private var questionKind: String { kind == .funnel ? "funnel" : "aggregate" }

    /// What it is grouped by, shown or not.
    private var columnTexts: [String] {
        asked.filter { $0.name == "dimensions" || $0.name == "group_by" }.flatMap { Self.texts($0.value) }
    }

    /// The columns of the answer, as the question's rules name them (docs/questions.md §2).
    private var answerColumns: [String] {
        let object = JSONObject(asked)
        let groups = (object["dimensions"] ?? object["group_by"]).map(Self.texts) ?? []
        let hasBuckets = columnTexts.contains(where: ["hour", "day", "week", "month"].contains)
        let metrics = (object["metrics"].map { $0.asArray ?? [$0] } ?? ["count"]).map { metric in
            if let alias = metric["alias"]?.asString { return alias }
            let type = metric.asString ?? metric["type"]?.asString ?? ""
            return metric["field"]?.asString.map { "\(type)_\($0)" } ?? type
        }
        return groups + (hasBuckets ? ["complete"] : []) + metrics
    }

    private static func texts(_ columns: JSONValue) -> [String] {
        (columns.asArray ?? [columns]).compactMap { $0.asString ?? $0["time"]?.asString }
    }

    private static func filters(_ reader: BodyReader) throws(Problem) -> (JSONValue?, DateSpan?) {
        guard let value = reader["filters"] else { return (nil, nil) }
        guard let filters = value.asObject else {
            throw .invalid(reader.path(of: "filters"), "an object is expected, not \(value.kindName)")
        }
        let rest = filters.members.filter { $0.name != "start_date" && $0.name != "end_date" }
        let dates = DateSpan(start: filters["start_date"]?.asString, end: filters["end_date"]?.asString)
        return (rest.isEmpty ? nil : .object(JSONObject(rest)), dates.isOpen ? nil : dates)
    }

    /// `"7_days"`: the same range, so many days earlier.
    private static func trendDays(_ reader: BodyReader) throws(Problem) -> Int? {
        guard let value = reader["trend"] else { return nil }
        let parts = value.asString?.split(separator: "_", omittingEmptySubsequences: false) ?? []
        guard parts.count == 2, parts[1] == "days" || parts[1] == "day", let days = Int(parts[0]),
            (1...3660).contains(days)
        else {
            throw .invalid(
                reader.path(of: "trend"), "a number of days is expected, from 1 to 3660", allowed: ["\"7_days\""])
        }
        return days
    }

    private static func checkHasOneValue(_ reader: BodyReader) throws(Problem) {
        if let metrics = reader["metrics"]?.asArray, metrics.count > 1 {
            throw .invalid(reader.path(of: "metrics"), "a metric shows one value; a table shows several")
        }
        if let dimensions = reader["dimensions"], dimensions.asArray?.isEmpty != true {
            throw .invalid(reader.path(of: "dimensions"), "a metric shows one value; a chart or table has dimensions")
        }
    }
}

extension Widget.Kind {
    /// Members that the question takes over.
    fileprivate var questionMembers: [String] {
        switch self {
        case .metric: ["dimensions", "metrics"]
        case .chart, .table: ["dimensions", "metrics", "group_by", "order_by", "limit"]
        case .funnel: ["funnel_steps", "window"]
        }
    }

    /// Members beside those that all have.
    fileprivate var members: [String] {
        switch self {
        case .metric: questionMembers + ["trend"]
        case .chart: questionMembers + ["chart_type"]
        case .table: questionMembers + ["columns"]
        case .funnel: questionMembers
        }
    }
}

/// A start and an end as people write them: docs/questions.md §1.3.
struct DateSpan: Sendable, Equatable {
    var start: String?
    var end: String?

    /// Whether it says nothing.
    var isOpen: Bool { start == nil && end == nil }

    var json: JSONValue {
        let ends = [("start", start), ("end", end)]
        return .object(JSONObject(ends.compactMap { name, text in text.map { .init(name, .string($0)) } }))
    }
}
