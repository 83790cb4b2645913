/// The section `analytics:`: what is tracked, where it is kept, how long, and what privacy demands.
package struct AnalyticsConfig: Sendable, Equatable {
    package struct Tracking: Sendable, Equatable {
        /// What becomes of events that do not keep to `events`.
        package enum Plan: String, Sendable, CaseIterable {
            case off, warn, strip, quarantine, reject
        }

        /// false: the collector takes no events.
        package var isEnabled = true
        package var plan = Plan.warn
        /// Whether an event's type must be among `events`.
        package var isStrict = false
        /// Events an SDK sends together, at most.
        package var batchSize = 100
        /// How long an SDK holds events back, at most.
        package var flushInterval = Duration.seconds(5)
        /// Whether an SDK gives events without a session one that ends after 30 idle minutes.
        package var sessions = Sessions.none

        package enum Sessions: String, Sendable, CaseIterable {
            case none
            case idle30Minutes = "idle_30_minutes"
        }
    }

    /// What is known of an event type.
    package struct EventType: Sendable, Equatable {
        package var isEnabled = true
        package var properties: [Property] = []
    }

    /// What is known of a property of an event type.
    package struct Property: Sendable, Equatable {
        package enum ValueType: String, Sendable, CaseIterable {
            case string, number, boolean, json
        }

        package var name: String
        /// nil: any.
        package var type: ValueType?
        package var isRequired = false

        package init(name: String, type: ValueType? = nil, isRequired: Bool = false) {
            self.name = name
            self.type = type
            self.isRequired = isRequired
        }
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
        package var anonymizesIP = false
        package var hashesUserID = false
        package var isGDPRCompliant = false
    }

    package var tracking = Tracking()
    /// By event type.
    package var events: [String: EventType] = [:]
    package var storageType = StorageType.sqlite
    package var connection = Connection()
    package var retention = Retention()
    package var identity = Identity()
    package var privacy = Privacy()
    /// The full names of the settings in the file that ask for something that no daemon of this version does.
    package var keysWithoutEffect: [String] = []

    package init() {}

    init(_ section: inout ConfigSection) throws(ConfigError) {
        let given = section.leafNames
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
        keysWithoutEffect = given.filter(asksInVain).map { section.path + "." + $0 }
    }

    /// - Parameter key: of a setting that the file holds, without the section's own name.
    private func asksInVain(_ key: String) -> Bool {
        switch key {
        case "identity.enabled", "identity.merge_window": identity.isEnabled
        case "privacy.anonymize_ip": privacy.anonymizesIP
        case "privacy.hash_user_id": privacy.hashesUserID
        case "privacy.gdpr_compliance": privacy.isGDPRCompliant
        case _ where key.hasPrefix("storage.connection."): storageType == .sqlite
        default: key.hasPrefix("storage.retention.") || key.hasPrefix("events.$")
        }
    }
}

extension AnalyticsConfig.Tracking {
    fileprivate init(_ section: inout ConfigSection) throws(ConfigError) {
        isEnabled = try section.bool("enabled") ?? isEnabled
        plan = try section.choice("plan", of: Plan.self) ?? plan
        isStrict = try section.bool("strict") ?? isStrict
        batchSize = try section.integer("batch_size", in: 1...65_536) ?? batchSize
        flushInterval = try section.duration("flush_interval", atLeast: .milliseconds(1)) ?? flushInterval
        sessions = try section.choice("sessions", of: Sessions.self) ?? sessions
    }
}

extension AnalyticsConfig.EventType {
    fileprivate init(_ section: inout ConfigSection) throws(ConfigError) {
        isEnabled = try section.bool("enabled") ?? isEnabled
        let given = try section.elements(
            "properties", text: { AnalyticsConfig.Property(name: $0) }, section: AnalyticsConfig.Property.init)
        for (property, line) in given {
            guard (1...255).contains(property.name.utf8.count) else {
                throw ConfigError(
                    file: section.file, line: line,
                    problem: .wrongValue(
                        key: section.path + ".properties", expected: "a name of 1 to 255 bytes", found: property.name))
            }
            guard !properties.contains(where: { $0.name == property.name }) else {
                throw ConfigError(file: section.file, line: line, problem: .duplicateKey(property.name))
            }
            properties.append(property)
        }
    }
}

extension AnalyticsConfig.Property {
    /// `amount: number`, or `{name: amount, type: number, required: true}`.
    fileprivate init(_ section: inout ConfigSection) throws(ConfigError) {
        if section.entries.count == 1, let name = section.entries.first?.key {
            self.init(name: name, type: try section.choice(name, of: ValueType.self))
        } else {
            self.init(
                name: try section.string("name") ?? "", type: try section.choice("type", of: ValueType.self),
                isRequired: try section.bool("required") ?? false)
        }
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
