import JSON

/// What one person did.
package struct UserQuestion: Sendable {
    let id: [UInt8]
    /// Which of the person's events are wanted themselves; nil for none.
    let timeline: EventsQuestion.Page?

    static let members = ["user_id", "timeline"]

    init(_ reader: ObjectReader) throws(QueryError) {
        id = Array(try reader.requiredString("user_id").utf8)
        guard let value = reader["timeline"] else {
            timeline = nil
            return
        }
        let path = reader.path(of: "timeline")
        timeline = try EventsQuestion.Page(
            ObjectReader(value, path: path, allowed: EventsQuestion.Page.members))
    }
}
