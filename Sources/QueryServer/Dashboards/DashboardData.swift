import JSON
import Query
import Table

/// Answers a plan: the data of each widget in the seed's shape. A widget that fails says so and stops no other.
struct DashboardData {
    /// Answers one question.
    typealias Ask = @Sendable (Question) throws -> Answer

    let plan: DataPlan
    let ask: Ask

    /// - Returns: the widgets, and whether they would be the same if they were asked for again: none failed for a
    ///   reason that may pass.
    /// - Throws: only what makes the rest pointless: the client hung up.
    func widgets() throws -> (widgets: [JSONValue], areLasting: Bool) {
        var widgets: [JSONValue] = []
        var areLasting = true
        for item in plan.items { widgets.append(try data(item, &areLasting)) }
        return (widgets, areLasting)
    }

    private func data(_ item: DataPlan.Item, _ areLasting: inout Bool) throws -> JSONValue {
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
            // Any other status is of the moment: time, memory, the disk.
            if problem.status != 400, problem.status != 403 { areLasting = false }
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
        var meta = meta(answer)
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

    /// What is said of an answer. Whoever has only a link learns what it is about, and neither the names of filters,
    /// which are in warnings, nor how much was looked at.
    private func meta(_ answer: Answer) -> JSONObject {
        let whole = answer.meta.json.asObject ?? JSONObject()
        guard plan.isPublic else { return whole }
        let names = ["as_of", "from", "to", "time_zone", "exact", "behind"]
        return JSONObject(names.compactMap { name in whole[name].map { .init(name, $0) } } + [.init("warnings", [])])
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
