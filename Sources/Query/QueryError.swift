/// Why a question has no answer. Errors of the disk and the table pass through as they are.
package enum QueryError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The question breaks the language at `path`, a JSON path such as `filters.and[1].op`; empty for the whole.
    case invalid(path: String, reason: String, allowed: [String] = [])
    /// A sum over amounts of several currencies, which neither a filter nor a group names.
    case mixedCurrencies(path: String, currencies: [String])
    /// The answer needs more memory than it may have.
    case overBudget(neededBytes: Int, budgetBytes: Int)
    case cancelled

    package var description: String {
        switch self {
        case .invalid(let path, let reason, let allowed):
            (path.isEmpty ? "" : path + ": ") + reason
                + (allowed.isEmpty ? "" : "; allowed: " + allowed.joined(separator: ", "))
        case .mixedCurrencies(let path, let currencies):
            "\(path): a sum over several currencies (\(currencies.joined(separator: ", "))) means nothing; "
                + "filter or group by properties.currency"
        case .overBudget(let needed, let budget):
            "the answer needs \(needed) bytes of memory and may have \(budget)"
        case .cancelled: "cancelled"
        }
    }

    /// `invalid` for a name that is none of `allowed`, with the one it was probably meant to be.
    static func unknown(_ what: String, _ name: String, path: String, allowed: [String]) -> QueryError {
        let hint = nearestName(to: name, in: allowed).map { "; did you mean \"\($0)\"?" } ?? ""
        return .invalid(path: path, reason: "unknown \(what) \"\(name)\"" + hint, allowed: allowed)
    }
}

/// The name in `names` that `name` was most likely meant to be, or nil if none is near.
func nearestName(to name: String, in names: [String]) -> String? {
    let letters = Array(name.utf8)
    guard letters.count <= 64 else { return nil }
    let candidates = names.map { (name: $0, distance: editDistance(letters, Array($0.utf8))) }
    let nearest = candidates.min { $0.distance < $1.distance }
    guard let best = nearest, best.distance <= (letters.count + 2) / 3 else { return nil }
    return best.name
}

/// How many insertions, deletions and replacements turn one into the other (Levenshtein). O(left · right).
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var last = Array(0...right.count)
    for (row, letter) in left.enumerated() {
        var current = [row + 1]
        for (column, other) in right.enumerated() {
            current.append(min(last[column + 1] + 1, current[column] + 1, last[column] + (letter == other ? 0 : 1)))
        }
        last = current
    }
    return last[right.count]
}
