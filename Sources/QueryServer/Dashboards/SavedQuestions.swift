import HTTPServer
import JSON
import Metadata
import Query
import Zones

/// Questions that people keep: `/v1/questions`.
struct SavedQuestions: Sendable {
    let store: MetadataStore
    let context: @Sendable () -> QuestionContext

    /// `?q=`: those whose name, description or kind holds the text, in any case of letters.
    func list(_ call: Call) throws -> HTTPResponse {
        let wanted = call.request.queryValue("q")?.lowercased() ?? ""
        let found = try store.documents(project: call.project, kind: .question).filter { document in
            let texts = [document.name, document.body["description"]?.asString, Self.kind(document)]
            return wanted.isEmpty || texts.contains { $0?.lowercased().contains(wanted) ?? false }
        }
        return .list("questions", found.map(Self.summary))
    }

    func create(_ call: Call) throws -> HTTPResponse {
        let (name, body) = try read(try call.bodyAsJSON())
        let key = DocumentKey(project: call.project, kind: .question, id: Identifier.make(Identifier.question))
        let made = try store.put(key, name: name, body: body, if: .isNew)
        return Self.response(made, status: 201).adding("Location", "/v1/questions/\(key.id)")
    }

    func get(_ call: Call) throws -> HTTPResponse {
        guard let document = try store.document(key(call)) else { throw MetadataError.missing }
        return Self.response(document)
    }

    func replace(_ call: Call) throws -> HTTPResponse {
        let (name, body) = try read(try call.bodyAsJSON())
        let condition = try call.request.writeCondition()
        return Self.response(try store.put(key(call), name: name, body: body, if: condition))
    }

    func delete(_ call: Call) throws -> HTTPResponse {
        try store.delete(key(call), expectedVersion: try call.request.expectedVersion())
        return .noContent
    }

    private func key(_ call: Call) -> DocumentKey {
        DocumentKey(project: call.project, kind: .question, id: call.parameters["id"] ?? "")
    }

    private static let members = ["name", "description", "question", "view"]
    /// What an answer adds; a client may send it back.
    private static let serverMembers = ["question_id", "kind", "version", "created_at", "updated_at"]

    private func read(_ body: JSONValue) throws(Problem) -> (name: String, body: JSONValue) {
        let reader = try BodyReader(body, path: "", allowed: Self.members + Self.serverMembers)
        let name = try reader.requiredText("name", bytes: 1...200)
        _ = try reader.text("description", bytes: 0...2000)
        guard let question = reader["question"] else { throw .invalid("question", "missing") }
        do throws(QueryError) {
            _ = try Question(parsing: question, context: context())
        } catch {
            var problem = Problem(error)
            problem.path = problem.path.map { "question." + $0 } ?? "question"
            throw problem
        }
        return (name, .object(JSONObject(reader.members(Array(Self.members.dropFirst())))))
    }

    private static func response(_ document: Document, status: Int = 200) -> HTTPResponse {
        var object = summary(document).asObject ?? JSONObject()
        for name in ["question", "view"] { object[name] = document.body[name] }
        return HTTPResponse.json(JSONValue.object(object).encoded(), status: status)
            .adding("ETag", "\"\(document.version)\"")
    }

    private static func summary(_ document: Document) -> JSONValue {
        [
            "question_id": .string(document.key.id), "name": .string(document.name),
            "description": document.body["description"] ?? "",
            "kind": kind(document).map { .string($0) } ?? nil, "version": .integer(document.version),
            "created_at": .string(ISO8601.format(micros: document.createdMicros)),
            "updated_at": .string(ISO8601.format(micros: document.updatedMicros)),
        ]
    }

    private static func kind(_ document: Document) -> String? { document.body["question"]?["kind"]?.asString }
}
