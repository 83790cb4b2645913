import Bytes
import Files

/// A time zone: which offset from UTC its clocks show at each instant. Instants are microseconds since the epoch.
package struct Zone: Sendable, Equatable {
    package static let utc = Zone(name: "UTC", transitionSeconds: [], offsetSeconds: [0], cycleEndSeconds: .max)

    /// The name in the IANA database, such as `Europe/Berlin`.
    package let name: String

    /// Span `i` begins at transition `i - 1`, the first one at no time, and shows `offsetSeconds[i]`.
    private let transitionSeconds: [Int]
    private let offsetSeconds: [Int]
    /// From here on, clocks repeat what they did 400 years before: the calendar's and the week's common cycle.
    private let cycleEndSeconds: Int

    private static let cycleSeconds = 146_097 * 86_400
    /// No clock is further from UTC (RFC 9636 §3.2).
    private static let offsetSecondsMax = 26 * 3600

    /// Reads a zone from the system's database.
    /// - Parameter folder: where the database's files lie, without a slash at the end.
    package init(
        named name: String, disk: Disk, folder: String = "/usr/share/zoneinfo"
    ) throws(ZoneError) {
        guard Self.isValid(name) else { throw .invalidName(name) }
        if name == Self.utc.name {
            self = .utc
            return
        }
        let file: [UInt8]
        do throws(FileError) {
            file = try disk.contents(folder + "/" + name, limit: 1 << 20)
        } catch {
            // EISDIR: a region such as "Europe" is a folder.
            throw error.isNotFound || error.code == 21 ? .unknown(name) : .unreadable(error)
        }
        try self.init(name: name, file: file)
    }

    /// Reads a zone from the bytes of a TZif file.
    package init(name: String, file: [UInt8]) throws(ZoneError) {
        do throws(DecodeError) {
            self.init(name: name, try TZif(file.rawSpan))
        } catch {
            throw .malformed(name: name, error)
        }
    }

    private init(name: String, _ file: TZif) {
        var transitions = file.transitionSeconds
        var offsets = file.offsetSeconds
        guard let rule = file.rule, let daylight = rule.daylight else {
            self.init(name: name, transitionSeconds: transitions, offsetSeconds: offsets, cycleEndSeconds: .max)
            return
        }
        // One cycle of the footer's rule, written out, and a year on each side so that its edges need no care.
        let last = min(max(transitions.last ?? 0, 0), 4_102_444_800)  // 2100: absurd files must not overflow below.
        let firstYear = CivilDate(daysSinceEpoch: last / 86_400).year
        for year in firstYear...(firstYear + 401) {
            let start = (daylight.start.localSeconds(year: year) - rule.offsetSeconds, daylight.offsetSeconds)
            let end = (daylight.end.localSeconds(year: year) - daylight.offsetSeconds, rule.offsetSeconds)
            for (seconds, offset) in start.0 < end.0 ? [start, end] : [end, start]
            where seconds > transitions.last ?? .min {
                transitions.append(seconds)
                offsets.append(offset)
            }
        }
        let cycleEnd = CivilDate(daysSinceEpoch: 0).adding(months: (firstYear + 401 - 1970) * 12)
        self.init(
            name: name, transitionSeconds: transitions, offsetSeconds: offsets,
            cycleEndSeconds: cycleEnd.daysSinceEpoch * 86_400)
    }

    private init(name: String, transitionSeconds: [Int], offsetSeconds: [Int], cycleEndSeconds: Int) {
        self.name = name
        self.transitionSeconds = transitionSeconds
        self.offsetSeconds = offsetSeconds
        self.cycleEndSeconds = cycleEndSeconds
    }

    private static func isValid(_ name: String) -> Bool {
        let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return name.utf8.count <= 255
            && parts.allSatisfy { part in
                !part.isEmpty
                    && part.allSatisfy { byte in
                        switch byte {
                        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "+"),
                            UInt8(ascii: "-"):
                            true
                        default: false
                        }
                    }
            }
    }

    // MARK: Instants to clocks

    /// How far the zone's clocks are ahead of UTC, in seconds. O(log transitions).
    package func offsetSeconds(atUTCMicros micros: Int64) -> Int {
        let (seconds, _) = folded(Int(micros.flooredQuotient(1_000_000)))
        return offsetSeconds[spanIndex(seconds)]
    }

    /// The day the zone's clocks and calendars show.
    package func civilDate(atMicros micros: Int64) -> CivilDate {
        let local = Int(micros.flooredQuotient(1_000_000)) + offsetSeconds(atUTCMicros: micros)
        return CivilDate(daysSinceEpoch: local.flooredQuotient(86_400))
    }

    /// The last clock change at or before an instant, the next one after it; nil where there is none.
    func transitions(around micros: Int64) -> (last: Int64?, next: Int64?) {
        let (seconds, shift) = folded(Int(micros.flooredQuotient(1_000_000)))
        let index = spanIndex(seconds)
        return (
            index == 0 ? nil : Self.micros(transitionSeconds[index - 1] + shift),
            index == transitionSeconds.count ? nil : Self.micros(transitionSeconds[index] + shift)
        )
    }

    // MARK: Clocks to instants

    /// The first instant of a local day. Where a clock change skips midnight that is the instant of the change;
    /// a day skipped whole starts, and is over, where the next one starts.
    /// Instants that 64 bits cannot hold become the nearest they can.
    package func startOfDay(_ day: CivilDate) -> Int64 {
        Self.micros(firstInstantSeconds(localSeconds: day.daysSinceEpoch * 86_400))
    }

    /// The first instant at which the zone's clocks show this time or, if a clock change skips it, a later one.
    package func micros(day: CivilDate, secondOfDay: Int, micros: Int) -> Int64 {
        let seconds = firstInstantSeconds(localSeconds: day.daysSinceEpoch * 86_400 + secondOfDay)
        return Self.micros(seconds).saturatingAdding(Int64(micros))
    }

    private func firstInstantSeconds(localSeconds: Int) -> Int {
        let (local, shift) = folded(localSeconds)
        // No span before this one can reach the local time, and each later one begins later: the first that fits.
        var index = spanIndex(local - Self.offsetSecondsMax)
        while index < transitionSeconds.count, local - offsetSeconds[index] >= transitionSeconds[index] { index += 1 }
        let candidate = local - offsetSeconds[index]
        return (index == 0 ? candidate : max(candidate, transitionSeconds[index - 1])) + shift
    }

    /// The same moment within the written-out cycle, and how much later the given one is.
    private func folded(_ seconds: Int) -> (seconds: Int, shift: Int) {
        guard seconds >= cycleEndSeconds else { return (seconds, 0) }
        let shift = ((seconds - cycleEndSeconds) / Self.cycleSeconds + 1) * Self.cycleSeconds
        return (seconds - shift, shift)
    }

    /// The span an instant lies in: how many transitions are at or before it.
    private func spanIndex(_ seconds: Int) -> Int {
        var low = 0
        var high = transitionSeconds.count
        while low < high {
            let middle = (low + high) / 2
            if transitionSeconds[middle] <= seconds { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private static func micros(_ seconds: Int) -> Int64 {
        let (micros, overflowed) = Int64(seconds).multipliedReportingOverflow(by: 1_000_000)
        return overflowed ? (seconds < 0 ? .min : .max) : micros
    }
}

extension FixedWidthInteger {
    /// Division that rounds towards negative infinity; `divisor` is positive.
    func flooredQuotient(_ divisor: Self) -> Self {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }

    /// What `flooredQuotient` leaves: 0..<divisor.
    func flooredRemainder(_ divisor: Self) -> Self {
        let remainder = self % divisor
        return remainder < 0 ? remainder + divisor : remainder
    }

    func saturatingAdding(_ other: Self) -> Self {
        let (sum, overflowed) = addingReportingOverflow(other)
        return overflowed ? (other < 0 ? .min : .max) : sum
    }
}
