import JSON

/// An answer of queryd as rows and columns.
struct AnswerTable: Equatable {
    let columns: [String]
    /// One value a column each; null where the answer has none.
    let rows: [[JSONValue]]
    /// What stands beside the rows, such as a funnel's overall rate; without `meta`.
    let totals: [JSONObject.Member]
    let isFunnel: Bool
    /// Whether the row is an object that reads better from top to bottom.
    let isOneObject: Bool

    /// Its rows; else, as one row, the object that the kind answers with, such as a person's figures.
    /// - Returns: nil if there is neither.
    init?(_ answer: JSONValue) {
        guard let object = answer.asObject else { return nil }
        let members = object.members.filter { !["kind", "columns", "meta"].contains($0.name) }
        let known = ["rows", "steps"]
        let lists = members.filter { $0.value.asArray != nil }
        let kind = answer["kind"]?.asString
        let chosen =
            lists.first { known.contains($0.name) } ?? lists.first ?? members.first { $0.name == kind }
        guard let chosen, let rows = Self.objects(chosen) else { return nil }
        isOneObject = chosen.value.asObject != nil
        var columns: [String] = []
        if !isOneObject {
            columns = (answer["columns"]?.asArray ?? []).compactMap { $0.asString ?? $0["name"]?.asString }
        }
        if columns.isEmpty { columns = Self.names(rows) }
        self.columns = columns
        self.rows = rows.map { row in columns.map { row[$0] ?? .null } }
        totals = members.filter { $0.name != chosen.name }
        isFunnel = kind == "funnel"
    }

    /// A member's value as rows: an object is one, and a text in a list is an object of that member alone.
    private static func objects(_ member: JSONObject.Member) -> [JSONObject]? {
        if let object = member.value.asObject { return [object] }
        let rows = (member.value.asArray ?? []).map { element in
            element.asObject ?? element.asString.map { JSONObject([.init(member.name, .string($0))]) }
        }
        return rows.contains(nil) ? nil : rows.compactMap(\.self)
    }

    /// In the order of their first use.
    private static func names(_ rows: [JSONObject]) -> [String] {
        var names: [String] = []
        for member in rows.flatMap(\.members) where !names.contains(member.name) { names.append(member.name) }
        return names
    }

    /// Aligned, numbers to the right; a funnel's steps with bars, and only what fits a terminal of 90 columns: JSON and
    /// CSV have the rest.
    var text: String {
        let lines = totals.map { total in
            if let object = total.value.asObject {
                return object.members.map { "\(total.name).\($0.name): \(cell($0.value, column: $0.name))\n" }.joined()
            }
            if let rows = Self.objects(total), total.value.asArray != nil, !rows.isEmpty {
                return "\n" + total.name + ":\n" + table(Self.names(rows), rows)
            }
            return total.name + ": " + cell(total.value, column: total.name) + "\n"
        }
        return head + (lines.isEmpty ? "" : "\n" + lines.joined())
    }

    private var head: String {
        guard !isOneObject else {
            var table = TextTable([.init(""), .init("")])
            for (name, value) in zip(columns, rows[0]) { table.add([name, cell(value, column: name)]) }
            return table.text.split(separator: "\n", omittingEmptySubsequences: false).dropFirst(2)
                .joined(separator: "\n")
        }
        let bars = isFunnel ? funnelBars : nil
        let shown = columns.indices.filter { bars == nil || Self.funnelColumns.contains(columns[$0]) }
        var table = TextTable(
            shown.map { column in
                TextTable.Column(columns[column], Self.isNumeric(rows.map { $0[column] }) ? .right : .left)
            } + (bars == nil ? [] : [TextTable.Column("")]))
        for (index, row) in rows.enumerated() {
            let cells = shown.map { cell(row[$0], column: columns[$0]) }
            table.add(cells + (bars.map { [$0[index]] } ?? []))
        }
        return table.text
    }

    private func table(_ names: [String], _ rows: [JSONObject]) -> String {
        var table = TextTable(
            names.map { name in
                TextTable.Column(name, Self.isNumeric(rows.map { $0[name] ?? .null }) ? .right : .left)
            })
        for row in rows { table.add(names.map { cell(row[$0] ?? .null, column: $0) }) }
        return table.text
    }

    /// RFC 4180, with a header.
    var csv: String {
        ([columns] + rows.map { $0.map(Self.plain) }).map { cells in
            cells.map(Self.quoted).joined(separator: ",") + "\r\n"
        }.joined()
    }

    private static func isNumeric(_ values: [JSONValue]) -> Bool {
        let values = values.filter { !$0.isNull }
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
