import Config
import Files
import HTTPServer
import JSON
import Metadata
import Query
import Table
import Zones

/// Dashboards over HTTP: docs/dashboards.md. Those of the configuration come first and cannot be changed; the others
/// are in the store.
struct DashboardsAPI: Sendable {
    /// Answers one question of a call.
    typealias Ask = @Sendable (Question, Snapshot, Call) throws -> Answer

    let provisioned: [Dashboard]
    let store: MetadataStore
    let shares: Shares
    let snapshot: @Sendable (_ project: String) throws -> Snapshot
    let clock: @Sendable () -> Int64
    let ask: Ask

    /// - Parameters:
    ///   - clock: µs since 1970-01-01 UTC.
    ///   - snapshot: of a project, as new as can be had.
    init(
        provisioned: [Dashboard], store: MetadataStore, clock: @escaping @Sendable () -> Int64,
        snapshot: @escaping @Sendable (_ project: String) throws -> Snapshot, ask: @escaping Ask
    ) {
        self.provisioned = provisioned
        self.store = store
        self.clock = clock
        self.snapshot = snapshot
        self.ask = ask
        shares = Shares(store: store, clock: clock)
    }

    // MARK: Definitions

    func list(_ call: Call) throws -> HTTPResponse {
        let stored = try store.documents(project: call.project, kind: .dashboard).map(Dashboard.init)
        return .list("dashboards", (provisioned + stored).map(\.summary))
    }

    func create(_ call: Call) throws -> HTTPResponse {
        let (name, definition) = try Dashboard.read(try call.bodyAsJSON(), context)
        return try create(name, definition, call)
    }

    func get(_ call: Call) throws -> HTTPResponse { response(try dashboard(call)) }

    func replace(_ call: Call) throws -> HTTPResponse {
        let key = try changeable(call)
        let (name, definition) = try Dashboard.read(try call.bodyAsJSON(), context)
        let condition = try call.request.writeCondition()
        return response(Dashboard(try store.put(key, name: name, body: .object(definition), if: condition)))
    }

    func delete(_ call: Call) throws -> HTTPResponse {
        let key = try changeable(call)
        try store.delete(key, expectedVersion: try call.request.expectedVersion())
        try shares.deleteAll(of: key.id, project: key.project)
        return .noContent
    }

    /// A copy that can be changed. The body may give it a name.
    func duplicate(_ call: Call) throws -> HTTPResponse {
        let original = try dashboard(call)
        let body: JSONValue = call.request.body.isEmpty ? [:] : try call.bodyAsJSON()
        let name = try BodyReader(body, path: "", allowed: ["name"]).text("name", bytes: 1...200)
        return try create(name ?? Self.copyName(original.name), original.definition, call)
    }

    private func create(_ name: String, _ definition: JSONObject, _ call: Call) throws -> HTTPResponse {
        let key = DocumentKey(project: call.project, kind: .dashboard, id: Identifier.make(Identifier.dashboard))
        let made = try store.put(key, name: name, body: .object(definition), if: .isNew)
        return response(Dashboard(made), status: 201).adding("Location", "/v1/dashboards/\(key.id)")
    }

    /// "Copy of …", as long as a name may be.
    private static func copyName(_ name: String) -> String {
        let copy = "Copy of \(name)"
        return copy.utf8.count <= 200 ? copy : name
    }

    private func response(_ dashboard: Dashboard, status: Int = 200) -> HTTPResponse {
        HTTPResponse.json(dashboard.json.encoded(), status: status).adding("ETag", "\"\(dashboard.version)\"")
    }

    private func dashboard(_ call: Call) throws -> Dashboard {
        try dashboard(call.parameters["id"] ?? "", project: call.project)
    }

    private func dashboard(_ id: String, project: String) throws -> Dashboard {
        if let found = provisioned.first(where: { $0.id == id }) { return found }
        guard let document = try store.document(DocumentKey(project: project, kind: .dashboard, id: id)) else {
            throw MetadataError.missing
        }
        return Dashboard(document)
    }

