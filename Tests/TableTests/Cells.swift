import Bytes
import JSON

@testable import Table

/// A row as text: column → cell, no entry for null. Integers and times in decimal, doubles as the hex of their bits,
/// bytes as hex, JSON objects laid out anew so that only their meaning counts.
typealias Row = [String: String]

extension ColumnValues {
    var cells: [String?] {
        switch self {
        case .int64(let values, let validity): values.enumerated().map { validity.has($0) ? "\($1)" : nil }
        case .int32(let values, let validity): values.enumerated().map { validity.has($0) ? "\($1)" : nil }
        case .double(let values, let validity): values.enumerated().map { validity.has($0) ? $1.cell : nil }
        case .bool(let values, let validity): (0..<values.count).map { validity.has($0) ? "\(values[$0])" : nil }
        case .strings(let column):
            column.codes.map { $0 == StringColumn.null ? nil : column.dictionary[Int($0)] }
        case .fixed(let bytes, let width, let validity):
            (0..<count).map { validity.has($0) ? Hex.encode(bytes[($0 * width)..<(($0 + 1) * width)]) : nil }
        }
    }
}

extension Double {
    var cell: String { String(bitPattern, radix: 16) }
}

extension Optional<Bitmap> {
    fileprivate func has(_ row: Int) -> Bool { self?[row] ?? true }
}

/// Rows of columns that stand side by side; the JSON columns must hold objects.
func rows(_ columns: [(name: String, values: ColumnValues)]) throws -> [Row] {
    var rows = [Row](repeating: [:], count: columns.first?.values.count ?? 0)
    for (name, values) in columns {
        for (index, cell) in values.cells.enumerated() {
            guard let cell else { continue }
            let isJSON = name.hasSuffix("_json") || name == "traits"
            rows[index][name] = isJSON ? try JSONValue(parsing: Array(cell.utf8)).description : cell
        }
    }
    return rows
}

extension Row {
    func integer(_ column: String) -> Int64 { self[column].flatMap { Int64($0) } ?? 0 }

    /// (user_key, timestamp, position): the order of rows everywhere.
    func precedes(_ other: Row) -> Bool {
        for column in ["user_key", "timestamp", "position"] where integer(column) != other.integer(column) {
            return integer(column) < other.integer(column)
        }
        return false
    }
}

/// The first difference between two tables of rows, in words; nil if there is none.
func difference(_ found: [Row], _ expected: [Row]) -> String? {
    for (index, pair) in zip(found, expected).enumerated() where pair.0 != pair.1 {
        let names = Set(pair.0.keys).union(pair.1.keys).sorted().filter { pair.0[$0] != pair.1[$0] }
        let texts = names.map { "\($0) \(pair.0[$0] ?? "null") is not \(pair.1[$0] ?? "null")" }
        return "row \(index): " + texts.joined(separator: "; ")
    }
    return found.count == expected.count ? nil : "\(found.count) rows, not \(expected.count)"
}
