import JSON
import Query
import Table

/// Answers a plan: the data of each widget in the seed's shape. A widget that fails says so and stops no other.
struct DashboardData {
    /// Answers one question.
    typealias Ask = @Sendable (Question) throws -> Answer

    let plan: DataPlan
    let ask: Ask

    /// - Throws: only what makes the rest pointless: the client hung up.
    func widgets() throws -> [JSONValue] {
        var widgets: [JSONValue] = []
        for item in plan.items { widgets.append(try data(item)) }
        return widgets
    }

    private func data(_ item: DataPlan.Item) throws -> JSONValue {
        var object = JSONObject(item.head)
        do {
            switch item.work {
            case .refused(let problem): throw problem
            case .ask(let widget, let question, let earlier):
                for member in try members(widget, question, earlier) { object[member.name] = member.value }
            }
        } catch {
            let problem = Problem(error)
            if problem.code == Problem.clientGone.code { throw problem }
            object["error"] = problem.json["error"]
        }
        return .object(object)
    }

    private func members(
        _ widget: Widget, _ question: Question, _ earlier: DataPlan.Earlier?
    ) throws -> [JSONObject.Member] {
        let answer = try ask(question)
        let previous = try earlier.map { try ask($0.question) }
        var members: [JSONObject.Member]
        var meta = answer.meta.json.asObject ?? JSONObject()
        switch widget.kind {
        case .metric:
            let value = Self.value(answer)
            members = [.init("value", value)]
            if let earlier, let previous {
                let trend = Self.trend(value, previous: Self.value(previous), days: earlier.days)
                members.append(.init("trend", trend))
            } else {
                members.append(.init("trend", nil))
            }
        case .chart:
            let shown = Self.cut(answer, widget, &meta)
            members = [
                .init("chart_type", widget.chartType.map { .string($0.rawValue) } ?? nil),
                .init("columns", Self.columns(answer)), .init("data", shown),
            ]
            if let previous { members.append(.init("previous", Self.cut(previous, widget, &meta))) }
        case .funnel:
            let json = answer.json
            members = [
                .init(
                    "data",
                    [
                        "steps": json["steps"] ?? [],
                        "overall_conversion_rate": json["overall_conversion_rate"] ?? nil,
                    ])
            ]
        case .table:
            let columns = widget.columns.map { JSONValue.array($0.map { .string($0) }) } ?? Self.columns(answer)
            members = [.init("columns", columns), .init("data", Self.cut(answer, widget, &meta))]
        }
        members.append(.init("meta", .object(meta)))
        return members
    }

    /// The one value of an answer without groups.
    private static func value(_ answer: Answer) -> JSONValue { answer.rows.first?.last ?? 0 }

    private static func trend(_ value: JSONValue, previous: JSONValue, days: Int) -> JSONValue {
        var change = JSONValue.null
        if let value = value.asDouble, let previous = previous.asDouble, previous != 0 {
            change = .number((value - previous) / abs(previous))
        }
        return ["value": value, "previous": previous, "change": change, "days": .integer(Int64(days))]
    }

    private static func columns(_ answer: Answer) -> JSONValue { .array(answer.columns.map { .string($0) }) }

    /// The rows as objects; without a limit of the widget's, only so many, which `meta` tells.
    private static func cut(_ answer: Answer, _ widget: Widget, _ meta: inout JSONObject) -> JSONValue {
        let isCut = widget.isCut && answer.rows.count > Widget.rowCountMax
        if isCut {
            let warning = JSONValue.string("there are more than \(Widget.rowCountMax) rows; a limit shows others")
            meta["warnings"] = .array((meta["warnings"]?.asArray ?? []) + [warning])
        }
        let names = widget.columns ?? answer.columns
        let places = names.map { name in answer.columns.firstIndex(of: name) }
        let rows = answer.rows.prefix(isCut ? Widget.rowCountMax : answer.rows.count)
        return .array(
            rows.map { row in
                .object(JSONObject(zip(names, places).map { name, place in .init(name, place.map { row[$0] } ?? nil) }))
            })
    }
}
