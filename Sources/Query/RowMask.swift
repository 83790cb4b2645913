/// Which rows of a chunk pass: all, none, or those with a 1.
enum RowMask {
    case constant(Bool)
    case rows([UInt8])

    func and(_ other: RowMask) -> RowMask {
        switch (self, other) {
        case (.constant(true), let mask), (let mask, .constant(true)): mask
        case (.constant(false), _), (_, .constant(false)): .constant(false)
        case (.rows(let left), .rows(let right)): .rows(combined(left, right) { $0 & $1 })
        }
    }

    func or(_ other: RowMask) -> RowMask {
        switch (self, other) {
        case (.constant(false), let mask), (let mask, .constant(false)): mask
        case (.constant(true), _), (_, .constant(true)): .constant(true)
        case (.rows(let left), .rows(let right)): .rows(combined(left, right) { $0 | $1 })
        }
    }

    func passes(_ row: Int) -> Bool {
        switch self {
        case .constant(let passes): passes
        case .rows(let mask): mask[row] == 1
        }
    }

    var inverted: RowMask {
        switch self {
        case .constant(let passes): .constant(!passes)
        case .rows(let mask): .rows(mask.map { $0 ^ 1 })
        }
    }
}

@inline(__always)
private func combined(_ left: [UInt8], _ right: [UInt8], _ operation: (UInt8, UInt8) -> UInt8) -> [UInt8] {
    var result = left
    let source = right.span
    var output = result.mutableSpan
    for row in 0..<min(output.count, source.count) { output[row] = operation(output[row], source[row]) }
    return result
}
