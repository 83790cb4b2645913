/// The section `analytics:`: what is tracked, where it is kept, how long, and what privacy demands.
package struct AnalyticsConfig: Sendable, Equatable {
    package struct Tracking: Sendable, Equatable {
        package var isEnabled = true
        /// Events an SDK sends together, at most.
        package var batchSize = 100
        /// How long an SDK holds events back, at most.
        package var flushInterval = Duration.seconds(5)
    }

    /// What is known of an event type.
    package struct EventType: Sendable, Equatable {
        package var isEnabled = true
        /// The names of its properties.
        package var properties: [String] = []
    }

    /// Which database keeps dashboards, saved questions, shares and sessions; events are in the data folder always.
    package enum StorageType: String, Sendable, CaseIterable {
        case sqlite, postgresql

        /// What a file may say; `embedded` is the word for a database that needs no server.
        fileprivate enum Word: String, CaseIterable {
            case sqlite, embedded, postgresql

            var type: StorageType { self == .postgresql ? .postgresql : .sqlite }
        }
    }

    package struct Connection: Sendable, Equatable {
        package var host = "localhost"
        package var port = 5432
        package var database = "analytics"
        /// Expanded when a connection is made.
        package var username: ConfigText?
        /// Expanded when a connection is made.
        package var password: ConfigText?
    }

    /// After how many days data is dropped; nil is never.
    package struct Retention: Sendable, Equatable {
        package var eventsDays: Int?
        package var sessionsDays: Int?
        package var usersDays: Int?
    }

    package struct Identity: Sendable, Equatable {
        package var isEnabled = true
        /// How many days of a device's anonymous past an identified user takes over.
        package var mergeWindowDays = 30
    }

    package struct Privacy: Sendable, Equatable {
        package var anonymizesIP = true
        package var hashesUserID = false
        package var isGDPRCompliant = true
    }

    package var tracking = Tracking()
    /// By event type.
    package var events: [String: EventType] = [:]
    package var storageType = StorageType.sqlite
    package var connection = Connection()
    package var retention = Retention()
    package var identity = Identity()
    package var privacy = Privacy()

    package init() {}

    init(_ section: inout ConfigSection) throws(ConfigError) {
        tracking = try section.section("tracking", Tracking.init)
        events = try section.section("events") { events throws(ConfigError) in
            try events.namedSections(EventType.init)
        }
        try section.section("storage") { storage throws(ConfigError) in
            storageType = try storage.choice("type", of: StorageType.Word.self)?.type ?? storageType
            connection = try storage.section("connection", Connection.init)
            retention = try storage.section("retention", Retention.init)
        }
        identity = try section.section("identity", Identity.init)
        privacy = try section.section("privacy", Privacy.init)
    }
}

extension AnalyticsConfig.Tracking {
    fileprivate init(_ section: inout ConfigSection) throws(ConfigError) {
        isEnabled = try section.bool("enabled") ?? isEnabled
        batchSize = try section.integer("batch_size", in: 1...65_536) ?? batchSize
        flushInterval = try section.duration("flush_interval", atLeast: .milliseconds(1)) ?? flushInterval
    }
}

extension AnalyticsConfig.EventType {
    fileprivate init(_ section: inout ConfigSection) throws(ConfigError) {
        isEnabled = try section.bool("enabled") ?? isEnabled
        properties = try section.strings("properties") ?? properties
    }
}

extension AnalyticsConfig.Connection {
    fileprivate init(_ section: inout ConfigSection) throws(ConfigError) {
        host = try section.string("host") ?? host
        port = try section.integer("port", in: 1...65_535) ?? port
        database = try section.string("database") ?? database
        username = try section.text("username")
        password = try section.text("password")
    }
}

extension AnalyticsConfig.Retention {
    fileprivate init(_ section: inout ConfigSection) throws(ConfigError) {
        eventsDays = try section.days("events")
        sessionsDays = try section.days("sessions")
        usersDays = try section.days("users")
    }
}

extension AnalyticsConfig.Identity {
    fileprivate init(_ section: inout ConfigSection) throws(ConfigError) {
        isEnabled = try section.bool("enabled") ?? isEnabled
        mergeWindowDays = try section.days("merge_window") ?? mergeWindowDays
    }
}

extension AnalyticsConfig.Privacy {
    fileprivate init(_ section: inout ConfigSection) throws(ConfigError) {
        anonymizesIP = try section.bool("anonymize_ip") ?? anonymizesIP
        hashesUserID = try section.bool("hash_user_id") ?? hashesUserID
        isGDPRCompliant = try section.bool("gdpr_compliance") ?? isGDPRCompliant
    }
}
