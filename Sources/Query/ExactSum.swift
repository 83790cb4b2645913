/// A sum of finite doubles and integers without any rounding until it is read, so that the order of the addends cannot
/// show: a fixed-point number as wide as the range of doubles (Kulisch's long accumulator), in digits of 32 bits.
struct ExactSum: Sendable {
    /// Whole numbers gather here first: most amounts are whole, and most groups never need the digits.
    private var whole: Int64 = 0
    /// Digit `i` counts 2^(32 i − 1074); empty until something does not fit in `whole`. Carries are put off.
    private var digits: [Int64] = []
    /// Additions since the carries were last resolved; a digit takes fewer than 2^32 each time.
    private var additions = 0

    private static let digitCount = 70
    /// The bit that counts 1.
    private static let onePlace = 1074

    /// Adds a finite number; a precondition.
    mutating func add(_ value: Double) {
        if let integer = Int64(exactly: value) { return add(integer) }
        precondition(value.isFinite, "a sum of finite numbers")
        let field = Int(value.exponentBitPattern)
        let mantissa = value.significandBitPattern | (field == 0 ? 0 : 1 << 52)
        add(mantissa, place: max(field - 1, 0), isNegative: value < 0)
    }

    mutating func add(_ value: Int64) {
        let (sum, overflowed) = whole.addingReportingOverflow(value)
        if overflowed {
            add(value.magnitude, place: Self.onePlace, isNegative: value < 0)
        } else {
            whole = sum
        }
    }

    mutating func add(_ other: ExactSum) {
        add(other.whole)
        guard !other.digits.isEmpty else { return }
        if digits.isEmpty { digits = [Int64](repeating: 0, count: Self.digitCount) }
        var addend = other
        addend.carry()
        if additions >= 1 << 30 { carry() }
        for index in digits.indices { digits[index] += addend.digits[index] }
        additions += 1
    }

    /// About what it holds in memory.
    var byteCount: Int { 32 + digits.count * 8 }

    /// The double nearest to the sum, ties to even; infinite past the largest one.
    var value: Double {
        guard !digits.isEmpty || whole.magnitude > 1 << 53 else { return Double(whole) }
        let (exact, isNegative) = magnitude
        let rounded = exact.rounded(remainder: 0, divisor: 1)
        return isNegative ? -rounded : rounded
    }

    /// The sum divided by `count`, then rounded once: finite whatever the sum is. `count` above 0; a precondition.
    func average(of count: Int) -> Value {
        precondition(count > 0, "an average of something")
        if let integer, integer % Int64(count) == 0 { return .integer(integer / Int64(count)) }
        var (quotient, isNegative) = magnitude
        let divisor = UInt128(count)
        var remainder: UInt128 = 0
        for index in quotient.digits.indices.reversed() {
            let dividend = remainder << 32 | UInt128(quotient.digits[index])
            quotient.digits[index] = Int64(dividend / divisor)
            remainder = dividend % divisor
        }
        let rounded = quotient.rounded(remainder: remainder, divisor: divisor)
        return Value(isNegative ? -rounded : rounded)
    }

    /// The sum itself, where it is whole and fits, whatever was added on the way.
    var integer: Int64? {
        guard !digits.isEmpty else { return whole }
        let (exact, isNegative) = magnitude
        // 2^0 is bit 18 of digit 33; what fits ends within digit 35.
        let (first, shift) = (Self.onePlace >> 5, Self.onePlace & 31)
        let isWhole = exact.digits[..<first].allSatisfy { $0 == 0 } && exact.digits[first] & (1 << shift - 1) == 0
        guard isWhole, exact.digits[(first + 3)...].allSatisfy({ $0 == 0 }) else { return nil }
        var units: Int128 = 0
        for digit in exact.digits[first..<(first + 3)].reversed() { units = units << 32 | Int128(digit) }
        units >>= Int128(shift)
        return Int64(exactly: isNegative ? -units : units)
    }

    /// All of it in digits that are carried and not negative, and its sign.
    private var magnitude: (exact: ExactSum, isNegative: Bool) {
        var exact = self
        exact.whole = 0
        exact.add(whole.magnitude, place: Self.onePlace, isNegative: whole < 0)
        exact.carry()
        let isNegative = exact.digits[Self.digitCount - 1] < 0
        if isNegative {
            for index in exact.digits.indices { exact.digits[index] = -exact.digits[index] }
            exact.carry()
        }
        return (exact, isNegative)
    }

    private mutating func add(_ magnitude: UInt64, place: Int, isNegative: Bool) {
        if digits.isEmpty { digits = [Int64](repeating: 0, count: Self.digitCount) }
        if additions >= 1 << 30 { carry() }
        additions += 1
        let first = place >> 5
        var rest = UInt128(magnitude) << UInt128(place & 31)
        for index in first..<(first + 3) {
            let digit = Int64(truncatingIfNeeded: rest & 0xFFFF_FFFF)
            digits[index] += isNegative ? -digit : digit
            rest >>= 32
        }
    }

    /// Makes every digit but the last 0..<2^32; the last one has the sign.
    private mutating func carry() {
        additions = 0
        for index in 0..<(Self.digitCount - 1) {
            digits[index + 1] += digits[index] >> 32
            digits[index] &= 0xFFFF_FFFF
        }
    }

    private func bit(_ place: Int) -> UInt64 {
        place < 0 ? 0 : UInt64(truncatingIfNeeded: digits[place >> 5] >> Int64(place & 31)) & 1
    }

    /// Of digits that are carried and not negative, and `remainder / divisor` of the last digit's unit.
    private func rounded(remainder: UInt128, divisor: UInt128) -> Double {
        let top = digits.lastIndex { $0 != 0 } ?? 0
        let highest = top * 32 + max(63 - digits[top].leadingZeroBitCount, 0)
        let lowest = max(highest - 52, 0)
        var mantissa: UInt64 = 0
        for place in stride(from: highest, through: lowest, by: -1) { mantissa = mantissa << 1 | bit(place) }
        let isHalf = lowest > 0 ? bit(lowest - 1) == 1 : 2 * remainder >= divisor
        if isHalf {
            let isTie =
                lowest > 0
                ? remainder == 0 && (0..<(lowest - 1)).allSatisfy { bit($0) == 0 } : 2 * remainder == divisor
            if !isTie || mantissa & 1 == 1 { mantissa += 1 }
        }
        // With its leading bit left in, the mantissa carries into the exponent's field, which is what it should.
        let pattern = UInt64(lowest) << 52 + mantissa
        return pattern >= Double.infinity.bitPattern ? .infinity : Double(bitPattern: pattern)
    }
}
