import Access
import Wire

/// What a token is good for on the wire.
struct Admission: Equatable {
    let tokenName: String
    let grant: Grant

    /// nil for a token that is queryd's affair.
    init?(_ token: TokenFile.Token) {
        tokenName = token.name
        switch token.role {
        case .ingest:
            guard let project = token.projects.first else { return nil }
            grant = .ingest(project: project)
        case .relay: grant = .relay(projects: Set(token.projects))
        case .admin: grant = .admin
        case .read, .write: return nil
        }
    }
}
