import Events
import JSON
import Zones

/// What the demo shall be like.
struct DemoSettings: Equatable {
    var userCount = 2000
    var dayCount = 30
    var eventCount = 200_000
    var seed: UInt64 = 1
    /// The last day, in UTC,
    var endDate: CivilDate
    /// and so many hours of it.
    var lastDayHours = 24

    var hourCount: Int { (dayCount - 1) * 24 + lastDayHours }
    var firstDay: CivilDate { endDate.adding(days: 1 - dayCount) }
}

/// The events of an imaginary product, hour by hour in the order of their times.
///
/// The same settings give the same events. Not more than the sessions of a few hours are in memory.
struct DemoStream {
    /// Somebody who came without signing up, and may come again.
    private struct Visitor {
        /// nil: known by a link that was sent to them, so that no id changes when they sign up.
        let anonymousID: String?
        let person: DemoPerson
    }

    private let settings: DemoSettings
    private var random: DemoRandom
    private var persons: [DemoPerson] = []
    /// Ascending; `persons[i]` is chosen where a number up to the last falls below `reach[i]`.
    private var reach: [Double] = []
    private var visitors: [Visitor] = []
    private var nextVisitor = 1
    private var nextSession = 1
    private var nextPurchase = 1
    private var hour = 0
    private var remainingWeight: Double
    /// Events of sessions that go on in later hours.
    private var waiting: [Event] = []
    private(set) var producedCount = 0
    private var sessionCount = 0
    private var sessionEventCount = 0

    init(_ settings: DemoSettings) {
        self.settings = settings
        random = DemoRandom(seed: settings.seed)
        remainingWeight = 0
        for hour in 0..<settings.hourCount { remainingWeight += weight(ofHour: hour) }
        for index in 0..<settings.userCount { addPerson(DemoPerson(userID: Self.userID(index + 1), &random)) }
    }

    private static func userID(_ number: Int) -> String { "user_" + padded(number, 6) }

    static func padded(_ number: Int, _ digitCount: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, digitCount - digits.count)) + digits
    }

    private mutating func addPerson(_ person: DemoPerson) {
        reach.append((reach.last ?? 0) + person.activity)
        persons.append(person)
    }

    private func weight(ofHour hour: Int) -> Double {
        let weekday = settings.firstDay.adding(days: hour / 24).weekday
        // The product grows a little every day.
        let growth = 1 + Double(hour / 24) * 0.01
        return DemoCatalog.hourWeights[hour % 24] * DemoCatalog.weekdayWeights[weekday.rawValue - 1] * growth
    }

    /// The events of the next hour, in the order of their times; nil after the last. What sessions would still do after
    /// the last hour never happens.
    mutating func nextHour() -> [Event]? {
        guard hour < settings.hourCount, producedCount < settings.eventCount else { return nil }
        let startMicros = Int64(settings.firstDay.daysSinceEpoch * 24 + hour) * 3_600_000_000
        let wanted = Double(settings.eventCount - producedCount - waiting.count)
        let weight = weight(ofHour: hour)
        let perSession = sessionCount < 20 ? 9 : Double(sessionEventCount) / Double(sessionCount)
        let sessions = wanted * weight / max(remainingWeight, weight) / perSession
        let count = Int(sessions) + (random.chance(sessions - sessions.rounded(.down)) ? 1 : 0)
        for _ in 0..<count { addSession(hourStartMicros: startMicros) }
        remainingWeight -= weight
        hour += 1
        return takeEvents(before: startMicros + 3_600_000_000)
    }

    private mutating func takeEvents(before endMicros: Int64) -> [Event] {
        var due: [(place: Int, event: Event)] = []
        var later: [Event] = []
        for (place, event) in waiting.enumerated() {
            if event.timestampMicros < endMicros { due.append((place, event)) } else { later.append(event) }
        }
        // Equal times stay in the order in which they were made.
        due.sort { ($0.event.timestampMicros, $0.place) < ($1.event.timestampMicros, $1.place) }
        waiting = later
        let events = due.prefix(settings.eventCount - producedCount).map(\.event)
        producedCount += events.count
        return events
    }

    private mutating func addSession(hourStartMicros: Int64) {
        let startMicros = hourStartMicros + Int64(random.index(below: 3_600_000)) * 1000
        let sessionsExpected = Double(max(settings.eventCount / 9, 1))
        let isVisit = random.chance(min(0.16, Double(settings.userCount) / sessionsExpected))
        var session = DemoSession(
            startMicros: startMicros, sessionID: "sess_" + Self.padded(nextSession, 8), day: hour / 24,
            dayCount: settings.dayCount, nextPurchase: nextPurchase)
        nextSession += 1
        if isVisit { addVisit(&session) } else { session.playUser(choosePerson(), &random) }
        nextPurchase = session.nextPurchase
        sessionCount += 1
        sessionEventCount += session.events.count
        waiting += session.events
    }

    private mutating func choosePerson() -> DemoPerson {
        let place = random.unit() * (reach.last ?? 0)
        var low = 0
        var high = persons.count - 1
        while low < high {
            let middle = (low + high) / 2
            if reach[middle] > place { high = middle } else { low = middle + 1 }
        }
        return persons[low]
    }

    /// A visit by nobody in particular, who may sign up.
    private mutating func addVisit(_ session: inout DemoSession) {
        let visitor: Visitor
        if !visitors.isEmpty, random.chance(0.3) {
            visitor = visitors.remove(at: random.index(below: visitors.count))
        } else {
            let isInvited = random.chance(0.5)
            visitor = Visitor(
                anonymousID: isInvited ? nil : "anon_" + Self.padded(nextVisitor, 7),
                person: DemoPerson(userID: Self.userID(settings.userCount + nextVisitor), &random))
            nextVisitor += 1
        }
        if session.playVisit(visitor.person, anonymousID: visitor.anonymousID, &random) {
            addPerson(visitor.person)
        } else if visitors.count < 10_000 {
            visitors.append(visitor)
        }
    }
}

/// A user of the demo: who, from where, with what, how often.
struct DemoPerson {
    let userID: String
    let place: DemoCatalog.Place
    let device: DemoCatalog.Device
    /// Relative; a few come every day, most now and then.
    let activity: Double
    let buys: Bool
    let adoptsEarly: Bool

    init(userID: String, _ random: inout DemoRandom) {
        self.userID = userID
        place = random.pick(DemoCatalog.places)
        device = random.pick(DemoCatalog.devices)
        activity = 0.15 / (random.unit() + 0.02)
        buys = random.chance(0.2)
        adoptsEarly = random.chance(0.3)
    }
}
