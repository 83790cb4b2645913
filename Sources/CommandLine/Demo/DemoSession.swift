import Events
import JSON

/// One session of the demo while it is being played.
struct DemoSession {
    private(set) var events: [Event] = []
    private(set) var nextPurchase: Int
    private let sessionID: String
    private let day: Int
    private let dayCount: Int
    private var timestampMicros: Int64
    private var userID: String?
    private var anonymousID: String?
    private var described: [EventValue] = []

    init(startMicros: Int64, sessionID: String, day: Int, dayCount: Int, nextPurchase: Int) {
        timestampMicros = startMicros
        self.sessionID = sessionID
        self.day = day
        self.dayCount = dayCount
        self.nextPurchase = nextPurchase
    }

    /// A session of somebody who has signed up.
    mutating func playUser(_ person: DemoPerson, _ random: inout DemoRandom) {
        describe(person, &random)
        userID = person.userID
        if random.chance(0.35) { add("sign_in", [text("method", random.pickEarly(["password", "google", "sso"]))]) }
        viewPage(random.chance(0.6) ? "dashboard" : "home", &random)
        var continues = true
        while continues {
            wait(&random)
            act(person, &random)
            continues = random.chance(0.87)
        }
        if random.chance(0.18) {
            wait(&random)
            add("sign_out", [])
        }
    }

    /// A visit before signing up, with the signup funnel in it.
    /// - Parameter anonymousID: nil if they are known by their user id before they sign up.
    /// - Returns: whether it ended with a new user.
    mutating func playVisit(_ person: DemoPerson, anonymousID: String?, _ random: inout DemoRandom) -> Bool {
        describe(person, &random)
        self.anonymousID = anonymousID
        if anonymousID == nil { userID = person.userID }
        for _ in 0...random.index(below: 3) {
            viewPage(random.pickEarly(["home", "pricing", "help", "features"]), &random)
            wait(&random)
        }
        guard random.chance(0.62) else { return false }
        viewPage("signup", &random)
        guard random.chance(0.72) else { return false }
        wait(&random)
        click("signup_button", "button", "Sign up", &random)
        guard random.chance(0.7) else { return false }
        wait(&random)
        if random.chance(0.1) {
            fail(DemoCatalog.errors[2])
            wait(&random)
        }
        add("submit", [text("form_name", "signup"), text("element_id", "signup_form")])
        guard random.chance(0.88) else { return false }
        timestampMicros += 350_000
        userID = person.userID
        if anonymousID != nil { add(ReservedType.identify.rawValue, []) }
        add("sign_up", [
            text("method", random.pickEarly(["password", "google"])), text("plan", person.buys ? "trial" : "free"),
        ])
        self.anonymousID = nil
        wait(&random)
        viewPage("dashboard", &random)
        if random.chance(0.5) {
            wait(&random)
            useFeature(person, &random)
        }
        return true
    }

    private mutating func act(_ person: DemoPerson, _ random: inout DemoRandom) {
        let action = random.unit()
        // One bad day: a release that had to be taken back.
        let errorShare = day == dayCount * 2 / 3 ? 0.09 : 0.018
        switch action {
        case ..<0.42: viewPage(random.pickEarly(DemoCatalog.pages), &random)
        case ..<0.68: click(random.pickEarly(DemoCatalog.elements), "button", "", &random)
        case ..<0.86: useFeature(person, &random)
        case ..<(0.86 + errorShare): fail(DemoCatalog.errors[random.index(below: 3)])
        case ..<0.965: add("submit", [text("form_name", random.pickEarly(DemoCatalog.forms))])
        case ..<0.985 where person.buys: buy(person, &random)
        default:
            let name = random.pickEarly(DemoCatalog.customNames)
            let step = EventValue(.property, "step", .int64(Int64(random.index(below: 5))))
            add("custom", [text("custom_name", name), step])
        }
    }

    // MARK: Events

