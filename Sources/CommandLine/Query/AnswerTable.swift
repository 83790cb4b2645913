import JSON

/// An answer of queryd as rows and columns.
struct AnswerTable: Equatable {
    let columns: [String]
    /// One value a column each; null where the answer has none.
    let rows: [[JSONValue]]
    /// What stands beside the rows, such as a funnel's overall rate; without `meta`.
    let totals: [JSONObject.Member]
    let isFunnel: Bool

    /// - Returns: nil if there is no list of objects in it.
    init?(_ answer: JSONValue) {
        guard let object = answer.asObject else { return nil }
        let known = ["rows", "steps"]
        let lists = object.members.filter { $0.name != "columns" && $0.value.asArray != nil }
        guard let list = lists.first(where: { known.contains($0.name) }) ?? lists.first,
            let objects = list.value.asArray?.map(\.asObject), !objects.contains(nil)
        else { return nil }
        let members = objects.compactMap(\.self)
        var columns = (answer["columns"]?.asArray ?? []).compactMap { $0.asString ?? $0["name"]?.asString }
        if columns.isEmpty {
            for member in members.flatMap(\.members) where !columns.contains(member.name) {
                columns.append(member.name)
            }
        }
        self.columns = columns
        rows = members.map { row in columns.map { row[$0] ?? .null } }
        let structural = ["kind", "columns", "meta", list.name]
        totals = object.members.filter { !structural.contains($0.name) }
        isFunnel = answer["kind"]?.asString == "funnel"
    }

    /// Aligned, numbers to the right; a funnel's steps with bars, and only what fits a terminal of 90 columns: JSON and
    /// CSV have the rest.
    var text: String {
        let bars = isFunnel ? funnelBars : nil
        let shown = columns.indices.filter { bars == nil || Self.funnelColumns.contains(columns[$0]) }
        var table = TextTable(
            shown.map { column in
                TextTable.Column(columns[column], isNumeric(column) ? .right : .left)
            } + (bars == nil ? [] : [TextTable.Column("")]))
        for (index, row) in rows.enumerated() {
            let cells = shown.map { cell(row[$0], column: columns[$0]) }
            table.add(cells + (bars.map { [$0[index]] } ?? []))
        }
        let lines = totals.map { $0.name + ": " + cell($0.value, column: $0.name) + "\n" }
        return table.text + (lines.isEmpty ? "" : "\n" + lines.joined())
    }

    /// RFC 4180, with a header.
    var csv: String {
        ([columns] + rows.map { $0.map(Self.plain) }).map { cells in
            cells.map(Self.quoted).joined(separator: ",") + "\r\n"
        }.joined()
    }

    private func isNumeric(_ column: Int) -> Bool {
        let values = rows.map { $0[column] }.filter { !$0.isNull }
        return !values.isEmpty && values.allSatisfy { $0.asDouble != nil }
    }

    private static let funnelColumns = ["step", "users", "conversion_rate", "drop_off", "in_progress"]
    private static let barColumns = 20

    /// The share of the first step's users, in eighths of a character.
    private var funnelBars: [String]? {
        guard let users = columns.firstIndex(of: "users") else { return nil }
        let counts = rows.map { $0[users].asDouble ?? 0 }
        let most = counts.first ?? 0
        return counts.map { count in
            guard most > 0, count > 0 else { return "" }
            let eighths = max(1, Int((min(count / most, 1) * Double(8 * Self.barColumns)).rounded()))
            let partial = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8]
            return String(repeating: "█", count: eighths / 8) + partial
        }
    }

    private func cell(_ value: JSONValue, column: String) -> String {
        if isFunnel, let rate = value.asDouble, Self.rateColumns.contains(column) {
            return Figures.fixed(rate * 100, 1) + " %"
        }
        switch value {
        case .null: return "-"
        case .integer(let number): return Figures.grouped(Int(number))
        case .number(let number): return Figures.fixed(number, number.rounded() == number ? 0 : 4)
        default: return Self.plain(value)
        }
    }

    private static let rateColumns: Set<String> = [
        "conversion_rate", "drop_off", "from_first", "conversion_rate_closed", "overall_conversion_rate",
    ]

    private static func plain(_ value: JSONValue) -> String {
        switch value {
        case .null: ""
        case .string(let text): text
        default: value.description
        }
    }

    private static func quoted(_ text: String) -> String {
        let needsQuotes = text.utf8.contains { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D }
        guard needsQuotes else { return text }
        return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
