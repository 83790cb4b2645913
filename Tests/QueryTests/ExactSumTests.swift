import TestSupport
import Testing

@testable import Query

@Suite struct ExactSumTests {
    private func sum(_ numbers: [Double]) -> Double {
        var sum = ExactSum()
        for number in numbers { sum.add(number) }
        return sum.value
    }

    @Test func nothingIsLostToNumbersThatCancel() {
        #expect(sum([1e16, 1, -1e16]) == 1)
        #expect(sum([1e308, 1e308, -1e308, -1e308, 0.5]) == 0.5)
        #expect(sum([0.1, 0.2, 0.3, -0.3, -0.2, -0.1]) == 0)
        #expect(sum([.leastNonzeroMagnitude, .leastNonzeroMagnitude]) == 2 * .leastNonzeroMagnitude)
        #expect(sum([.greatestFiniteMagnitude, .greatestFiniteMagnitude]) == .infinity)
        #expect(sum([-.greatestFiniteMagnitude]) == -.greatestFiniteMagnitude)
        #expect(sum([]) == 0)
    }

    @Test func theResultIsTheNearestDoubleTiesToEven() {
        let half = 0x1p-53
        #expect(sum([1, half]) == 1)
        #expect(sum([1, half, .leastNonzeroMagnitude]) == 1 + 2 * half)
        #expect(sum([1 + 2 * half, half]) == 1 + 4 * half)
        #expect(sum([-1, -half, -.leastNonzeroMagnitude]) == -1 - 2 * half)
        // Ten tenths: 0.1 is a little more than a tenth, so the exact sum rounds to 1.
        #expect(sum([Double](repeating: 0.1, count: 10)) == 1)
        #expect(sum([0x1p53, 1]) == 0x1p53)
        #expect(sum([0x1p53, 1, 0.5]) == 0x1p53 + 2)
    }

    @Test func averagesAreRoundedOnceFromTheExactQuotient() {
        func average(_ numbers: [Double]) -> Value {
            var sum = ExactSum()
            for number in numbers { sum.add(number) }
            return sum.average(of: numbers.count)
        }
        #expect(average([1, 0, 0]) == .fraction(1.0 / 3))
        #expect(average([-1, 0, 0]) == .fraction(-1.0 / 3))
        #expect(average([-.greatestFiniteMagnitude, -.greatestFiniteMagnitude]) == Value(-.greatestFiniteMagnitude))
        // Half of the least number ties to zero, two thirds of it round up to it, a third down.
        let least = Double.leastNonzeroMagnitude
        #expect(average([least, 0]) == .integer(0))
        #expect(average([least, least, 0]) == .fraction(least))
        #expect(average([least, 0, 0]) == .integer(0))
        #expect(average([3 * least, 0]) == .fraction(2 * least))
        // The exact sum is a little under a tie, which a sum rounded first would hit.
        #expect(average([0x1p53 + 2, 1, -0x1p-60]) == .fraction((0x1p53 + 2) / 3))
    }

    @Test func integersPastInt64AddUp() {
        var sum = ExactSum()
        for _ in 0..<3 { sum.add(Int64.max) }
        sum.add(Int64.min)
        sum.add(Int64.min)
        sum.add(-Int64.max)
        #expect(sum.value == -2)
        sum.add(Int64.max)
        sum.add(Int64.max)
        #expect(sum.value == 0x1p64)
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func neitherOrderNorGroupingChangesABit(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let numbers = (0..<500).map { _ -> Double in
            let number = Double(bitPattern: random.next())
            return number.isFinite ? number : Double(Int.random(in: -9...9, using: &random))
        }
        let expected = sum(numbers)
        #expect(sum(numbers.shuffled(using: &random)) == expected, "seed \(seed)")
        var whole = ExactSum()
        for start in stride(from: 0, to: numbers.count, by: 70) {
            var part = ExactSum()
            for number in numbers[start..<min(start + 70, numbers.count)] { part.add(number) }
            whole.add(part)
        }
        #expect(whole.value == expected, "seed \(seed)")
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func sumsOfFixedPointNumbersAreThoseOfIntegers(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        // Multiples of 2^-40 up to 2^22 are doubles; their sum is exact in 128 bits.
        let parts = (0..<1000).map { _ in Int64.random(in: -(1 << 52)...(1 << 52), using: &random) }
        let exact = parts.reduce(Int128(0)) { $0 + Int128($1) }
        #expect(sum(parts.map { Double($0) * 0x1p-40 }) == Double(exact) * 0x1p-40, "seed \(seed)")
    }
}
