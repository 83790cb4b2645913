import Bytes

/// Why a question has no answer. Errors of the disk and the table pass through as they are.
package enum QueryError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The question breaks the language at `path`, a JSON path such as `filters.and[1].op`; empty for the whole.
    case invalid(path: String, reason: String, allowed: [String] = [])
    /// A metric over amounts in several currencies, which no group tells apart.
    case mixedCurrencies(path: String, currencies: [String])
    /// A sum that is past the largest double.
    case sumTooLarge(path: String)
    /// The answer needs more memory than it may have: `neededBytes` at least, as far as it was followed.
    case overBudget(neededBytes: Int, budgetBytes: Int)
    case cancelled

    /// Where in the question, what is wrong there, and what is allowed.
    package var description: String {
        switch self {
        case .invalid(let path, _, let allowed):
            (path.isEmpty ? "" : path + ": ") + reason
                + (allowed.isEmpty ? "" : "; allowed: " + allowed.joined(separator: ", "))
        case .mixedCurrencies(let path, _), .sumTooLarge(let path): path + ": " + reason
        case .overBudget, .cancelled: reason
        }
    }

    /// What is wrong, without the place.
    package var reason: String {
        switch self {
        case .invalid(_, let reason, _): reason
        case .mixedCurrencies(_, let currencies):
            "amounts in several currencies (\(currencies.joined(separator: ", "))) neither add up nor "
                + "compare; filter for one or group by properties.currency"
        case .sumTooLarge:
            "the sum is beyond ±\(Double.greatestFiniteMagnitude), the largest number"
        case .overBudget(let needed, let budget):
            "the answer needs at least \(needed) bytes of memory and may have \(budget)"
        case .cancelled: "cancelled"
        }
    }

    /// `invalid` for a name that is none of `allowed`, with the one it was probably meant to be.
    static func unknown(_ what: String, _ name: String, path: String, allowed: [String]) -> QueryError {
        let hint = nearestName(to: name, in: allowed).map { "; did you mean \"\($0)\"?" } ?? ""
        return .invalid(path: path, reason: "unknown \(what) \"\(name)\"" + hint, allowed: allowed)
    }
}
