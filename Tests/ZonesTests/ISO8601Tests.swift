import Files
import TestSupport
import Testing
import Zones

@Suite struct ISO8601Tests {
    @Test(arguments: [
        ("2024-03-01T00:00:00Z", "2024-03-01T00:00:00.000000Z"),
        ("2024-03-01 12:30:15.5z", "2024-03-01T12:30:15.500000Z"),
        ("2024-03-01t12:30", "2024-03-01T11:30:00.000000Z"),
        ("2024-03-01T12:30:15.1234567+05:45", "2024-03-01T06:45:15.123456Z"),
        ("2024-03-01T12:30:15-0330", "2024-03-01T16:00:15.000000Z"),
        ("2024-03-01T12:30:15+02", "2024-03-01T10:30:15.000000Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000Z"),
        ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000000Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        ("2024-07-01T12:00:00", "2024-07-01T10:00:00.000000Z"),  // Berlin's summer
        ("2024-03-31T02:30:00", "2024-03-31T01:00:00.000000Z"),  // skipped: the first instant after it
        ("2024-10-27T02:30:00", "2024-10-27T00:30:00.000000Z"),  // twice: the first
    ])
    func momentsAreReadInTheZoneOfTheQuestion(text: String, expected: String) throws {
        let berlin = try Zone(named: "Europe/Berlin", disk: .posix)
        guard case .instant(let micros)? = ISO8601.moment(text, in: berlin) else {
            Issue.record("\(text) was refused")
            return
        }
        #expect(ISO8601.format(micros: micros) == expected)
    }

    @Test(arguments: [
        "", "2024", "2024-3-1", "2024-02-30", "2024-13-01", "2024-03-01T", "2024-03-01T24:00:00", "2024-03-01T12",
        "2024-03-01T12:60", "2024-03-01T12:30:61Z", "2024-03-01T12:30:15.Z", "2024-03-01T12:30:15+", "20240301",
        "2024-03-01T12:30:15+24:00", "2024-03-01T12:30:15ZZ", " 2024-03-01", "2024-03-01 ", "-2024-03-01", "２024-03-01",
        "2024-03-01T12:30:15+05:4", "2024-03-01T12:30:15+05:",
    ])
    func anythingElseIsRefused(text: String) {
        #expect(ISO8601.moment(text, in: .utc) == nil)
    }

    @Test func datesAreDates() {
        #expect(ISO8601.moment("2024-02-29", in: .utc) == CivilDate(year: 2024, month: 2, day: 29).map { .date($0) })
        #expect(ISO8601.date("2024-02-29T00:00:00Z") == nil)
    }

    @Test func offsetsAreWrittenAsTheZoneHasThem() throws {
        let micros: Int64 = 1_709_251_200_000_000
        for (name, expected) in [
            ("Europe/Berlin", "2024-03-01T01:00:00.000000+01:00"),
            ("Asia/Kathmandu", "2024-03-01T05:45:00.000000+05:45"),
            ("America/New_York", "2024-02-29T19:00:00.000000-05:00"), ("UTC", "2024-03-01T00:00:00.000000Z"),
        ] {
            #expect(ISO8601.format(micros: micros, zone: try Zone(named: name, disk: .posix)) == expected)
        }
    }

    @Test(arguments: OracleTests.names)
    func writtenInstantsReadBack(name: String) throws {
        let zone = try Zone(named: name, disk: .posix)
        var random = SeededRandom(seed: 3)
        for _ in 0..<1000 {
            let micros = Int64.random(in: -50_000_000_000_000_000...200_000_000_000_000_000, using: &random)
            let text = ISO8601.format(micros: micros, zone: zone)
            #expect(ISO8601.moment(text, in: .utc) == .instant(micros), "\(text)")
        }
    }
}
