import Bytes
import JSON

/// Reads one object of a request's body; every refusal names its place.
struct BodyReader {
    let path: String
    private let object: JSONObject

    /// - Parameter allowed: the names it may have.
    /// - Throws: `Problem` for another kind of value, or the first name that is not allowed.
    init(_ value: JSONValue, path: String, allowed: [String]) throws(Problem) {
        guard let object = value.asObject else {
            throw .invalid(path, "an object is expected, not \(value.kindName)", allowed: allowed)
        }
        self.path = path
        self.object = object
        for member in object.members where !allowed.contains(member.name) {
            let near = nearestName(to: member.name, in: allowed).map { "; did you mean \"\($0)\"?" } ?? ""
            throw .invalid(self.path(of: member.name), "unknown field \"\(member.name)\"\(near)", allowed: allowed)
        }
    }

    func path(of name: String) -> String { path.isEmpty ? name : path + "." + name }

    /// nil where the member is missing or null.
    subscript(name: String) -> JSONValue? {
        guard let value = object[name], !value.isNull else { return nil }
        return value
    }

    /// - Parameter bytes: how many the text may have in UTF-8.
    func text(_ name: String, bytes: ClosedRange<Int>) throws(Problem) -> String? {
        guard let value = self[name] else { return nil }
        guard let text = value.asString else {
            throw .invalid(path(of: name), "a string is expected, not \(value.kindName)")
        }
        guard bytes.contains(text.utf8.count), !text.utf8.contains(0) else {
            throw .invalid(
                path(of: name), "a text of \(bytes.lowerBound) to \(bytes.upperBound) bytes without U+0000 is expected")
        }
        return text
    }

    func requiredText(_ name: String, bytes: ClosedRange<Int>) throws(Problem) -> String {
        guard let text = try text(name, bytes: bytes) else { throw .invalid(path(of: name), "missing") }
        return text
    }

    /// One of a few words.
    func choice<Choice: CaseIterable & RawRepresentable<String>>(
        _ name: String, of type: Choice.Type
    ) throws(Problem) -> Choice? {
        guard let value = self[name] else { return nil }
        guard let choice = value.asString.flatMap(Choice.init) else {
            let allowed = type.allCases.map(\.rawValue)
            let near = value.asString.flatMap { nearestName(to: $0, in: allowed) }
            throw .invalid(
                path(of: name), "unknown \(name) \(value)" + (near.map { "; did you mean \"\($0)\"?" } ?? ""),
                allowed: allowed)
        }
        return choice
    }

    func integer(_ name: String, in range: ClosedRange<Int64>) throws(Problem) -> Int64? {
        guard let value = self[name] else { return nil }
        guard let integer = value.asInteger, range.contains(integer) else {
            throw .invalid(
                path(of: name), "a whole number from \(range.lowerBound) to \(range.upperBound) is expected")
        }
        return integer
    }

    func bool(_ name: String) throws(Problem) -> Bool? {
        guard let value = self[name] else { return nil }
        guard let bool = value.asBool else {
            throw .invalid(path(of: name), "true or false is expected, not \(value.kindName)")
        }
        return bool
    }

    /// The elements of an array with their paths; nil if the member is missing.
    func list(_ name: String) throws(Problem) -> [(value: JSONValue, path: String)]? {
        guard let value = self[name] else { return nil }
        guard let elements = value.asArray else {
            throw .invalid(path(of: name), "an array is expected, not \(value.kindName)")
        }
        return elements.enumerated().map { ($1, "\(path(of: name))[\($0)]") }
    }

    /// The members of these names, as they are, in this order.
    func members(_ names: [String]) -> [JSONObject.Member] {
        names.compactMap { name in self[name].map { JSONObject.Member(name, $0) } }
    }
}
