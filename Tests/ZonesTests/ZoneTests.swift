import Files
import TestSupport
import Testing
import Zones

@Suite struct ZoneTests {
    private func zone(_ name: String) throws -> Zone { try Zone(named: name, disk: .posix) }

    private func micros(_ text: String) throws -> Int64 {
        guard case .instant(let micros)? = ISO8601.moment(text, in: .utc) else { throw ZoneError.unknown(text) }
        return micros
    }

    private func day(_ text: String) throws -> CivilDate { try #require(ISO8601.date(text)) }

    @Test func aDayWithoutMidnightStartsAtItsFirstInstant() throws {
        // Cairo's clocks went from 00:00 to 01:00.
        let cairo = try zone("Africa/Cairo")
        #expect(cairo.startOfDay(try day("2024-04-26")) == (try micros("2024-04-25T22:00:00Z")))
        #expect(cairo.offsetSeconds(atUTCMicros: try micros("2024-04-25T22:00:00Z")) == 3 * 3600)
        #expect(cairo.offsetSeconds(atUTCMicros: try micros("2024-04-25T21:59:59.999999Z")) == 2 * 3600)
    }

    @Test func aDaySkippedWholeIsEmptyAndHasNoBucket() throws {
        let apia = try zone("Pacific/Apia")
        let start = apia.startOfDay(try day("2011-12-30"))
        #expect(start == (try micros("2011-12-30T10:00:00Z")))
        #expect(start == apia.startOfDay(try day("2011-12-31")))
        let buckets = try apia.buckets(
            from: apia.startOfDay(try day("2011-12-28")), to: apia.startOfDay(try day("2012-01-02")), unit: .day,
            countMax: 10)
        #expect(
            buckets.map { apia.civilDate(atMicros: $0).description } == [
                "2011-12-28", "2011-12-29", "2011-12-31", "2012-01-01",
            ])
    }

