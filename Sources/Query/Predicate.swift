import Bytes

/// Which events a question is about. Total: a value that is missing or of another type fails the test, and `not` turns
/// that round.
package indirect enum Predicate: Sendable, Equatable {
    case all([Predicate])
    case any([Predicate])
    case not(Predicate)
    case test(Field, Test)

    static let everything = Predicate.all([])

    package enum Test: Sendable, Equatable {
        /// Equal to one of these.
        case isIn(Set<Value>)
        /// Of the operand's type, and before or after it.
        case isBelow(Value)
        case isAtMost(Value)
        case isAbove(Value)
        case isAtLeast(Value)
        /// A text that has these bytes somewhere.
        case contains([UInt8])
        case startsWith([UInt8])
        case exists

        func holds(_ value: Value) -> Bool {
            switch self {
            case .isIn(let values): return values.contains(value)
            case .isBelow(let bound): return value.isComparable(to: bound) && value.compare(bound) < 0
            case .isAtMost(let bound): return value.isComparable(to: bound) && value.compare(bound) <= 0
            case .isAbove(let bound): return value.isComparable(to: bound) && value.compare(bound) > 0
            case .isAtLeast(let bound): return value.isComparable(to: bound) && value.compare(bound) >= 0
            case .contains(let part):
                guard case .text(let text) = value else { return false }
                return Test.position(of: part, in: text.rawSpan) != nil
            case .startsWith(let prefix):
                guard case .text(let text) = value else { return false }
                return text.starts(with: prefix)
            case .exists: return true
            }
        }

        /// The same for a text, without making a value of it where the operands are few.
        func holds(text: RawSpan) -> Bool {
            guard case .isIn(let values) = self, values.count <= 8 else { return holds(.text(text.copy())) }
            for case .text(let operand) in values where text.equals(operand.rawSpan) { return true }
            return false
        }

        private static func position(of part: [UInt8], in text: RawSpan) -> Int? {
            guard part.count <= text.byteCount else { return nil }
            return (0...(text.byteCount - part.count)).first { start in
                text.extracting(start..<(start + part.count)).equals(part.rawSpan)
            }
        }
    }

    /// Every test on a field that `isChosen`, whatever stands around it.
    func tests(on isChosen: (Field) -> Bool) -> [Test] {
        switch self {
        case .all(let parts), .any(let parts): parts.flatMap { $0.tests(on: isChosen) }
        case .not(let part): part.tests(on: isChosen)
        case .test(let field, let test): isChosen(field) ? [test] : []
        }
    }

    /// How many tests it is made of.
    var testCount: Int { tests { _ in true }.count }

    /// This and that events of reserved types count only where a test on the event type names them: they are no
    /// activity of their own.
    var ofActivity: Predicate {
        var named = Set<Value>()
        var prefixes: [Predicate] = []
        for test in tests(on: { $0 == .eventType }) {
            switch test {
            case .isIn(let values): named.formUnion(values.filter { Test.startsWith([UInt8(ascii: "$")]).holds($0) })
            case .startsWith(let prefix) where prefix.first == UInt8(ascii: "$"):
                prefixes.append(.test(.eventType, test))
            default: break
            }
        }
        var activity = [Predicate.not(.test(.eventType, .startsWith([UInt8(ascii: "$")])))] + prefixes
        if !named.isEmpty { activity.append(.test(.eventType, .isIn(named))) }
        return .all([activity.count == 1 ? activity[0] : .any(activity), self])
    }
}
