import HTTPServer
import JSON
import Query

/// What a call for a dashboard's data may set: docs/dashboards.md §3.
struct DataOptions: Sendable {
    /// Of all widgets without dates of their own.
    var dates: DateSpan?
    var timeZone: String?
    /// The call's dates win over the widgets'.
    var overridesDates = false
    /// Charts bring the period before theirs too; nil: as the dashboard has it.
    var comparesPeriods: Bool?
    /// Beside those of the dashboard and of each widget.
    var filters: JSONValue?

    /// - Parameter takesFilters: false for somebody who may see no more than the dashboard shows.
    /// - Throws: `Problem` with the name of the parameter that is wrong.
    init(_ request: HTTPRequest, takesFilters: Bool, _ context: QuestionContext) throws {
        let span = DateSpan(start: request.queryValue("start"), end: request.queryValue("end"))
        dates = span.isOpen ? nil : span
        timeZone = request.queryValue("time_zone")
        overridesDates = try Self.bool(request, "override_dates") ?? false
        comparesPeriods = try Self.bool(request, "compare")
        if let text = request.queryValue("filters") {
            guard takesFilters else { throw Problem.forbidden("a shared dashboard takes no filters") }
            do throws(JSONError) {
                filters = try JSONValue(parsing: text)
            } catch {
                throw Problem.invalid("filters", "not JSON: \(error)")
            }
        }
        try check(context)
    }

    private func check(_ context: QuestionContext) throws {
        if let filters { try Dashboard.checkFilters(filters, path: "filters", context) }
        var question = JSONObject([.init("kind", "aggregate")])
        question["date_range"] = dates?.json
        question["time_zone"] = timeZone.map { .string($0) }
        do throws(QueryError) {
            _ = try Question(parsing: .object(question), context: context)
        } catch {
            var problem = Problem(error)
            problem.path = problem.path.map { $0.replacing("date_range.", with: "") }
            throw problem
        }
    }

    private static func bool(_ request: HTTPRequest, _ name: String) throws(Problem) -> Bool? {
        switch request.queryValue(name) {
        case nil: nil
        case "true": true
        case "false": false
        default: throw .invalid(name, "true or false is expected", allowed: ["true", "false"])
        }
    }
}
