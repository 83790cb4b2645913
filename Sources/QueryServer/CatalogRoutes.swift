import Bytes
import Crypto
import HTTPServer
import JSON
import Metadata
import Query
import Table
import Telemetry

/// What the events of a project are called and what values they have, with what people wrote about both.
struct CatalogRoutes: Sendable {
    let answering: Answering
    let descriptions: Descriptions
    let cache: AnswerCache<EventCatalog.Listing>

    var routes: [Route] {
        [
            Route(.get, "/v1/events/names", .project(.read), Self.namesDocument) { try names($0) },
            Route(.get, "/v1/properties", .project(.read), Self.propertiesDocument) { try properties($0) },
        ]
    }

    private func names(_ call: Call) throws -> HTTPResponse {
        let period = try period(call)
        return try answer(
            call, .event, "names \(period.cacheKey)",
            compute: { snapshot, execution in
                try EventCatalog.names(snapshot, period, execution)
            }, show: { items, _ in [.init("events", .array(items))] })
    }

    private func properties(_ call: Call) throws -> HTTPResponse {
        let period = try period(call)
        let type = call.request.queryValue("event_type")
        // Bytes: texts that only look alike are equal as strings.
        let key = "properties \(period.cacheKey) " + (type.map { "type \(Hex.encode(Array($0.utf8)))" } ?? "all")
        return try answer(
            call, .property, key,
            compute: { snapshot, execution in
                try EventCatalog.properties(snapshot, eventType: type, period, execution)
            },
            show: { items, listing in
                [.init("properties", .array(items)), .init("event_count", .integer(Int64(listing.eventCount)))]
            })
    }

    private func period(_ call: Call) throws -> EventCatalog.Period {
        func value(_ name: String) -> String? { call.request.queryValue(name) }
        return try EventCatalog.Period(
            start: value("start"), end: value("end"), timeZone: value("time_zone"),
            context: QuestionContext(atMicros: call.arrivedMicros))
    }

    /// - Parameters:
    ///   - key: equal for calls that have the same answer over the same snapshot.
    ///   - show: the members beside `meta`.
    private func answer(
        _ call: Call, _ subject: Descriptions.Subject, _ key: String,
        compute: (Snapshot, Execution) throws -> EventCatalog.Listing,
        show: ([JSONValue], EventCatalog.Listing) -> [JSONObject.Member]
    ) throws -> HTTPResponse {
        let startedMicros = Logger.systemClock()
        let snapshot = try answering.snapshot(call.project)
        let (described, warnings) = described(subject, call.project)
        let cacheKey = AnswerCache<EventCatalog.Listing>.Key(key, snapshot)
        func make() throws -> HTTPResponse {
            let known = call.wantsFreshAnswer ? nil : cacheKey.flatMap(cache.value)
            let listing = try known ?? answering.bounded(call) { try compute(snapshot, $0) }
            if known == nil, let cacheKey { cache.keep(listing, for: cacheKey) }
            let items = listing.items.map { item -> JSONValue in
                var json = item.json
                json["description"] = .string(described[Array(item.name.utf8)]?.description ?? "")
                json["hidden"] = .bool(described[Array(item.name.utf8)]?.isHidden ?? false)
                return .object(json)
            }
            var meta = listing.meta.json.asObject ?? JSONObject()
            meta["warnings"] = .array((meta["warnings"]?.asArray ?? []) + warnings.map { .string($0) })
            meta["cached"] = .bool(known != nil)
            meta["elapsed_ms"] = .number(Double(Logger.systemClock() - startedMicros) / 1000)
            let json = JSONObject(show(items, listing) + [.init("meta", .object(meta))])
            return .json(JSONValue.object(json).encoded())
        }
        guard let cacheKey, warnings.isEmpty, !call.wantsFreshAnswer else { return try make() }
        return try HTTPResponse.tagged(Self.tag(cacheKey, described), for: call.request, make)
    }

    /// Names are shown without what people wrote while that cannot be read.
    private func described(
        _ subject: Descriptions.Subject, _ project: String
    ) -> (items: Descriptions.Items, warnings: [String]) {
        do throws(MetadataError) {
            return (try descriptions.all(subject, project: project), [])
        } catch {
            return ([:], ["descriptions cannot be read now"])
        }
    }

    private static func tag(
        _ key: AnswerCache<EventCatalog.Listing>.Key, _ described: Descriptions.Items
    ) -> String {
        let texts = described.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { name, item -> JSONValue in
            [.string(Hex.encode(name)), .string(item.description), .bool(item.isHidden)]
        }
        let text: JSONValue = [
            .string(key.project), .string(key.question), .integer(key.position), .integer(key.tableVersion),
            .integer(key.clockMicros), .array(texts),
        ]
        return "\"" + Hex.encode(Array(SHA256.hash(text.encoded()).prefix(16))) + "\""
    }
}

extension EventCatalog.Listing {
    /// About what it takes in memory.
    var memoryBytes: Int { items.reduce(1024) { $0 + JSONValue.object($1.json).memoryBytes } }
}

// What the OpenAPI document says.
extension CatalogRoutes {
    private static let period: [RouteDocument.Parameter] = [
        .init(name: "start", summary: "The first day, or an instant.", schema: ["type": "string"]),
        .init(name: "end", summary: "The last day, or an instant before which.", schema: ["type": "string"]),
        .init(name: "time_zone", summary: "Whose days: a name of the IANA database.", schema: ["type": "string"]),
    ]
    private static let described: [JSONObject.Member] = [
        .init("name", ["type": "string"]), .init("count", ["type": "integer"]),
        .init("first_seen", ["type": "string"]), .init("last_seen", ["type": "string"]),
        .init("description", ["type": "string"]), .init("hidden", ["type": "boolean"]),
    ]

    private static func listing(_ name: String, _ members: [JSONObject.Member]) -> JSONValue {
        let item: JSONValue = ["type": "object", "properties": .object(JSONObject(described + members))]
        return [
            "type": "object", "required": [.string(name), "meta"],
            "properties": .object(
                JSONObject([
                    .init(name, ["type": "array", "items": item]), .init("meta", ["type": "object"]),
                    .init("event_count", ["type": "integer"]),
                ])),
        ]
    }

    private static let refusals: [RouteDocument.Response] = [
        .empty(304, "As the caller has it."), .refusal(404, "There is no such project."),
        .refusal(413, "Over the budget of memory."), .refusal(504, "Not answered in time."),
    ]

    private static let namesDocument = RouteDocument(
        operation: "listEventNames", summary: "The types of events of a period.", parameters: period,
        responses: [
            .json(
                200, "The types, most frequent first.",
                listing(
                    "events",
                    [
                        .init("users", ["type": "integer"]), .init("reserved", ["type": "boolean"]),
                    ]))
        ] + refusals)

    private static let propertiesDocument = RouteDocument(
        operation: "listProperties", summary: "The values that events of a period carry.",
        parameters: [
            .init(name: "event_type", summary: "Only of events of this type.", schema: ["type": "string"])
        ] + period,
        responses: [
            .json(
                200, "The values, those of most events first.",
                listing(
                    "properties",
                    [
                        .init("scope", ["type": "string"]), .init("fill_rate", ["type": "number"]),
                        .init("types", ["type": "object"]), .init("distinct", ["type": ["integer", "null"]]),
                        .init("samples", ["type": "array", "items": ["type": "object"]]),
                    ]))
        ] + refusals)
}