    /// - Throws: `Problem` 409 for a provisioned one.
    private func changeable(_ call: Call) throws(Problem) -> DocumentKey {
        let id = call.parameters["id"] ?? ""
        guard !provisioned.contains(where: { $0.id == id }) else {
            throw Problem(
                status: 409, code: "read_only",
                message: "\"\(id)\" comes from the configuration; duplicate it to edit the copy")
        }
        return DocumentKey(project: call.project, kind: .dashboard, id: id)
    }

    // MARK: Data

    func data(_ call: Call) throws -> HTTPResponse {
        let options = try DataOptions(call.request, takesFilters: true, context)
        return try data(try dashboard(call), project: call.project, options, isPublic: false, call)
    }

    private func data(
        _ dashboard: Dashboard, project: String, _ options: DataOptions, isPublic: Bool, _ call: Call
    ) throws -> HTTPResponse {
        let started = clock()
        let snapshot = try snapshot(project)
        // Cut at the minute, not at the microsecond: else no two calls would want the same data.
        let minute = started - started % 60_000_000
        let plan = try DataPlan(
            dashboard, options, isPublic: isPublic, snapshot: snapshot, nowMicros: minute, context)
        return try .tagged(plan.tag, for: call.request) {
            let (widgets, areLasting) = try DashboardData(plan: plan, ask: { try ask($0, snapshot, call) }).widgets()
            let json: JSONValue = [
                "dashboard_id": .string(dashboard.id), "name": .string(dashboard.name), "widgets": .array(widgets),
                "meta": meta(plan, snapshot, startedMicros: started),
            ]
            let response = HTTPResponse.json(json.encoded())
            return areLasting ? response : response.adding("Cache-Control", "no-store")
        }
    }

    private func meta(_ plan: DataPlan, _ snapshot: Snapshot, startedMicros: Int64) -> JSONValue {
        let range = plan.range
        return [
            "from": range.from == .min ? nil : .string(ISO8601.format(micros: range.from, zone: plan.zone)),
            "to": range.to == .max ? nil : .string(ISO8601.format(micros: range.to, zone: plan.zone)),
            "time_zone": .string(plan.zone.name),
            "as_of": [
                "position": .integer(snapshot.position),
                "clock": .string(ISO8601.format(micros: snapshot.clockMicros)),
            ],
            "elapsed_ms": .number(Double(clock() - startedMicros) / 1000),
        ]
    }

    // MARK: Links

    func share(_ call: Call) throws -> HTTPResponse {
        try shares.create(of: try dashboard(call).id, call)
    }

    func shared(_ call: Call) throws -> HTTPResponse {
        let (dashboard, _, expiry) = try linked(call)
        var object = dashboard.publicJSON.asObject ?? JSONObject()
        object["expires_at"] = .string(ISO8601.format(micros: expiry))
        return .json(JSONValue.object(object).encoded())
    }

    func sharedData(_ call: Call) throws -> HTTPResponse {
        let (dashboard, project, _) = try linked(call)
        let options = try DataOptions(call.request, takesFilters: false, context)
        return try data(dashboard, project: project, options, isPublic: true, call)
    }

    private func linked(_ call: Call) throws -> (Dashboard, project: String, expiryMicros: Int64) {
        let link = try shares.follow(call.parameters["token"] ?? "")
        do {
            return (try dashboard(link.dashboardID, project: link.project), link.project, link.expiryMicros)
        } catch MetadataError.missing {
            throw Problem.linkIsOver
        }
    }

    var context: QuestionContext { QuestionContext(atMicros: clock()) }
}

extension QuestionContext {
    /// Dates relative to an instant, zones from the system's database.
    init(atMicros micros: Int64) {
        self.init(nowMicros: micros) { name throws(ZoneError) in try Zone(named: name, disk: .posix) }
    }
}