    private mutating func viewPage(_ name: String, _ random: inout DemoRandom) {
        var values = [text("page_name", name), text("url", "https://app.example.com/" + name)]
        let isFirst = events.isEmpty
        if isFirst { values.append(text("referrer", random.pickEarly(DemoCatalog.referrers))) }
        add("page_view", values)
    }

    private mutating func click(_ id: String, _ type: String, _ label: String, _ random: inout DemoRandom) {
        let values = [text("element_id", id), text("element_type", type), text("element_text", label)]
        add("click", values)
        // People double-click: some land on the same millisecond.
        if random.chance(0.06) {
            if random.chance(0.7) { timestampMicros += Int64(60 + random.index(below: 250)) * 1000 }
            add("click", values)
        }
    }

    private mutating func useFeature(_ person: DemoPerson, _ random: inout DemoRandom) {
        let name = random.pickEarly(DemoCatalog.features)
        // The second version reaches the eager first, then everybody bit by bit.
        let releasedFor = day - dayCount / 3
        let share = person.adoptsEarly ? 0.9 : Double(releasedFor) / Double(max(dayCount, 1)) * 1.2
        let version = releasedFor >= 0 && random.chance(share) ? "2.0" : "1.4"
        add("feature_used", [text("feature_name", name), text("feature_version", version)])
        if random.chance(0.1) { viewPage(name, &random) }  // at the same instant
    }

    private mutating func buy(_ person: DemoPerson, _ random: inout DemoRandom) {
        var cents = 0
        var items: [JSONValue] = []
        for _ in 0...random.index(below: 3) {
            let good = random.pickEarly(DemoCatalog.goods)
            let quantity = 1 + random.index(below: 3)
            cents += good.cents * quantity
            items.append([
                "sku": .string(good.sku), "quantity": .integer(Int64(quantity)),
                "price": .number(Double(good.cents) / 100),
            ])
        }
        add("purchase", [
            text("purchase_id", "order_" + DemoStream.padded(nextPurchase, 7)),
            EventValue(.property, "amount", .float64(Double(cents) / 100)), text("currency", person.place.currency),
            EventValue(.property, "items", .json(JSONValue.array(items).description)),
        ])
        nextPurchase += 1
    }

    private mutating func fail(_ error: (type: String, message: String, frame: String)) {
        add("error", [
            text("error_type", error.type), text("error_message", error.message),
            text("stack_trace", "\(error.type): \(error.message)\n    at \(error.frame)"),
        ])
    }

    private func text(_ name: String, _ value: String) -> EventValue { EventValue(.property, name, .string(value)) }

    private mutating func wait(_ random: inout DemoRandom) {
        timestampMicros += Int64(random.gapMillis(meanMillis: 35_000)) * 1000
    }

    private mutating func describe(_ person: DemoPerson, _ random: inout DemoRandom) {
        let device = person.device
        described = [
            EventValue(.device, "type", .string(device.type)), EventValue(.device, "os", .string(device.os)),
            EventValue(.device, "browser", .string(device.browser)),
            EventValue(.device, "screen_resolution", .string(device.screenResolution)),
            EventValue(.location, "country", .string(person.place.country)),
            EventValue(.location, "region", .string(person.place.region)),
            EventValue(.location, "city", .string(person.place.city)),
            EventValue(.context, "app_version", .string(day < dayCount / 3 ? "3.1.4" : "3.2.0")),
        ]
        let campaign = DemoCatalog.campaigns[random.index(below: DemoCatalog.campaigns.count)]
        if !campaign.isEmpty { described.append(EventValue(.context, "campaign", .string(campaign))) }
    }

    private mutating func add(_ type: String, _ values: [EventValue]) {
        var event = Event(type: type, timestampMicros: timestampMicros)
        event.userID = userID
        event.anonymousID = anonymousID
        event.sessionID = sessionID
        event.values = values + described
        events.append(event)
    }
}
