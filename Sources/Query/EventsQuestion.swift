import JSON

/// Events one by one, a page at a time.
package struct EventsQuestion: Sendable {
    /// Places come in this order.
    enum Order: String, CaseIterable, Sendable {
        case newestFirst = "desc"
        case oldestFirst = "asc"
    }

    let order: Order
    let page: Page

    static let members = ["order"] + Page.members

    init(_ reader: ObjectReader) throws(QueryError) {
        let name = try reader.choice("order", of: Order.allCases.map(\.rawValue), what: "order")
        order = name.flatMap(Order.init(rawValue:)) ?? .newestFirst
        page = try Page(reader)
    }

    /// How many events, and behind which one.
    struct Page: Sendable {
        let limit: Int
        /// The last event of the page before; nil for the first page.
        let after: EventPlace?

        static let members = ["limit", "cursor"]
        private static let limits = 1...10_000
        private static let defaultLimit = 100

        init(_ reader: ObjectReader) throws(QueryError) {
            limit = try reader.integer("limit", in: Self.limits) ?? Self.defaultLimit
            guard let cursor = try reader.string("cursor") else {
                after = nil
                return
            }
            guard let place = EventPlace(cursor: cursor) else {
                throw .invalid(
                    path: reader.path(of: "cursor"), reason: "\"\(cursor)\" is no cursor",
                    allowed: ["next_cursor of the page before"])
            }
            after = place
        }
    }
}
