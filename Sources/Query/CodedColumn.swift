import Bytes
import Table

/// Values of a field as codes into dictionaries, so that a question looks at each distinct value once.
struct CodedColumn {
    enum Dictionary {
        case strings(ByteStrings)
        case anonymous(ByteStrings)
        case values([Value])

        var count: Int {
            switch self {
            case .strings(let strings), .anonymous(let strings): strings.count
            case .values(let values): values.count
            }
        }
    }

    static let null = StringColumn.null

    /// One a row; `null` where there is no value.
    private(set) var codes: [UInt32]
    /// The codes of each dictionary follow those of the one before.
    private var dictionaries: [(firstCode: Int, dictionary: Dictionary)] = []
    /// Codes are below it. Some may stand for equal values, some for none that a row has.
    private(set) var codeCount = 0

    /// A column without a value.
    init(rowCount: Int) { codes = [UInt32](repeating: Self.null, count: rowCount) }

    init(codes: [UInt32], _ dictionary: Dictionary) {
        self.codes = codes
        dictionaries = [(0, dictionary)]
        codeCount = dictionary.count
    }

    var hasValues: Bool { codeCount > 0 && codes.contains { $0 != Self.null } }

    /// Takes the values of `other` where this one has none.
    mutating func fill(from other: CodedColumn) {
        guard other.codeCount > 0 else { return }
        guard codeCount > 0 else {
            self = other
            return
        }
        let shift = UInt32(codeCount)
        for row in codes.indices where codes[row] == Self.null && other.codes[row] != Self.null {
            codes[row] = other.codes[row] + shift
        }
        dictionaries += other.dictionaries.map { (codeCount + $0.firstCode, $0.dictionary) }
        codeCount += other.codeCount
    }

    /// - Parameter code: not null; a precondition.
    func value(_ code: UInt32) -> Value {
        let index = dictionaries.lastIndex { $0.firstCode <= Int(code) } ?? 0
        let place = Int(code) - dictionaries[index].firstCode
        switch dictionaries[index].dictionary {
        case .strings(let strings): return .text(strings.copy(place))
        case .anonymous(let strings): return .anonymous(strings.copy(place))
        case .values(let values): return values[place]
        }
    }

    /// Which rows pass a test. O(rows + distinct values).
    func mask(_ test: Predicate.Test) -> RowMask {
        guard codeCount > 0 else { return .constant(false) }
        var passes: [UInt8] = []
        passes.reserveCapacity(codeCount + 1)
        for (_, dictionary) in dictionaries {
            switch dictionary {
            case .strings(let strings), .anonymous(let strings):
                for index in 0..<strings.count { passes.append(test.holds(text: strings.span(index)) ? 1 : 0) }
            case .values(let values):
                for value in values { passes.append(test.holds(value) ? 1 : 0) }
            }
        }
        guard passes.contains(1) else { return .constant(false) }
        passes.append(0)
        return .rows(passMask(codes, passes: passes))
    }

    /// Gives equal values one code, in order of appearance.
    struct Coder {
        private var known: [Value: UInt32] = [:]
        private(set) var values: [Value] = []
        private(set) var codes: [UInt32] = []

        init(rowCount: Int) { codes.reserveCapacity(rowCount) }

        mutating func code(_ value: Value?) -> UInt32 {
            guard let value else { return CodedColumn.null }
            if let code = known[value] { return code }
            let code = UInt32(values.count)
            known[value] = code
            values.append(value)
            return code
        }

        mutating func append(_ value: Value?) { codes.append(code(value)) }

        var column: CodedColumn { CodedColumn(codes: codes, .values(values)) }
    }
}
