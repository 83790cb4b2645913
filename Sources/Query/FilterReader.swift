import JSON
import Zones

/// Reads filters: the object form, `{"event_type": "purchase", "properties.amount": 10}`, or a tree of `and`, `or`,
/// `not` and tests.
struct FilterReader {
    /// Whose clocks an instant without an offset is read on.
    let zone: Zone

    struct Filters {
        var predicate = Predicate.everything
        var start: (text: String, path: String)?
        var end: (text: String, path: String)?
    }

    private static let nodes = ["and", "or", "not"]
    private static let testMembers = ["field", "op", "value"]
    /// What a member of a test is often called by mistake.
    private static let testLookalikes = ["operator"]
    static let operators = [
        "eq", "ne", "in", "not_in", "lt", "lte", "gt", "gte", "contains", "starts_with", "exists", "not_exists",
    ]

    /// Filters that may hold dates next to the tests.
    func filters(_ value: JSONValue?, path: String, warnings: inout [String]) throws(QueryError) -> Filters {
        var filters = Filters()
        guard let value else { return filters }
        let reader = try ObjectReader(value, path: path, allowed: nil)
        if let start = try reader.string("start_date") { filters.start = (start, reader.path(of: "start_date")) }
        if let end = try reader.string("end_date") { filters.end = (end, reader.path(of: "end_date")) }
        let rest = reader.members.filter { $0.name != "start_date" && $0.name != "end_date" }
        filters.predicate = try predicate(.object(JSONObject(rest)), path: path, warnings: &warnings)
        return filters
    }

