/// Counts durations in buckets of at most 6 % width, from one microsecond to days, in constant memory.
struct LatencyHistogram: Sendable {
    private static let bucketsPerOctave = 16
    private var counts = [Int](repeating: 0, count: 64 * bucketsPerOctave)
    private(set) var count = 0

    mutating func add(micros: Int64) {
        counts[Self.bucket(max(micros, 0))] += 1
        count += 1
    }

    mutating func add(_ other: LatencyHistogram) {
        for index in counts.indices { counts[index] += other.counts[index] }
        count += other.count
    }

    /// The greatest duration of the bucket that holds the given share of all, 0 … 1; 0 if there is none.
    func quantileMicros(_ share: Double) -> Int64 {
        let wanted = max(1, Int((share * Double(count)).rounded(.up)))
        var seen = 0
        for (index, inBucket) in counts.enumerated() {
            seen += inBucket
            if seen >= wanted { return Self.upperBound(index) }
        }
        return 0
    }

    /// Below 16 each has its own; above, the top bit and the four bits after it.
    private static func bucket(_ micros: Int64) -> Int {
        let value = UInt64(micros)
        guard value >= UInt64(bucketsPerOctave) else { return Int(value) }
        let shift = 63 - value.leadingZeroBitCount - 4
        return (shift + 1) * bucketsPerOctave + Int(value >> UInt64(shift)) - bucketsPerOctave
    }

    private static func upperBound(_ bucket: Int) -> Int64 {
        guard bucket >= bucketsPerOctave else { return Int64(bucket) }
        let shift = bucket / bucketsPerOctave - 1
        let next = UInt64(bucket % bucketsPerOctave + bucketsPerOctave + 1) << UInt64(shift)
        return Int64(clamping: next - 1)
    }
}
