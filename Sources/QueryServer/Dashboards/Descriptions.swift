import HTTPServer
import JSON
import Metadata

/// What people wrote about events and properties: `PUT /v1/events/names/{name}`, `PUT /v1/properties/{name}`. The
/// catalog shows it beside what the events say.
struct Descriptions: Sendable {
    enum Subject: String, Sendable {
        case event, property
    }

    struct Item: Sendable, Equatable {
        var description = ""
        /// Left out where people choose names.
        var isHidden = false
    }

    let store: MetadataStore

    private static let scopes = ["properties.", "device.", "location.", "context.", "traits."]

    /// By the bytes of the name: as strings, names that only look alike are equal.
    typealias Items = [[UInt8]: Item]

    /// Names such as `page_view` and `properties.page_name` that somebody described.
    func all(_ subject: Subject, project: String) throws(MetadataError) -> Items {
        let prefix = subject.rawValue + ":"
        var items: Items = [:]
        for document in try store.documents(project: project, kind: .description)
        where document.key.id.hasPrefix(prefix) {
            items[Array(document.name.utf8)] = Item(
                description: document.body["description"]?.asString ?? "",
                isHidden: document.body["hidden"]?.asBool ?? false)
        }
        return items
    }

    func put(_ subject: Subject, _ call: Call) throws -> HTTPResponse {
        let name = call.parameters["name"] ?? ""
        guard (1...512).contains(name.utf8.count) else {
            throw Problem.invalid("name", "a name of 1 to 512 bytes is expected")
        }
        guard subject == .event || Self.scopes.contains(where: { name.hasPrefix($0) }) else {
            let allowed = Self.scopes.map { $0 + "…" }
            throw Problem.invalid("name", "a property is named as the catalog does", allowed: allowed)
        }
        let reader = try BodyReader(try call.bodyAsJSON(), path: "", allowed: ["description", "hidden", "name"])
        let description = try reader.text("description", bytes: 0...2000) ?? ""
        let isHidden = try reader.bool("hidden") ?? false
        let key = DocumentKey(project: call.project, kind: .description, id: "\(subject):\(name)")
        let body: JSONValue = ["description": .string(description), "hidden": .bool(isHidden)]
        try store.put(key, name: name, body: body, if: .always)
        let shown: JSONValue = [
            "name": .string(name), "description": .string(description), "hidden": .bool(isHidden),
        ]
        return .json(shown.encoded())
    }
}
