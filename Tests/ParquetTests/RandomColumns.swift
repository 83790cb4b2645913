import Bytes
import Parquet
import TestSupport

/// Every type, with what makes it hard.
enum RandomColumns {
    /// - Parameter nullChance: of each row; 0 makes a column without validity.
    static func make(
        _ type: ParquetType, rowCount: Int, nullChance: Double, random: inout SeededRandom
    ) -> ColumnValues {
        let isPresent = (0..<rowCount).map { _ in nullChance == 0 || !random.chance(nullChance) }
        let validity = isPresent.allSatisfy { $0 } ? nil : Bitmap(isPresent)
        switch type {
        case .int64: return .int64(isPresent.map { $0 ? integer(&random) : 0 }, validity: validity)
        case .timestampMicros:
            return .int64(
                isPresent.map { $0 ? Int64.random(in: 0..<4_102_444_800_000_000, using: &random) : 0 },
                validity: validity)
        case .int32:
            return .int32(
                isPresent.map { $0 ? Int32(truncatingIfNeeded: integer(&random)) : 0 }, validity: validity)
        case .date:
            return .int32(isPresent.map { $0 ? .random(in: 0..<47_000, using: &random) : 0 }, validity: validity)
        case .double: return .double(isPresent.map { $0 ? double(&random) : 0 }, validity: validity)
        case .bool: return .bool(Bitmap(isPresent.map { $0 && random.chance(0.3) }), validity: validity)
        case .fixed(let width):
            return .fixed(
                isPresent.flatMap { $0 ? random.bytes(width) : [UInt8](repeating: 0, count: width) }, width: width,
                validity: validity)
        case .string: return .strings(strings(isPresent, distinctMax: 40, &random))
        }
    }

    /// Strings of a dictionary of at most `distinctMax`, drawn in runs.
    static func strings(_ isPresent: [Bool], distinctMax: Int, _ random: inout SeededRandom) -> StringColumn {
        var dictionary = ByteStrings()
        for index in 0..<distinctMax { dictionary.append(Array(text(index, &random).utf8)) }
        var code: UInt32 = 0
        let codes = isPresent.map { present -> UInt32 in
            if random.chance(0.4) { code = .random(in: 0..<UInt32(distinctMax), using: &random) }
            return present ? code : StringColumn.null
        }
        return StringColumn(dictionary: dictionary, codes: codes)
    }

    private static func text(_ index: Int, _ random: inout SeededRandom) -> String {
        switch index % 5 {
        case 0: index == 0 ? "" : "event-\(index)"
        case 1: "größe 日本 \(random.next())"
        case 2: String(repeating: "long ", count: 20) + "\(random.next())"
        case 3: String(repeating: "é🙂", count: 15) + "\(index)"
        default: "\(random.next())"
        }
    }

    /// Small steps, wide jumps, and the ends of the range.
    private static func integer(_ random: inout SeededRandom) -> Int64 {
        switch Int.random(in: 0..<10, using: &random) {
        case 0: .random(in: .min ... .max, using: &random)
        case 1: random.chance(0.5) ? .min : .max
        case 2...5: .random(in: -5...5, using: &random)
        default: .random(in: 0..<100_000, using: &random)
        }
    }

    private static func double(_ random: inout SeededRandom) -> Double {
        switch Int.random(in: 0..<12, using: &random) {
        case 0: [0.0, -0.0, .infinity, -.infinity, .nan].randomElement(using: &random) ?? 0
        default: .random(in: -1e6...1e6, using: &random)
        }
    }
}

extension ColumnValues {
    /// Every row as text, nil where null: what the judges compare too. Doubles are their bits, fixed bytes hex.
    var cells: [String?] {
        switch self {
        case .int64(let values, let validity): values.enumerated().map { validity.has($0) ? "\($1)" : nil }
        case .int32(let values, let validity): values.enumerated().map { validity.has($0) ? "\($1)" : nil }
        case .double(let values, let validity):
            values.enumerated().map { validity.has($0) ? String($1.bitPattern, radix: 16) : nil }
        case .bool(let values, let validity):
            (0..<values.count).map { validity.has($0) ? "\(values[$0])" : nil }
        case .strings(let column):
            column.codes.map { $0 == StringColumn.null ? nil : column.dictionary[Int($0)] }
        case .fixed(let bytes, let width, let validity):
            (0..<count).map { row in
                validity.has(row) ? hex(Array(bytes[(row * width)..<((row + 1) * width)])) : nil
            }
        }
    }
}

extension Bitmap? {
    fileprivate func has(_ row: Int) -> Bool { self?[row] ?? true }
}

private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
