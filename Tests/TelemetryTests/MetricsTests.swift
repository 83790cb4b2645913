import Telemetry
import Testing

@Suite struct MetricsTests {
    @Test func theTextIsExactlyThatOfPrometheus() {
        let registry = MetricsRegistry()
        let batches = registry.counter("batches_total", help: "Batches made durable.", labels: ["kind": "new"])
        let free = registry.gauge("disk_free_bytes", help: "Free bytes\nof the \\ disk with a \"name\".")
        let resent = registry.counter("batches_total", help: "Batches made durable.", labels: ["kind": "a\"b\\c\nd"])
        let sync = registry.histogram(
            "sync_seconds", help: "Time of a sync.", labels: ["disk": "0"], bounds: [0.001, 0.5, 1])
        let plain = registry.histogram("rows", help: "Rows.", bounds: [])
        batches.increment()
        batches.increment(by: 41)
        resent.increment(by: 0)
        free.set(1_000_000)
        free.add(-0.5)
        for value in [0.0005, 0.001, 0.25, 1, 1.5] { sync.observe(value) }
        plain.observe(3)
        #expect(
            registry.text() == #"""
                # HELP batches_total Batches made durable.
                # TYPE batches_total counter
                batches_total{kind="new"} 42
                batches_total{kind="a\"b\\c\nd"} 0
                # HELP disk_free_bytes Free bytes\nof the \\ disk with a "name".
                # TYPE disk_free_bytes gauge
                disk_free_bytes 999999.5
                # HELP sync_seconds Time of a sync.
                # TYPE sync_seconds histogram
                sync_seconds_bucket{disk="0",le="0.001"} 2
                sync_seconds_bucket{disk="0",le="0.5"} 3
                sync_seconds_bucket{disk="0",le="1"} 4
                sync_seconds_bucket{disk="0",le="+Inf"} 5
                sync_seconds_sum{disk="0"} 2.7515
                sync_seconds_count{disk="0"} 5
                # HELP rows Rows.
                # TYPE rows histogram
                rows_bucket{le="+Inf"} 1
                rows_sum 3
                rows_count 1

                """#)
    }

    @Test func infinityAndNaNHaveTheirOwnSpelling() {
        let registry = MetricsRegistry()
        for (value, text) in [(Double.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"), (1e20, "1e+20")] {
            let gauge = registry.gauge("g", help: "G.", labels: ["v": text])
            gauge.set(value)
        }
        let values = registry.text().split(separator: "\n").dropFirst(2).map { $0.split(separator: " ")[1] }
        #expect(values == ["+Inf", "-Inf", "NaN", "1e+20"])
    }

    @Test func manyThreadsLoseNothing() async {
        let registry = MetricsRegistry()
        let counter = registry.counter("a_total", help: "A.")
        let gauge = registry.gauge("b", help: "B.")
        let histogram = registry.histogram("c", help: "C.", bounds: [1])
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1000 {
                        counter.increment()
                        gauge.add(1)
                        histogram.observe(2)
                    }
                }
            }
        }
        #expect(counter.value == 8000 && gauge.value == 8000)
        #expect(histogram.cumulativeCounts == [0, 8000] && histogram.sum == 16_000)
    }

    @Test func aSeriesRegisteredTwiceTraps() async {
        await #expect(processExitsWith: .failure) {
            let registry = MetricsRegistry()
            _ = registry.counter("a_total", help: "A.", labels: ["k": "v"])
            _ = registry.counter("a_total", help: "A.", labels: ["k": "v"])
        }
    }

    @Test func aNameOutsideTheFormatTraps() async {
        await #expect(processExitsWith: .failure) { _ = MetricsRegistry().counter("a-b_total", help: "A.") }
        await #expect(processExitsWith: .failure) { _ = MetricsRegistry().counter("a", help: "A.") }
        await #expect(processExitsWith: .failure) { _ = MetricsRegistry().gauge("a", help: "A.", labels: ["a b": ""]) }
    }
}
