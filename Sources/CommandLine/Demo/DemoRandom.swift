/// SplitMix64: the same numbers for the same seed, everywhere and always.
struct DemoRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed &>> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed &>> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed &>> 31)
    }

    /// From 0 to below 1.
    mutating func unit() -> Double { Double(next() &>> 11) / 9_007_199_254_740_992 }

    mutating func chance(_ probability: Double) -> Bool { unit() < probability }

    /// From 0 to below `bound`, which is positive.
    mutating func index(below bound: Int) -> Int { Int(unit() * Double(bound)) }

    /// One of `choices`, which are not empty, by their weights.
    mutating func pick<Choice>(_ choices: [(Choice, weight: Double)]) -> Choice {
        var rest = unit() * choices.reduce(0) { $0 + $1.weight }
        for choice in choices {
            rest -= choice.weight
            if rest < 0 { return choice.0 }
        }
        return choices[choices.count - 1].0
    }

    /// One of `choices`, which are not empty; early ones come more often.
    mutating func pickEarly<Choice>(_ choices: [Choice]) -> Choice {
        let place = unit()
        return choices[Int(place * place * Double(choices.count))]
    }

    /// Waiting times: most are short, some long. Without logarithms, whose last bits differ between C libraries.
    mutating func gapMillis(meanMillis: Int) -> Int {
        let place = unit()
        let stretched = place * place / (1.0002 - place)
        return min(Int(stretched * Double(meanMillis) * 0.4) + 40, 25 * 60_000)
    }
}
