import Foundation
import Testing

/// TIDEMARK_KILLS, TIDEMARK_SECONDS and TIDEMARK_SEED lengthen and repeat it; see scripts/crash-campaign.
@Suite struct KillCampaignTests {
    private static func number(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }

    @Test func killsAtRandomMomentsLoseAndDoubleNothing() throws {
        let seed = Self.number("TIDEMARK_SEED") ?? UInt64.random(in: 0...999_999)
        let campaign = KillCampaign(
            seed: seed, kills: Int(Self.number("TIDEMARK_KILLS") ?? 12),
            secondsMax: Int(Self.number("TIDEMARK_SECONDS") ?? 15))
        let summary = try campaign.run()
        print(summary)
        #expect(summary.faults.isEmpty, "seed \(seed)")
        #expect(summary.kills > 0 && summary.rows > 0)
    }
}
