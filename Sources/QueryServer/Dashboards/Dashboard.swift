import Config
import JSON
import Metadata
import Query
import Zones

/// A dashboard, stored or provisioned: its definition and what the server knows of it.
struct Dashboard: Sendable {
    let id: String
    let name: String
    /// `widgets` and, if they were given, `filters`, `date_range`, `time_zone`, `compare`.
    let definition: JSONObject
    let isReadOnly: Bool
    let version: Int64
    /// nil for a provisioned one.
    let times: (createdMicros: Int64, updatedMicros: Int64)?

    static let widgetCountMax = 100
    private static let members = ["name", "widgets", "filters", "date_range", "time_zone", "compare"]
    /// What an answer adds; a client may send it back.
    private static let serverMembers = ["dashboard_id", "read_only", "version", "created_at", "updated_at"]

    init(_ document: Document) {
        id = document.key.id
        name = document.name
        definition = document.body.asObject ?? JSONObject()
        isReadOnly = false
        version = document.version
        times = (document.createdMicros, document.updatedMicros)
    }

    /// A dashboard of the configuration.
    /// - Throws: `ConfigError` with file and line of what is wrong.
    init(provisioned config: DashboardConfig, _ context: QuestionContext) throws(ConfigError) {
        let isValid =
            (1...64).contains(config.key.utf8.count)
            && config.key.utf8.allSatisfy { $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") || $0.isAlphanumeric }
        guard isValid, !config.key.hasPrefix(Identifier.dashboard) else {
            throw config.error(
                at: "", "a key has 1 to 64 letters, digits, - and _, and does not begin with \(Identifier.dashboard)")
        }
        do throws(Problem) {
            (name, definition) = try Self.read(.object(config.json), context)
        } catch {
            throw config.error(at: error.path ?? "", error.message)
        }
        id = config.key
        isReadOnly = true
        version = 1
        times = nil
    }

    /// Checks what a client wants stored.
    /// - Throws: `Problem` with the place of the first thing that is wrong.
    static func read(
        _ body: JSONValue, _ context: QuestionContext
    ) throws(Problem) -> (name: String, definition: JSONObject) {
        let reader = try BodyReader(body, path: "", allowed: members + serverMembers)
        let name = try reader.requiredText("name", bytes: 1...200)
        guard let widgets = try reader.list("widgets") else { throw .invalid("widgets", "missing") }
        guard widgets.count <= widgetCountMax else {
            throw .invalid("widgets", "more than \(widgetCountMax) widgets")
        }
        var ids = Set<String>()
        for (value, path) in widgets {
            let widget = try Widget(value, path: path, context: context)
            guard ids.insert(widget.id).inserted else {
                throw .invalid(path + ".widget_id", "\"\(widget.id)\" stands twice")
            }
        }
        if let filters = reader["filters"] { try checkFilters(filters, path: "filters", context) }
        if let dates = reader["date_range"] {
            _ = try BodyReader(dates, path: "date_range", allowed: ["start", "end"])
        }
        _ = try reader.bool("compare")
        try check(JSONObject(reader.members(["date_range", "time_zone"])), context)
        let kept = members.filter { $0 != "name" }
        return (name, JSONObject(reader.members(kept)))
    }

    /// Filters that stand beside those of widgets: without dates.
    static func checkFilters(_ filters: JSONValue, path: String, _ context: QuestionContext) throws(Problem) {
        for name in ["start_date", "end_date"] where filters[name] != nil {
            throw .invalid("\(path).\(name)", "these filters take no dates; they stand beside them")
        }
        try check(JSONObject([.init("filters", filters)]), context)
    }

    /// Whether a question may have these members.
    private static func check(_ members: JSONObject, _ context: QuestionContext) throws(Problem) {
        var question = members
        question["kind"] = "aggregate"
        do throws(QueryError) {
            _ = try Question(parsing: .object(question), context: context)
        } catch {
            throw Problem(error)
        }
    }

    // MARK: What it says

    var widgets: [JSONValue] { definition["widgets"]?.asArray ?? [] }

    var dates: DateSpan? {
        let range = definition["date_range"]
        let dates = DateSpan(start: range?["start"]?.asString, end: range?["end"]?.asString)
        return dates.isOpen ? nil : dates
    }

    /// All of it, as the API shows it.
    var json: JSONValue {
        var object = JSONObject([.init("dashboard_id", .string(id)), .init("name", .string(name))])
        for member in definition.members { object[member.name] = member.value }
        object["read_only"] = .bool(isReadOnly)
        object["version"] = .integer(version)
        object["created_at"] = Self.time(times?.createdMicros)
        object["updated_at"] = Self.time(times?.updatedMicros)
        return .object(object)
    }

    /// A line of the list.
    var summary: JSONValue {
        [
            "dashboard_id": .string(id), "name": .string(name), "widget_count": .integer(Int64(widgets.count)),
            "read_only": .bool(isReadOnly), "updated_at": Self.time(times?.updatedMicros),
        ]
    }

    /// What somebody sees who has only a link to it: no filters.
    var publicJSON: JSONValue {
        let names = ["widget_id", "type", "title", "width", "chart_type"]
        let widgets = widgets.map { widget -> JSONValue in
            .object(JSONObject(names.compactMap { name in widget[name].map { .init(name, $0) } }))
        }
        var object = JSONObject([
            .init("dashboard_id", .string(id)), .init("name", .string(name)), .init("widgets", .array(widgets)),
        ])
        for name in ["date_range", "time_zone", "compare"] { object[name] = definition[name] }
        object["read_only"] = true
        return .object(object)
    }

    private static func time(_ micros: Int64?) -> JSONValue {
        micros.map { .string(ISO8601.format(micros: $0)) } ?? nil
    }
}

extension UInt8 {
    fileprivate var isAlphanumeric: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
