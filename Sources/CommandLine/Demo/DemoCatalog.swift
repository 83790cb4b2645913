/// What the imaginary product has: pages, buttons, features, goods; and where its users sit.
enum DemoCatalog {
    struct Place: Sendable {
        let country: String
        let region: String
        let city: String
        let currency: String
    }

    struct Device: Sendable {
        let type: String
        let os: String
        let browser: String
        let screenResolution: String
    }

    struct Good: Sendable {
        let sku: String
        let cents: Int
    }

    static let places: [(Place, weight: Double)] = [
        (Place(country: "US", region: "CA", city: "San Francisco", currency: "USD"), 14),
        (Place(country: "US", region: "NY", city: "New York", currency: "USD"), 16),
        (Place(country: "US", region: "TX", city: "Austin", currency: "USD"), 8),
        (Place(country: "DE", region: "BE", city: "Berlin", currency: "EUR"), 15),
        (Place(country: "DE", region: "BY", city: "München", currency: "EUR"), 8),
        (Place(country: "FR", region: "IDF", city: "Paris", currency: "EUR"), 11),
        (Place(country: "NL", region: "NH", city: "Amsterdam", currency: "EUR"), 7),
        (Place(country: "ES", region: "MD", city: "Madrid", currency: "EUR"), 6),
        (Place(country: "CA", region: "ON", city: "Toronto", currency: "USD"), 6),
        (Place(country: "JP", region: "13", city: "東京", currency: "USD"), 4),
    ]

    static let devices: [(Device, weight: Double)] = [
        (Device(type: "web", os: "Windows", browser: "Chrome", screenResolution: "1920x1080"), 30),
        (Device(type: "web", os: "macOS", browser: "Safari", screenResolution: "2560x1600"), 16),
        (Device(type: "web", os: "macOS", browser: "Chrome", screenResolution: "2560x1600"), 10),
        (Device(type: "web", os: "Linux", browser: "Firefox", screenResolution: "1920x1200"), 5),
        (Device(type: "mobile", os: "iOS", browser: "Safari", screenResolution: "1179x2556"), 20),
        (Device(type: "mobile", os: "Android", browser: "Chrome", screenResolution: "1080x2400"), 17),
        (Device(type: "tablet", os: "iPadOS", browser: "Safari", screenResolution: "1640x2360"), 2),
    ]

    static let pages = ["home", "dashboard", "reports", "projects", "search", "settings", "pricing", "billing", "help"]
    static let elements = ["open_report", "new_project", "filter", "save", "share", "menu", "export_button", "avatar"]
    static let features = ["search", "export", "comments", "dashboards", "alerts", "api_keys", "dark_mode"]
    static let referrers = ["", "https://www.google.com/", "https://news.ycombinator.com/", "https://duckduckgo.com/"]
    static let campaigns = ["", "", "", "spring_sale", "newsletter_42", "partner"]
    static let forms = ["contact", "feedback", "project", "profile"]
    static let customNames = ["onboarding_step", "theme_changed", "invite_sent"]
    static let errors: [(type: String, message: String, frame: String)] = [
        ("TypeError", "cannot read properties of undefined (reading 'id')", "renderRow (table.js:214:17)"),
        ("NetworkError", "request timed out after 30000 ms", "fetchReport (api.js:88:11)"),
        ("ValidationError", "field \"email\" is not an address", "submitForm (form.js:41:9)"),
    ]
    static let goods = [
        Good(sku: "pro-month", cents: 1900), Good(sku: "seat", cents: 700), Good(sku: "pro-year", cents: 19_000),
        Good(sku: "storage-100", cents: 499), Good(sku: "support", cents: 9900),
    ]

    /// How busy an hour of the day is, UTC.
    static let hourWeights: [Double] = [
        3, 2, 1.5, 1.2, 1.2, 2, 4, 7, 10, 12, 12, 11, 10, 12, 13, 13, 12, 11, 10, 10, 9, 8, 6, 4,
    ]
    /// How busy a day of the week is, from Monday.
    static let weekdayWeights: [Double] = [1.05, 1.1, 1.1, 1.05, 0.95, 0.55, 0.6]
}
