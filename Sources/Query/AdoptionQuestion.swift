import JSON

/// How many people use a feature.
package struct AdoptionQuestion: Sendable {
    let featureName: Value
    /// Which events are uses of it.
    let usage: Predicate

    static let members = ["feature_name", "event_type", "field"]
    private static let defaultType = "feature_used"
    private static let defaultField = "properties.feature_name"

    init(_ reader: ObjectReader, _ filters: FilterReader, warnings: inout [String]) throws(QueryError) {
        let path = reader.path(of: "feature_name")
        guard let name = reader["feature_name"] else { throw .invalid(path: path, reason: "missing") }
        let fieldName = try reader.string("field") ?? Self.defaultField
        let field = try Field(parsing: fieldName, path: reader.path(of: "field"), warnings: &warnings)
        guard !field.isTime else {
            throw .invalid(path: reader.path(of: "field"), reason: "an instant is no feature's name")
        }
        featureName = try filters.operand(name, of: field, path: path)
        let type = Value(try reader.string("event_type") ?? Self.defaultType)
        usage = .all([.test(.eventType, .isIn([type])), .test(field, .isIn([featureName]))])
    }
}