    /// A tree, or the object form without dates.
    func predicate(_ value: JSONValue, path: String, warnings: inout [String]) throws(QueryError) -> Predicate {
        let reader = try ObjectReader(value, path: path, allowed: nil)
        let names = reader.members.map(\.name)
        if let node = names.first(where: Self.nodes.contains) {
            guard names.count == 1 else {
                throw .invalid(
                    path: path, reason: "\"\(node)\" stands alone in its object, not next to \(names.count - 1) more")
            }
            return try self.node(node, reader, &warnings)
        }
        // Two names of a test's members are a test, if a wrong one: as fields they would quietly match nothing.
        let testNames = names.count { (Self.testMembers + Self.testLookalikes).contains($0) }
        if testNames > 1 { return try test(value, path: path, warnings: &warnings) }
        var parts: [Predicate] = []
        for member in reader.members {
            let path = reader.path(of: member.name)
            guard member.name != "start_date", member.name != "end_date" else {
                throw .invalid(path: path, reason: "dates stand at the top of the question's filters only")
            }
            let field = try Field(parsing: member.name, path: path, warnings: &warnings)
            if member.value.asArray != nil {
                parts.append(.test(field, .isIn(try operands(member.value, of: field, path: path))))
            } else {
                parts.append(.test(field, .isIn([try operand(member.value, of: field, path: path)])))
            }
        }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    private func node(
        _ name: String, _ reader: ObjectReader, _ warnings: inout [String]
    ) throws(QueryError) -> Predicate {
        let path = reader.path(of: name)
        guard let value = reader[name] else { throw .invalid(path: path, reason: "missing") }
        if name == "not" { return .not(try predicate(value, path: path, warnings: &warnings)) }
        guard let elements = value.asArray else {
            throw .invalid(path: path, reason: "an array of filters is expected, not \(value.kindWithArticle)")
        }
        var parts: [Predicate] = []
        for (index, element) in elements.enumerated() {
            parts.append(try predicate(element, path: "\(path)[\(index)]", warnings: &warnings))
        }
        return name == "and" ? .all(parts) : .any(parts)
    }

    private func test(
        _ value: JSONValue, path: String, warnings: inout [String]
    ) throws(QueryError) -> Predicate {
        let known = try ObjectReader(value, path: path, allowed: Self.testMembers + Self.testLookalikes)
        guard known["field"] == nil || known["op"] != nil else {
            throw .invalid(path: known.path(of: "op"), reason: "missing", allowed: Self.operators)
        }
        let reader = try ObjectReader(value, path: path, allowed: Self.testMembers)
        let field = try Field(
            parsing: try reader.requiredString("field"), path: reader.path(of: "field"), warnings: &warnings)
        return try test(reader, on: field)
    }

    /// The test that the members `op` and `value` are.
    func test(_ reader: ObjectReader, on field: Field) throws(QueryError) -> Predicate {
        guard let name = try reader.choice("op", of: Self.operators, what: "operator") else {
            throw .invalid(path: reader.path(of: "op"), reason: "missing", allowed: Self.operators)
        }
        let valuePath = reader.path(of: "value")
        if name == "exists" || name == "not_exists" {
            guard reader["value"] == nil else {
                throw .invalid(path: valuePath, reason: "\"\(name)\" takes no value")
            }
            return name == "exists" ? .test(field, .exists) : .not(.test(field, .exists))
        }
        guard let value = reader["value"] else {
            throw .invalid(path: valuePath, reason: "missing; \"exists\" and \"not_exists\" ask for missing values")
        }
        switch name {
        case "in": return .test(field, .isIn(try operands(value, of: field, path: valuePath)))
        case "not_in": return .not(.test(field, .isIn(try operands(value, of: field, path: valuePath))))
        default: break
        }
        let operand = try operand(value, of: field, path: valuePath)
        switch name {
        case "eq": return .test(field, .isIn([operand]))
        case "ne": return .not(.test(field, .isIn([operand])))
        case "contains": return .test(field, .contains(try text(operand, name, path: valuePath)))
        case "starts_with": return .test(field, .startsWith(try text(operand, name, path: valuePath)))
        case "lt": return .test(field, .isBelow(try ordered(operand, name, path: valuePath)))
        case "lte": return .test(field, .isAtMost(try ordered(operand, name, path: valuePath)))
        case "gt": return .test(field, .isAbove(try ordered(operand, name, path: valuePath)))
        default: return .test(field, .isAtLeast(try ordered(operand, name, path: valuePath)))
        }
    }

    private func operands(_ value: JSONValue, of field: Field, path: String) throws(QueryError) -> Set<Value> {
        guard let elements = value.asArray else {
            throw .invalid(path: path, reason: "an array of values is expected, not \(value.kindWithArticle)")
        }
        var operands = Set<Value>()
        for (index, element) in elements.enumerated() {
            operands.insert(try operand(element, of: field, path: "\(path)[\(index)]"))
        }
        return operands
    }

    /// The value that a field is compared with.
    func operand(_ value: JSONValue, of field: Field, path: String) throws(QueryError) -> Value {
        if field.isTime { return .integer(try instant(value, path: path)) }
        switch value {
        case .bool(let bool): return .bool(bool)
        case .integer(let integer): return .integer(integer)
        case .number(let number): return Value(number)
        case .string(let text): return Value(text)
        case .null, .array, .object:
            throw .invalid(
                path: path, reason: "a value is expected, not \(value.kindWithArticle)",
                allowed: ["string", "number", "boolean"])
        }
    }

    private static let instantForms = ["YYYY-MM-DD", "YYYY-MM-DDTHH:MM:SS[Z|±HH:MM]"]

    /// A day is its first instant.
    private func instant(_ value: JSONValue, path: String) throws(QueryError) -> Int64 {
        guard let text = value.asString else {
            throw .invalid(
                path: path, reason: "an instant is expected, not \(value.kindWithArticle)", allowed: Self.instantForms)
        }
        switch ISO8601.moment(text, in: zone) {
        case .instant(let micros)?: return micros
        case .date(let day)?: return zone.startOfDay(day)
        case nil: throw .invalid(path: path, reason: "\"\(text)\" is no instant", allowed: Self.instantForms)
        }
    }

    private func text(_ operand: Value, _ name: String, path: String) throws(QueryError) -> [UInt8] {
        guard case .text(let bytes) = operand else {
            throw .invalid(path: path, reason: "\"\(name)\" takes a string", allowed: ["string"])
        }
        return bytes
    }

    private func ordered(_ operand: Value, _ name: String, path: String) throws(QueryError) -> Value {
        if case .bool = operand {
            throw .invalid(path: path, reason: "\"\(name)\" takes no boolean", allowed: ["number", "string"])
        }
        return operand
    }
}
