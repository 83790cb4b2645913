import Metadata

extension Problem {
    init(_ error: MetadataError) {
        let message = error.description
        switch error {
        case .missing: self.init(status: 404, code: "not_found", message: message)
        case .exists: self.init(status: 409, code: "exists", message: message)
        case .versionConflict:
            self.init(status: 412, code: "version_conflict", message: message + "; read it anew and try again")
        case .textWithNul: self = .invalid("", message)
        case .unreachable, .foreignFile, .damaged, .newerSchema:
            // Which host, user or file it is stands in the log: whoever has a link may ask.
            self.init(
                status: 503, code: "unavailable", message: "what people made cannot be read or changed now",
                headers: [("Retry-After", "5")])
        case .malformedDocument, .refused:
            self.init(status: 500, code: "internal", message: "a fault of the server: its log says which")
        }
    }
}
