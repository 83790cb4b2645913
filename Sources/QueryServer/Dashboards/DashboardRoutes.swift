import JSON

/// The routes of what people make: dashboards, links to them, saved questions, descriptions.
struct DashboardRoutes: Sendable {
    let dashboards: DashboardsAPI
    let questions: SavedQuestions
    let descriptions: Descriptions

    var routes: [Route] { definitions + data + links + saved + described }

    private var definitions: [Route] {
        let api = dashboards
        return [
            Route(.get, "/v1/dashboards", .project(.read), on: .brief, Documents.listDashboards) { try api.list($0) },
            Route(.post, "/v1/dashboards", .project(.write), on: .brief, Documents.createDashboard) {
                try api.create($0)
            },
            Route(.get, "/v1/dashboards/{id}", .project(.read), on: .brief, Documents.getDashboard) { try api.get($0) },
            Route(.put, "/v1/dashboards/{id}", .project(.write), on: .brief, Documents.replaceDashboard) {
                try api.replace($0)
            },
            Route(.delete, "/v1/dashboards/{id}", .project(.write), on: .brief, Documents.deleteDashboard) {
                try api.delete($0)
            },
            Route(.post, "/v1/dashboards/{id}/duplicate", .project(.write), on: .brief, Documents.duplicateDashboard) {
                try api.duplicate($0)
            },
        ]
    }

    private var data: [Route] {
        let api = dashboards
        return [
            Route(.get, "/v1/dashboards/{id}/data", .project(.read), Documents.dashboardData) { try api.data($0) },
            Route(.get, "/v1/shared/{token}", .open, on: .brief, Documents.sharedDashboard) { try api.shared($0) },
            Route(.get, "/v1/shared/{token}/data", .open, Documents.sharedData) { try api.sharedData($0) },
        ]
    }

    private var links: [Route] {
        let api = dashboards
        return [
            Route(.post, "/v1/dashboards/{id}/shares", .project(.write), on: .brief, Documents.createShare) {
                try api.share($0)
            },
            Route(.get, "/v1/shares", .project(.write), on: .brief, Documents.listShares) { try api.shares.list($0) },
            Route(.delete, "/v1/shares/{id}", .project(.write), on: .brief, Documents.deleteShare) {
                try api.shares.delete($0)
            },
        ]
    }

    private var saved: [Route] {
        let api = questions
        return [
            Route(.get, "/v1/questions", .project(.read), on: .brief, Documents.listQuestions) { try api.list($0) },
            Route(.post, "/v1/questions", .project(.write), on: .brief, Documents.createQuestion) {
                try api.create($0)
            },
            Route(.get, "/v1/questions/{id}", .project(.read), on: .brief, Documents.getQuestion) { try api.get($0) },
            Route(.put, "/v1/questions/{id}", .project(.write), on: .brief, Documents.replaceQuestion) {
                try api.replace($0)
            },
            Route(.delete, "/v1/questions/{id}", .project(.write), on: .brief, Documents.deleteQuestion) {
                try api.delete($0)
            },
        ]
    }

    private var described: [Route] {
        let api = descriptions
        return [
            Route(.put, "/v1/events/names/{name}", .project(.write), on: .brief, Documents.describeEvent) {
                try api.put(.event, $0)
            },
            Route(.put, "/v1/properties/{name}", .project(.write), on: .brief, Documents.describeProperty) {
                try api.put(.property, $0)
            },
        ]
    }
}

/// What the OpenAPI document says of these routes.
private enum Documents {
    static let listDashboards = RouteDocument(
        operation: "listDashboards", summary: "The dashboards of a project, provisioned ones first.",
        responses: [list("dashboards", Schemas.dashboardSummary), unavailable])
    static let createDashboard = RouteDocument(
        operation: "createDashboard", summary: "Store a new dashboard.", body: Schemas.dashboardBody,
        responses: [.json(201, "The dashboard; Location has its address.", Schemas.dashboard), invalid, unavailable])
    static let getDashboard = RouteDocument(
        operation: "getDashboard", summary: "A dashboard's definition.",
        responses: [.json(200, "The dashboard; ETag is its version.", Schemas.dashboard), missing, unavailable])
    static let replaceDashboard = RouteDocument(
        operation: "replaceDashboard", summary: "Replace a dashboard's definition.", body: Schemas.dashboardBody,
        responses: [
            .json(200, "The dashboard as it is now.", Schemas.dashboard), invalid, missing, readOnly, conflict,
            unavailable,
        ])
    static let deleteDashboard = RouteDocument(
        operation: "deleteDashboard", summary: "Delete a dashboard and the links to it.",
        responses: [.empty(204, "It is gone."), missing, readOnly, conflict, unavailable])
    static let duplicateDashboard = RouteDocument(
        operation: "duplicateDashboard", summary: "Store a copy of a dashboard that can be changed.",
        body: ["type": "object", "properties": ["name": ["type": "string"]], "additionalProperties": false],
        responses: [.json(201, "The copy; Location has its address.", Schemas.dashboard), missing, unavailable])

