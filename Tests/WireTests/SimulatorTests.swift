import Foundation
import Testing

@testable import Wire

/// Every acknowledged event is in the log exactly once after all crashes, every sequence has exactly one fate, everybody
/// finishes. `SIMULATOR_SEEDS=100000` runs as many seeds of each kind.
@Suite struct SimulatorTests {
    static let shards = UInt64(0)..<8
    static let seedsPerShard =
        (ProcessInfo.processInfo.environment["SIMULATOR_SEEDS"].flatMap(UInt64.init) ?? 600) / 8

    @Test(arguments: shards) func everyEventIsStoredExactlyOnceWhateverBreaks(shard: UInt64) throws {
        try run(shard: shard, faults: Simulator.Faults())
    }

    @Test(arguments: shards) func copiedSendersOfOneSourceLoseAndDoubleNothing(shard: UInt64) throws {
        var faults = Simulator.Faults()
        faults.clones = 0.05
        try run(shard: shard, faults: faults)
    }

    @Test(arguments: Flaw.allCases.filter { $0 != .none }) func aServerWithAFlawIsCaught(flaw: Flaw) throws {
        for seed in UInt64(0)..<200 {
            var simulator = Simulator(seed: seed, flaw: flaw)
            try simulator.run(steps: 150, faults: Simulator.Faults())
            if !simulator.faultsFound.isEmpty { return }
        }
        Issue.record("200 seeds did not find \(flaw)")
    }

    private func run(shard: UInt64, faults: Simulator.Faults) throws {
        var events = 0
        for seed in (shard * Self.seedsPerShard)..<((shard + 1) * Self.seedsPerShard) {
            var simulator = Simulator(seed: seed, flaw: .none)
            try simulator.run(steps: 150, faults: faults)
            #expect(simulator.faultsFound.isEmpty, "seed \(seed): \(simulator.faultsFound.prefix(3))")
            events += simulator.settledEvents
        }
        #expect(events > 1000, "the simulation must do something")
    }
}
