import Access

/// Who calls: what a bearer token or a session stands for.
struct Principal: Sendable, Equatable {
    /// Which projects somebody may see.
    enum Scope: Sendable, Equatable {
        case all
        case only([String])
    }

    /// Who calls a route that asks for no token.
    static let anonymous = Principal(name: "", role: nil, scope: .only([]), tokenHash: [])

    /// The token's name.
    let name: String
    /// nil: nobody known.
    let role: Role?
    let scope: Scope
    /// SHA-256 of the token: what a session of this caller hangs on.
    let tokenHash: [UInt8]

    func mayDo(_ role: Role) -> Bool { self.role?.includes(role) ?? false }

    func maySee(_ project: String) -> Bool {
        switch scope {
        case .all: true
        case .only(let names): names.contains(project)
        }
    }
}

extension Principal {
    init(_ token: TokenFile.Token) {
        self.init(
            name: token.name, role: token.role, scope: token.role == .admin ? .all : .only(token.projects),
            tokenHash: token.sha256)
    }
}