    @Test func hoursFollowTheLocalClockAndARepeatedOneIsTwoBuckets() throws {
        let berlin = try zone("Europe/Berlin")
        let fallBack = try day("2024-10-27")
        let hours = try berlin.buckets(
            from: berlin.startOfDay(fallBack), to: berlin.startOfDay(fallBack.adding(days: 1)), unit: .hour,
            countMax: 25)
        #expect(hours.count == 25)
        let springForward = try day("2024-03-31")
        let fewer = try berlin.buckets(
            from: berlin.startOfDay(springForward), to: berlin.startOfDay(springForward.adding(days: 1)),
            unit: .hour, countMax: 25)
        #expect(fewer.count == 23)
        // Kathmandu's clocks show full hours at a quarter past those of UTC.
        let kathmandu = try zone("Asia/Kathmandu")
        let start = kathmandu.bucketStart(of: try micros("2024-01-01T00:00:00Z"), unit: .hour)
        #expect(start == (try micros("2023-12-31T23:15:00Z")))
        // Lord Howe repeats half an hour, which is a short bucket of its own.
        let lordHowe = try zone("Australia/Lord_Howe")
        let repeated = try lordHowe.buckets(
            from: try micros("2024-04-06T14:00:00Z"), to: try micros("2024-04-06T17:00:00Z"), unit: .hour, countMax: 9)
        #expect(
            repeated.map { ISO8601.format(micros: $0, zone: lordHowe) } == [
                "2024-04-07T01:00:00.000000+11:00", "2024-04-07T01:30:00.000000+10:30",
                "2024-04-07T02:00:00.000000+10:30", "2024-04-07T03:00:00.000000+10:30",
            ])
    }

    @Test(arguments: OracleTests.names, BucketUnit.allCases)
    func bucketsCutTimeWithoutGapOrOverlap(name: String, unit: BucketUnit) throws {
        let zone = try zone(name)
        var random = SeededRandom(seed: 9)
        for _ in 0..<300 {
            let micros = Int64.random(in: -4_000_000_000...9_000_000_000, using: &random) * 1_000_000
            let start = zone.bucketStart(of: micros, unit: unit, weekStart: .sunday)
            let end = zone.bucketEnd(of: micros, unit: unit, weekStart: .sunday)
            #expect(start <= micros && micros < end)
            #expect(zone.bucketStart(of: start, unit: unit, weekStart: .sunday) == start)
            #expect(zone.bucketStart(of: end - 1, unit: unit, weekStart: .sunday) == start)
            #expect(zone.bucketStart(of: end, unit: unit, weekStart: .sunday) == end)
        }
    }

    @Test(arguments: OracleTests.names)
    func theEndsOfTimeDoNotTrap(name: String) throws {
        let zone = try zone(name)
        for micros in [Int64.min, .min + 1, -1, 0, .max - 1, .max] {
            for unit in BucketUnit.allCases {
                #expect(zone.bucketStart(of: micros, unit: unit) <= micros)
                #expect(zone.bucketEnd(of: micros, unit: unit) >= micros)
            }
            _ = ISO8601.format(micros: micros, zone: zone)
        }
        #expect(try zone.buckets(from: .max - 1, to: .max, unit: .hour, countMax: 5).count == 1)
    }

    @Test func weeksStartWhereTheCallerSays() throws {
        let wednesday = try day("2024-05-01")
        #expect(wednesday.first(of: .week).description == "2024-04-29")
        #expect(wednesday.first(of: .week, weekStart: .sunday).description == "2024-04-28")
        #expect(wednesday.first(of: .quarter).description == "2024-04-01")
    }

    @Test func monthsClampToTheirLastDay() throws {
        #expect(try day("2024-01-31").adding(months: 1).description == "2024-02-29")
        #expect(try day("2024-02-29").adding(months: -12).description == "2023-02-28")
        #expect(CivilDate(year: 2023, month: 2, day: 29) == nil)
    }

    @Test func tooManyBucketsAreRefused() {
        #expect(throws: ZoneError.tooManyBuckets(limit: 10)) {
            try Zone.utc.buckets(from: 0, to: .max, unit: .hour, countMax: 10)
        }
    }

    @Test(arguments: ["", "/etc/passwd", "../passwd", "Europe/../UTC", "Europe//Berlin", "Europe/", "a b", ".", "é"])
    func namesThatCouldLeaveTheFolderAreRefused(name: String) {
        #expect(throws: ZoneError.invalidName(name)) { try Zone(named: name, disk: .posix) }
    }

    @Test(arguments: ["Europe", "Europe/Atlantis", "Nowhere"])
    func zonesThatAreNotThereAreUnknown(name: String) {
        #expect(throws: ZoneError.unknown(name)) { try Zone(named: name, disk: .posix) }
    }

    @Test func aDiskFaultIsReported() {
        let faulty = FaultyDisk(failing: 0, kind: .error(5))
        #expect(throws: ZoneError.self) { try Zone(named: "Europe/Berlin", disk: faulty.disk) }
    }

    @Test(arguments: ["Europe/Berlin", "Africa/Cairo", "Asia/Kathmandu"])
    func everyPrefixAndBitFlipOfAFileIsReadOrRefused(name: String) throws {
        let file = try Disk.posix.contents("/usr/share/zoneinfo/" + name)
        for end in file.indices {
            #expect(throws: ZoneError.self) { try Zone(name: name, file: Array(file[..<end])) }
        }
        var random = SeededRandom(seed: 5)
        for _ in 0..<1500 {
            var flipped = file
            let bit = Int.random(in: 0..<(file.count * 8), using: &random)
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            guard let zone = try? Zone(name: name, file: flipped) else { continue }
            for micros in [Int64.min, -1, 1_700_000_000_000_000, 5_000_000_000_000_000, .max] {
                _ = zone.bucketStart(of: micros, unit: .day)
                _ = zone.bucketStart(of: micros, unit: .hour)
                _ = zone.bucketEnd(of: micros, unit: .hour)
            }
        }
    }
}
