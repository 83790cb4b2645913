import Events
import JSON
import Table
import Zones

/// A value's name among all scopes.
struct PropertyName: Sendable, Hashable {
    let scope: EventValue.Scope
    let name: [UInt8]

    var text: String { scope.columnPrefix + "." + String(decoding: name, as: UTF8.self) }
}

/// What some events have under one name; counts of parts of the events add up to that of all.
struct PropertyCount: Sendable {
    /// Events that have a value.
    private(set) var count = 0
    private(set) var first = Int64.max
    private(set) var last = Int64.min
    /// Events by value; of the first values only where there are more than `valuesMax`.
    private(set) var values: [Value: Int] = [:]
    private(set) var hasMoreValues = false
    private var counts = TypeCounts()
    /// About what the values take.
    private(set) var byteCount = 0

    static let valuesMax = 10_000
    private static let sampleCount = 10
    private static let valueBytes = 96

    /// Events by the JSON type of their value.
    private struct TypeCounts: Sendable {
        var string = 0
        var number = 0
        var boolean = 0
        var json = 0

        mutating func add(_ value: Value, _ count: Int) {
            switch value {
            case .text, .anonymous: string += count
            case .integer, .fraction: number += count
            case .bool: boolean += count
            case .json: json += count
            }
        }

        mutating func add(_ other: TypeCounts) {
            string += other.string
            number += other.number
            boolean += other.boolean
            json += other.json
        }
    }

    /// - Parameter known: which values to keep; nil for all.
    mutating func add(_ value: Value, _ newCount: Int, among known: [Value: Int]?) {
        count += newCount
        counts.add(value, newCount)
        if known.map({ $0[value] != nil }) ?? true { values[value, default: 0] += newCount }
    }

    mutating func note(first newFirst: Int64, last newLast: Int64) {
        first = min(first, newFirst)
        last = max(last, newLast)
    }

    /// Adds the count of later chunks' events.
    mutating func merge(_ other: PropertyCount) {
        count += other.count
        counts.add(other.counts)
        note(first: other.first, last: other.last)
        // In an order of their own, so that which values are the first does not depend on a table's seed.
        let sorted =
            hasMoreValues || values.count + other.values.count <= Self.valuesMax
            ? Array(other.values) : other.values.sorted { $0.key.compare($1.key) < 0 }
        for (value, newCount) in sorted {
            if values[value] != nil {
                values[value, default: 0] += newCount
            } else if !hasMoreValues, values.count < Self.valuesMax {
                values[value] = newCount
                byteCount += Self.valueBytes + value.textBytes
            } else {
                hasMoreValues = true
            }
        }
    }

    private var samples: [(value: Value, count: Int)] {
        let sorted = values.sorted { left, right in
            left.value != right.value ? left.value > right.value : left.key.compare(right.key) < 0
        }
        return sorted.prefix(Self.sampleCount).map { ($0.key, $0.value) }
    }

    func json(_ name: PropertyName, eventCount: Int) -> JSONObject {
        JSONObject([
            .init("name", .string(name.text)), .init("scope", .string(name.scope.columnPrefix)),
            .init("count", .integer(Int64(count))),
            .init("fill_rate", .number(eventCount == 0 ? 0 : Double(count) / Double(eventCount))),
            .init(
                "types",
                [
                    "string": .integer(Int64(counts.string)), "number": .integer(Int64(counts.number)),
                    "boolean": .integer(Int64(counts.boolean)), "json": .integer(Int64(counts.json)),
                ]),
            .init("distinct", hasMoreValues ? nil : .integer(Int64(values.count))),
            .init("samples", .array(samples.map { ["value": $0.value.json, "count": .integer(Int64($0.count))] })),
            .init("first_seen", .string(ISO8601.format(micros: first))),
            .init("last_seen", .string(ISO8601.format(micros: last))),
        ])
    }
}

extension Value {
    /// What its bytes take.
    fileprivate var textBytes: Int {
        switch self {
        case .bool, .integer, .fraction: 0
        case .text(let bytes), .anonymous(let bytes), .json(let bytes): bytes.count
        }
    }
}
