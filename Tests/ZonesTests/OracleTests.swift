import Files
import Foundation
import TestSupport
import Testing
import Zones

/// Foundation's time zones and calendar are the judge; the two may hold different releases of the zone database,
/// so the years tested are those on which all recent ones agree.
@Suite struct OracleTests {
    static let names = [
        "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe",
        "Africa/Cairo", "Pacific/Apia",
    ]
    private static let seed: UInt64 = 0x5A6F_6E65
    /// 1970-01-01 to 2037-01-01, and the time that only the footer's rule tells of.
    private static let near: Range<Int64> = 0..<2_114_380_800
    private static let far: Range<Int64> = 2_145_916_800..<9_000_000_000

    @Test(arguments: names)
    func offsetsAgree(name: String) throws {
        let zone = try Zone(named: name, disk: .posix)
        let oracle = try #require(TimeZone(identifier: name))
        var random = SeededRandom(seed: Self.seed)
        for round in 0..<4000 {
            let seconds = Int64.random(in: round % 4 == 0 ? Self.far : Self.near, using: &random)
            let expected = oracle.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds)))
            #expect(zone.offsetSeconds(atUTCMicros: seconds * 1_000_000) == expected, "\(name) at \(seconds)")
        }
    }

    @Test(arguments: names)
    func offsetsAgreeOnBothSidesOfEachClockChange(name: String) throws {
        let zone = try Zone(named: name, disk: .posix)
        let oracle = try #require(TimeZone(identifier: name))
        var moment = Date(timeIntervalSince1970: 0)
        while let change = oracle.nextDaylightSavingTimeTransition(after: moment), change > moment,
            change.timeIntervalSince1970 < Double(Self.near.upperBound)
        {
            for delta in [-1.0, 0, 1] {
                let date = change + delta
                let seconds = Int64(date.timeIntervalSince1970)
                #expect(
                    zone.offsetSeconds(atUTCMicros: seconds * 1_000_000) == oracle.secondsFromGMT(for: date),
                    "\(name) at \(seconds)")
            }
            moment = change
        }
    }

    @Test(arguments: names)
    func daysWeeksMonthsQuartersAndYearsStartTogether(name: String) throws {
        let zone = try Zone(named: name, disk: .posix)
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(identifier: name))
        calendar.firstWeekday = 2
        calendar.minimumDaysInFirstWeek = 4
        var random = SeededRandom(seed: Self.seed)
        for _ in 0..<1500 {
            let micros = Int64.random(in: Self.near, using: &random) * 1_000_000 + 123_456
            let date = Date(timeIntervalSince1970: Double(micros / 1_000_000))
            let parts = calendar.dateComponents([.year, .month, .day], from: date)
            let civil = zone.civilDate(atMicros: micros)
            #expect([parts.year, parts.month, parts.day] == [civil.year, civil.month, civil.day])

            let units: [(BucketUnit, Calendar.Component)] = [
                (.day, .day), (.week, .weekOfYear), (.month, .month), (.year, .year),
            ]
            for (unit, component) in units {
                let interval = try #require(calendar.dateInterval(of: component, for: date))
                #expect(
                    zone.bucketStart(of: micros, unit: unit) == instant(interval.start), "\(name) \(unit) of \(micros)")
                #expect(zone.bucketEnd(of: micros, unit: unit) == instant(interval.end), "\(name) \(unit) of \(micros)")
            }
        }
    }

    @Test func civilDatesCountDaysTheSameWay() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        var random = SeededRandom(seed: Self.seed)
        for _ in 0..<1000 {
            let days = Int.random(in: -50_000...300_000, using: &random)
            let months = Int.random(in: -600...600, using: &random)
            let date = CivilDate(daysSinceEpoch: days)
            let oracle = Date(timeIntervalSince1970: Double(days) * 86_400)
            let parts = calendar.dateComponents([.year, .month, .day, .weekday], from: oracle)
            #expect([parts.year, parts.month, parts.day] == [date.year, date.month, date.day])
            #expect(parts.weekday == date.weekday.rawValue % 7 + 1)
            #expect(date.daysSinceEpoch == days)
            let moved = try #require(calendar.date(byAdding: .month, value: months, to: oracle))
            #expect(date.adding(months: months).daysSinceEpoch == Int(moved.timeIntervalSince1970) / 86_400)
        }
    }

    private func instant(_ date: Date) -> Int64 { Int64(date.timeIntervalSince1970) * 1_000_000 }
}
