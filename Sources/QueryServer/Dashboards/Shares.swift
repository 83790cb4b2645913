import Bytes
import Crypto
import HTTPServer
import JSON
import Metadata
import Synchronization
import Zones

/// Links that show a dashboard to whoever has them: made, listed, taken back, followed.
final class Shares: Sendable {
    private let store: MetadataStore
    private let clock: @Sendable () -> Int64
    private let knownKey = Mutex<HMACSHA256?>(nil)

    private static let keyDocument = DocumentKey(project: "", kind: .key, id: "shares")
    private static let dayMicros: Int64 = 86_400_000_000

    init(store: MetadataStore, clock: @escaping @Sendable () -> Int64) {
        self.store = store
        self.clock = clock
    }

    /// `POST /v1/dashboards/{id}/shares`; the dashboard is known to exist.
    func create(of dashboardID: String, _ call: Call) throws -> HTTPResponse {
        let reader = try BodyReader(try call.bodyAsJSON(), path: "", allowed: ["days"])
        guard let days = try reader.integer("days", in: 1...365) else { throw Problem.invalid("days", "missing") }
        for document in try store.documents(project: call.project, kind: .share) where isOver(document) {
            try deleteIfThere(document.key)
        }
        let now = clock()
        let key = DocumentKey(project: call.project, kind: .share, id: Identifier.make(Identifier.share))
        // Whole seconds: as the link has it.
        let expiry = (now + days * Self.dayMicros) / 1_000_000 * 1_000_000
        let body: JSONValue = [
            "dashboard_id": .string(dashboardID), "expires_at": .integer(expiry),
            "created_by": .string(call.principal.name),
        ]
        let made = try store.put(key, name: dashboardID, body: body, if: .isNew)
        return .json(try json(made, call.origin).encoded(), status: 201)
    }

    /// `GET /v1/shares`: those that still open something.
    func list(_ call: Call) throws -> HTTPResponse {
        let shares = try store.documents(project: call.project, kind: .share).filter { !isOver($0) }
        return .list("shares", try shares.map { try json($0, call.origin) })
    }

    /// `DELETE /v1/shares/{id}`.
    func delete(_ call: Call) throws -> HTTPResponse {
        try store.delete(DocumentKey(project: call.project, kind: .share, id: call.parameters["id"] ?? ""))
        return .noContent
    }

    /// Takes back every link to a dashboard.
    func deleteAll(of dashboardID: String, project: String) throws {
        for document in try store.documents(project: project, kind: .share)
        where document.body["dashboard_id"]?.asString == dashboardID {
            try deleteIfThere(document.key)
        }
    }

    /// What a link opens.
    /// - Throws: `Problem` 404 for one that is not ours, is over or was taken back: all alike.
    func follow(_ token: String) throws -> (project: String, dashboardID: String, expiryMicros: Int64) {
        guard let link = ShareLink(token: token, key: try key()), clock() < link.expirySeconds * 1_000_000,
            let document = try store.document(
                DocumentKey(project: link.project, kind: .share, id: link.shareID)),
            !isOver(document), let dashboardID = document.body["dashboard_id"]?.asString
        else { throw Problem.linkIsOver }
        return (link.project, dashboardID, link.expirySeconds * 1_000_000)
    }

    private func json(_ document: Document, _ origin: HostRules.Origin) throws -> JSONValue {
        let expiry = Self.expiryMicros(document)
        let link = ShareLink(
            project: document.key.project, shareID: document.key.id, expirySeconds: expiry / 1_000_000)
        return [
            "share_id": .string(document.key.id), "dashboard_id": document.body["dashboard_id"] ?? nil,
            "url": .string("\(origin)/#/shared/\(link.token(try key()))"),
            "expires_at": .string(ISO8601.format(micros: expiry)),
            "created_at": .string(ISO8601.format(micros: document.createdMicros)),
            "created_by": document.body["created_by"] ?? nil,
        ]
    }

    private func isOver(_ document: Document) -> Bool { Self.expiryMicros(document) <= clock() }

    private static func expiryMicros(_ document: Document) -> Int64 { document.body["expires_at"]?.asInteger ?? 0 }

    private func deleteIfThere(_ key: DocumentKey) throws(MetadataError) {
        do throws(MetadataError) {
            try store.delete(key)
        } catch {
            guard error == .missing else { throw error }
        }
    }

    /// The server's key; made when first needed, and the same for all that share the store.
    private func key() throws -> HMACSHA256 {
        if let known = knownKey.withLock({ $0 }) { return known }
        let fresh: JSONValue = ["key": .string(Hex.encode(secureRandomBytes(count: 32)))]
        do throws(MetadataError) {
            try store.put(Self.keyDocument, name: "", body: fresh, if: .isNew)
        } catch {
            // Another process was faster: its key is the one.
            guard error == .exists else { throw error }
        }
        guard let text = try store.document(Self.keyDocument)?.body["key"]?.asString,
            let bytes = Hex.decode(text), bytes.count == 32
        else { throw MetadataError.malformedDocument(place: "the key of shared links", reason: "it is not 32 bytes") }
        let key = HMACSHA256(key: bytes)
        knownKey.withLock { $0 = key }
        return key
    }
}

extension Problem {
    static let linkIsOver = Problem(
        status: 404, code: "not_found", message: "this link opens nothing: it is over, was taken back, or is not whole")
}
