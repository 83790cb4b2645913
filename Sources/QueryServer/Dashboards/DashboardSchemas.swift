import JSON

/// JSON Schemas of what these routes take and give.
enum Schemas {
    static func object(_ properties: KeyValuePairs<String, JSONValue>, required: [String] = []) -> JSONValue {
        [
            "type": "object", "required": .array(required.map { .string($0) }),
            "properties": .object(JSONObject(properties.map { .init($0.key, $0.value) })),
        ]
    }

    private static let text: JSONValue = ["type": "string"]
    private static let texts: JSONValue = ["type": "array", "items": ["type": "string"]]
    private static let flag: JSONValue = ["type": "boolean"]
    private static let whole: JSONValue = ["type": "integer"]
    private static let anyObject: JSONValue = ["type": "object"]
    private static let objects: JSONValue = ["type": "array", "items": ["type": "object"]]
    private static let time: JSONValue = ["type": "string", "format": "date-time"]
    private static let timeOrNull: JSONValue = ["type": ["string", "null"], "format": "date-time"]
    private static let name: JSONValue = ["type": "string", "minLength": 1, "maxLength": 200]
    private static let dates = object(["start": text, "end": text])

    private static func choice(_ words: [String]) -> JSONValue { ["enum": .array(words.map { .string($0) })] }

    private static let widget = object(
        [
            "widget_id": ["type": "string", "minLength": 1, "maxLength": 64],
            "type": choice(Widget.Kind.allCases.map(\.rawValue)), "title": text, "filters": anyObject,
            "dimensions": ["type": "array"], "metrics": ["type": "array"], "group_by": ["type": "array"],
            "order_by": ["type": "array"], "limit": whole,
            "trend": ["type": "string", "pattern": "^[1-9][0-9]*_days?$"],
            "chart_type": choice(Widget.ChartType.allCases.map(\.rawValue)),
            "funnel_steps": objects, "window": ["type": ["string", "object"]], "columns": texts,
            "width": ["type": "integer", "minimum": 1, "maximum": 4],
        ], required: ["widget_id", "type"])

    static let dashboardBody = object(
        [
            "name": name,
            "widgets": [
                "type": "array", "items": widget, "maxItems": .integer(Int64(Dashboard.widgetCountMax)),
            ],
            "filters": anyObject, "date_range": dates, "time_zone": text, "compare": flag,
        ], required: ["name", "widgets"])

    static let dashboard = object(
        [
            "dashboard_id": text, "name": name, "widgets": ["type": "array", "items": widget], "filters": anyObject,
            "date_range": dates, "time_zone": text, "compare": flag, "read_only": flag, "version": whole,
            "created_at": timeOrNull, "updated_at": timeOrNull,
        ], required: ["dashboard_id", "name", "widgets", "read_only", "version", "created_at", "updated_at"])

    static let dashboardSummary = object(
        ["dashboard_id": text, "name": name, "widget_count": whole, "read_only": flag, "updated_at": timeOrNull],
        required: ["dashboard_id", "name", "widget_count", "read_only", "updated_at"])

    static let sharedDashboard = object(
        [
            "dashboard_id": text, "name": name, "widgets": objects, "date_range": dates, "time_zone": text,
            "compare": flag, "read_only": flag, "expires_at": time,
        ], required: ["dashboard_id", "name", "widgets", "read_only", "expires_at"])

    static let data = object(
        [
            "dashboard_id": text, "name": name,
            "widgets": [
                "type": "array",
                "items": object(
                    [
                        "widget_id": text, "type": text, "title": text, "dates": choice(["dashboard", "widget"]),
                        "trend": ["type": ["object", "null"]], "chart_type": text, "columns": texts,
                        "data": ["type": ["array", "object"]], "previous": objects, "meta": anyObject,
                        "error": anyObject,
                    ], required: ["widget_id", "type", "title"]),
            ],
            "meta": object(
                [
                    "from": timeOrNull, "to": timeOrNull, "time_zone": text, "as_of": anyObject,
                    "elapsed_ms": ["type": "number"],
                ],
                required: ["from", "to", "time_zone", "as_of", "elapsed_ms"]),
        ], required: ["dashboard_id", "name", "widgets", "meta"])

    static let share = object(
        [
            "share_id": text, "dashboard_id": text, "url": text, "expires_at": time, "created_at": time,
            "created_by": text,
        ], required: ["share_id", "dashboard_id", "url", "expires_at"])

    static let questionBody = object(
        [
            "name": name, "description": text, "question": ["$ref": "/v1/query.schema.json"],
            "view": ["description": "What a page keeps with the question: any JSON."],
        ], required: ["name", "question"])

    private static let questionHead: KeyValuePairs<String, JSONValue> = [
        "question_id": text, "name": name, "description": text, "kind": text, "version": whole, "created_at": time,
        "updated_at": time,
    ]
    private static let questionHeadNames = questionHead.map(\.key)
    static let questionSummary = object(questionHead, required: questionHeadNames)
    static let question: JSONValue = [
        "allOf": [questionSummary, object(["question": anyObject], required: ["question"])]
    ]

    static let descriptionBody: JSONValue = object(["description": text, "hidden": flag])
    static let described = object(
        ["name": text, "description": text, "hidden": flag], required: ["name", "description", "hidden"])
}
