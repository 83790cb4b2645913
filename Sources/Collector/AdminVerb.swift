import JSON
import Wire

/// The admin verbs: protocol/frames.md §9.
enum AdminVerb: String, CaseIterable {
    case publish, status
    case reloadTokens = "reload_tokens"
    case createProject = "create_project"

    static func perform(_ request: AdminRequest, daemon: CollectorDaemon, then: @escaping (AdminReply) -> Void) {
        func reply(_ status: AdminStatus, _ result: JSONValue) {
            then(AdminReply(number: request.number, status: status, result: result.description))
        }
        func refuse(_ reason: String) { reply(.failed, ["error": .string(reason)]) }
        guard let verb = AdminVerb(rawValue: request.verb) else {
            let known = allCases.map(\.rawValue).joined(separator: ", ")
            return refuse("there is no verb \"\(request.verb)\"; there are \(known)")
        }
        let argument: JSONValue
        do { argument = request.argument.isEmpty ? [:] : try JSONValue(parsing: request.argument) } catch {
            return refuse("argument: \(error)")
        }
        guard argument.asObject != nil else { return refuse("argument: not a JSON object") }
        let project = argument["project"]?.asString
        if argument["project"] != nil && project == nil { return refuse("argument: \"project\" is not a string") }
        switch verb {
        case .publish:
            daemon.publish(project: project) { result in
                switch result {
                case .success(let report): reply(.done, report)
                case .failure(let refusal): refuse(refusal.reason)
                }
            }
        case .status:
            reply(.done, daemon.status)
        case .reloadTokens:
            do {
                try daemon.reloadTokens()
                reply(.done, [:])
            } catch {
                refuse("\(error)")
            }
        case .createProject:
            guard let name = project else { return refuse("argument: \"project\" is missing") }
            do {
                try daemon.createProject(name)
                reply(.done, ["project": .string(name)])
            } catch {
                refuse("\(error)")
            }
        }
    }
}
