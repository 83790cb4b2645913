/// A path of which some segments may be anything: `/v1/dashboards/{id}/data`. Written as a literal.
struct PathPattern: Sendable, Equatable, ExpressibleByStringLiteral {
    enum Segment: Sendable, Equatable {
        case text(String)
        case parameter(String)
    }

    /// As written; also the path's name in the OpenAPI document.
    let text: String
    let segments: [Segment]

    init(stringLiteral text: String) { self.init(text) }

    init(_ text: String) {
        self.text = text
        segments = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map { segment in
            guard segment.hasPrefix("{"), segment.hasSuffix("}") else { return .text(String(segment)) }
            return .parameter(String(segment.dropFirst().dropLast()))
        }
    }

    /// The names of the parameters, in their order.
    var parameterNames: [String] {
        segments.compactMap { segment in
            if case .parameter(let name) = segment { name } else { nil }
        }
    }

    /// - Parameter path: a path's segments, decoded.
    /// - Returns: what the parameters stand for; nil if the path is another one. A parameter is never empty.
    func match(_ path: [String]) -> [String: String]? {
        guard path.count == segments.count else { return nil }
        var parameters: [String: String] = [:]
        for (segment, piece) in zip(segments, path) {
            switch segment {
            case .text(let text):
                guard piece == text else { return nil }
            case .parameter(let name):
                guard !piece.isEmpty else { return nil }
                parameters[name] = piece
            }
        }
        return parameters
    }
}
