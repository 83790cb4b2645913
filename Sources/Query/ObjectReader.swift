import JSON

/// Reads one object of a question; every error names its place.
struct ObjectReader {
    let path: String
    private let object: JSONObject

    /// - Parameter allowed: the names it may have; nil for an object whose names are fields.
    init(_ value: JSONValue, path: String, allowed: [String]?) throws(QueryError) {
        guard let object = value.asObject else {
            throw .invalid(
                path: path, reason: "an object is expected, not \(value.kindWithArticle)", allowed: allowed ?? [])
        }
        if let allowed {
            for member in object.members where !allowed.contains(member.name) {
                throw .unknown("field", member.name, path: Self.join(path, member.name), allowed: allowed)
            }
        }
        self.path = path
        self.object = object
    }

    static func join(_ path: String, _ name: String) -> String { path.isEmpty ? name : path + "." + name }

    func path(of name: String) -> String { Self.join(path, name) }

    /// nil where the member is missing or null.
    subscript(name: String) -> JSONValue? {
        guard let value = object[name], !value.isNull else { return nil }
        return value
    }

    var members: [JSONObject.Member] { object.members }

    func string(_ name: String) throws(QueryError) -> String? {
        guard let value = self[name] else { return nil }
        return try value.text(path: path(of: name))
    }

    func requiredString(_ name: String) throws(QueryError) -> String {
        guard let text = try string(name) else { throw .invalid(path: path(of: name), reason: "missing") }
        return text
    }

    /// One of `allowed`.
    func choice(_ name: String, of allowed: [String], what: String) throws(QueryError) -> String? {
        guard let text = try string(name) else { return nil }
        guard allowed.contains(text) else { throw .unknown(what, text, path: path(of: name), allowed: allowed) }
        return text
    }

    /// A whole number within `range`; nil where it is missing.
    func integer(_ name: String, in range: ClosedRange<Int>) throws(QueryError) -> Int? {
        guard let value = self[name] else { return nil }
        guard let number = value.asInteger.flatMap({ Int(exactly: $0) }), range.contains(number) else {
            throw .invalid(
                path: path(of: name),
                reason: "a whole number from \(range.lowerBound) to \(range.upperBound) is expected")
        }
        return number
    }

    /// The elements of an array with their paths, or the one value that stands for an array of it; nil if missing.
    func list(_ name: String, atMost countMax: Int) throws(QueryError) -> [(value: JSONValue, path: String)]? {
        guard let value = self[name] else { return nil }
        guard let elements = value.asArray else { return [(value, path(of: name))] }
        guard elements.count <= countMax else { throw .invalid(path: path(of: name), reason: "more than \(countMax)") }
        return elements.enumerated().map { ($1, "\(path(of: name))[\($0)]") }
    }
}

extension JSONValue {
    func text(path: String) throws(QueryError) -> String {
        guard let text = asString else {
            throw .invalid(path: path, reason: "a string is expected, not \(kindWithArticle)")
        }
        return text
    }

    /// Its kind, as a sentence has it: "an array".
    var kindWithArticle: String {
        switch self {
        case .array, .object: "an " + kindName
        case .null, .bool, .integer, .number, .string: "a " + kindName
        }
    }
}
