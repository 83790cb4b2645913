import Events
import JSON
import Table
import Zones

/// What some of a person's events tell; those of parts of the events merge to that of all, in any order.
struct UserProfile: Sendable {
    private var countsByType: [Value: Int] = [:]
    private var countsByFeature: [[UInt8]: Int] = [:]
    /// First instants of local days.
    private var days = Set<Int64>()
    private var sessionIDs = Set<Value>()
    /// Of the events that no session id was given for and that the person's device sent.
    private var looseTimes: [Int64] = []
    private var first: Int64?
    private var last: Int64?
    /// By the bytes of their names.
    private var traits: [[UInt8]: (place: EventPlace, value: JSONValue)] = [:]
    private var device: (place: EventPlace, value: JSONValue)?
    private var location: (place: EventPlace, value: JSONValue)?
    /// Whether an event has the id as its user's, and as an anonymous one's.
    private(set) var hasUser = false
    private(set) var hasAnonymous = false

    /// A session ends where nothing happens for longer.
    private static let sessionGapMicros: Int64 = 30 * 60_000_000
    /// What the seed calls a feature without a name.
    private static let unnamedFeature = Array("unknown".utf8)
    private static let featureUsed = Value("feature_used")
    private static let featureName = Array("feature_name".utf8)
    private static let entryBytes = 128

    /// About what it holds in memory.
    var byteCount: Int {
        let entries = countsByType.count + countsByFeature.count + days.count + sessionIDs.count + traits.count
        let texts = countsByFeature.keys.reduce(0) { $0 + $1.count }
        let values = traits.values.reduce(0) { $0 + $1.value.memoryBytes }
        return entries * Self.entryBytes + texts + values + looseTimes.count * MemoryLayout<Int64>.size
    }

    // MARK: Events

    /// Takes in what the person did.
    mutating func add(activity rows: [UInt32], _ view: ChunkView, _ zone: Zone) throws {
        guard !rows.isEmpty else { return }
        let times = try view.integers(.timestamp)
        let types = try view.coded(.eventType)
        let sessions = try view.values(EventSchema.Fixed.sessionID.name)
        let serverSides = try view.values(EventSchema.Fixed.serverSide.name)
        for row in rows.map(Int.init) {
            let time = times[row]
            let type = types.codes[row] == CodedColumn.null ? nil : types.value(types.codes[row])
            if let type { countsByType[type, default: 0] += 1 }
            if type == Self.featureUsed {
                let feature = try view.value(.property, Self.featureName, row)
                countsByFeature[feature?.name ?? Self.unnamedFeature, default: 0] += 1
            }
            days.insert(zone.bucketStart(of: time, unit: .day))
            if let session = sessions?.value(row) {
                sessionIDs.insert(session)
            } else if serverSides?.value(row) != .bool(true) {
                looseTimes.append(time)
            }
            first = min(first ?? time, time)
            last = max(last ?? time, time)
        }
    }

    /// Takes in what events of any type tell of the person.
    mutating func add(descriptions rows: [UInt32], _ view: ChunkView) throws {
        let times = try view.integers(.timestamp)
        let positions = try view.integers(.position)
        let types = try view.values(EventSchema.Fixed.eventType.name)
        let userIDs = try view.values(EventSchema.Fixed.userID.name)
        let traitReader = try EventReader.ScopeReader(view, .trait)
        let deviceReader = try EventReader.ScopeReader(view, .device)
        let locationReader = try EventReader.ScopeReader(view, .location)
        for row in rows.map(Int.init) {
            if userIDs?.value(row) == nil { hasAnonymous = true } else { hasUser = true }
            let place = EventPlace(timestampMicros: times[row], position: positions[row])
            // A group's traits are not the person's.
            if types?.value(row) != Value(ReservedType.group.rawValue) {
                for trait in traitReader.members(row) where !trait.value.isNull {
                    let name = Array(trait.name.utf8)
                    traits[name] = Self.latest(traits[name], (place, trait.value))
                }
            }
            for (reader, path) in [(deviceReader, \Self.device), (locationReader, \Self.location)] {
                if self[keyPath: path].map({ $0.place > place }) ?? false { continue }
                let members = reader.members(row)
                if !members.isEmpty { self[keyPath: path] = (place, .object(JSONObject(members))) }
            }
        }
    }

    private static func latest(
        _ known: (place: EventPlace, value: JSONValue)?, _ new: (place: EventPlace, value: JSONValue)?
    ) -> (place: EventPlace, value: JSONValue)? {
        guard let known else { return new }
        guard let new else { return known }
        return new.place > known.place ? new : known
    }

    mutating func merge(_ other: UserProfile) {
        countsByType.merge(other.countsByType, uniquingKeysWith: +)
        countsByFeature.merge(other.countsByFeature, uniquingKeysWith: +)
        days.formUnion(other.days)
        sessionIDs.formUnion(other.sessionIDs)
        looseTimes += other.looseTimes
        first = [first, other.first].compactMap(\.self).min()
        last = [last, other.last].compactMap(\.self).max()
        for (name, trait) in other.traits { traits[name] = Self.latest(traits[name], trait) }
        device = Self.latest(device, other.device)
        location = Self.latest(location, other.location)
        hasUser = hasUser || other.hasUser
        hasAnonymous = hasAnonymous || other.hasAnonymous
    }

    // MARK: Answer

    private var sessionCount: Int {
        let times = looseTimes.sorted()
        let starts = times.indices.count { index in
            guard index > 0 else { return true }
            let (gap, overflowed) = times[index].subtractingReportingOverflow(times[index - 1])
            return overflowed || gap > Self.sessionGapMicros
        }
        return sessionIDs.count + starts
    }

    func json(_ id: [UInt8]) -> JSONValue {
        func count(_ type: String) -> JSONValue { .integer(Int64(countsByType[Value(type)] ?? 0)) }
        func instant(_ micros: Int64?) -> JSONValue { micros.map { .string(ISO8601.format(micros: $0)) } ?? nil }
        let byType = countsByType.map { (name: $0.key.name, count: $0.value) }
        let sortedTraits = traits.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        let named = sortedTraits.map { JSONObject.Member(String(decoding: $0.key, as: UTF8.self), $0.value.value) }
        return [
            "user_id": .string(String(decoding: id, as: UTF8.self)),
            "total_events": .integer(Int64(countsByType.values.reduce(0, +))),
            "unique_days": .integer(Int64(days.count)), "session_count": .integer(Int64(sessionCount)),
            "feature_usage": Self.counts(countsByFeature.map { (name: $0.key, count: $0.value) }),
            "page_views": count("page_view"), "clicks": count("click"), "purchases": count("purchase"),
            "first_seen": instant(first), "last_seen": instant(last), "events_by_type": Self.counts(byType),
            "traits": .object(JSONObject(named)), "device": device?.value ?? [:], "location": location?.value ?? [:],
        ]
    }

    /// Most frequent first; ties by name.
    private static func counts(_ counts: [(name: [UInt8], count: Int)]) -> JSONValue {
        let sorted = counts.sorted { left, right in
            left.count != right.count ? left.count > right.count : left.name.lexicographicallyPrecedes(right.name)
        }
        return .object(
            JSONObject(
                sorted.map { JSONObject.Member(String(decoding: $0.name, as: UTF8.self), .integer(Int64($0.count))) }))
    }
}

extension Value {
    /// As a name of a member: a text as it is, anything else as its JSON.
    fileprivate var name: [UInt8] { Array((json.asString ?? json.description).utf8) }
}