    static let dashboardData = RouteDocument(
        operation: "getDashboardData", summary: "The data of a dashboard's widgets.",
        parameters: dataParameters + [
            .init(
                name: "filters", summary: "Filters in JSON, beside those of the dashboard and its widgets.",
                schema: text)
        ],
        responses: [
            .json(200, "The widgets with their data, in order; ETag names the data.", Schemas.data),
            .empty(304, "The data are those that If-None-Match names."), invalid, missing, unavailable,
        ])
    static let sharedDashboard = RouteDocument(
        operation: "getSharedDashboard", summary: "The dashboard that a link opens.",
        responses: [.json(200, "The dashboard without its filters.", Schemas.sharedDashboard), missing, unavailable])
    static let sharedData = RouteDocument(
        operation: "getSharedDashboardData", summary: "The data of the dashboard that a link opens.",
        parameters: dataParameters,
        responses: [
            .json(200, "As for the dashboard; widgets that name people are refused.", Schemas.data),
            .empty(304, "The data are those that If-None-Match names."), invalid, missing, unavailable,
        ])

    static let createShare = RouteDocument(
        operation: "createShare", summary: "Make a link that shows a dashboard to whoever has it.",
        body: [
            "type": "object", "required": ["days"], "additionalProperties": false,
            "properties": ["days": ["type": "integer", "minimum": 1, "maximum": 365]],
        ],
        responses: [.json(201, "The link.", Schemas.share), invalid, missing, unavailable])
    static let listShares = RouteDocument(
        operation: "listShares", summary: "The links of a project that are not over.",
        responses: [list("shares", Schemas.share), unavailable])
    static let deleteShare = RouteDocument(
        operation: "deleteShare", summary: "Take a link back.",
        responses: [.empty(204, "It opens nothing any more."), missing, unavailable])

    static let listQuestions = RouteDocument(
        operation: "listQuestions", summary: "The saved questions of a project.",
        parameters: [.init(name: "q", summary: "A part of the name, the description or the kind.", schema: text)],
        responses: [list("questions", Schemas.questionSummary), unavailable])
    static let createQuestion = RouteDocument(
        operation: "createQuestion", summary: "Save a question.", body: Schemas.questionBody,
        responses: [.json(201, "The question; Location has its address.", Schemas.question), invalid, unavailable])
    static let getQuestion = RouteDocument(
        operation: "getQuestion", summary: "A saved question.",
        responses: [.json(200, "The question; ETag is its version.", Schemas.question), missing, unavailable])
    static let replaceQuestion = RouteDocument(
        operation: "replaceQuestion", summary: "Replace a saved question.", body: Schemas.questionBody,
        responses: [
            .json(200, "The question as it is now.", Schemas.question), invalid, missing, conflict, unavailable,
        ])
    static let deleteQuestion = RouteDocument(
        operation: "deleteQuestion", summary: "Delete a saved question.",
        responses: [.empty(204, "It is gone."), missing, conflict, unavailable])

    static let describeEvent = RouteDocument(
        operation: "describeEvent", summary: "Say what an event type means, or hide it.", body: Schemas.descriptionBody,
        responses: [.json(200, "What is said now.", Schemas.described), invalid, unavailable])
    static let describeProperty = RouteDocument(
        operation: "describeProperty", summary: "Say what a property means, or hide it.",
        body: Schemas.descriptionBody,
        responses: [.json(200, "What is said now.", Schemas.described), invalid, unavailable])

    private static let text: JSONValue = ["type": "string"]
    private static let flag: JSONValue = ["type": "boolean"]
    private static let invalid = RouteDocument.Response.refusal(400, "Something is wrong: path says where.")
    private static let missing = RouteDocument.Response.refusal(404, "There is no such thing.")
    private static let readOnly = RouteDocument.Response.refusal(409, "It comes from the configuration.")
    private static let conflict = RouteDocument.Response.refusal(412, "It has another version than If-Match names.")
    private static let unavailable = RouteDocument.Response.refusal(503, "The database cannot be reached.")
    private static let dataParameters: [RouteDocument.Parameter] = [
        .init(name: "start", summary: "The first day or instant of widgets without dates of their own.", schema: text),
        .init(name: "end", summary: "The last day, or the instant before which events are.", schema: text),
        .init(name: "time_zone", summary: "A name of the IANA time zone database.", schema: text),
        .init(name: "override_dates", summary: "Whether start and end win over the widgets' dates.", schema: flag),
        .init(name: "compare", summary: "Whether charts bring the period before theirs too.", schema: flag),
    ]

    private static func list(_ plural: String, _ item: JSONValue) -> RouteDocument.Response {
        .json(200, "The list.", Schemas.object([plural: ["type": "array", "items": item]], required: [plural]))
    }
}
