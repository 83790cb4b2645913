import Bytes

extension Batch {
    /// Row `index` as an event, values in column order. Slow: for tests and dumps. O(columns × rows / 64).
    public func event(at index: Int) -> Event {
        precondition(index >= 0 && index < eventCount, "row out of range")
        var event = Event(type: strings[Int(types[index])], timestampMicros: timestampsMicros[index])
        event.userID = text(userIDs, index)
        event.anonymousID = text(anonymousIDs, index)
        event.sessionID = text(sessionIDs, index)
        event.groupKey = text(groupKeys, index)
        if let flags {
            event.isServerSide = flags[index] & FlagBits.serverSide != 0
            let consent = flags[index] &>> FlagBits.consentShift & FlagBits.consentMask
            event.consent = Event.Consent(rawValue: consent) ?? .unknown
        }
        if let explicitIDs, explicitIDs.presence[index] {
            event.eventID = explicitIDs.id(ordinal: explicitIDs.presence.onesCount(before: index))
        }
        for column in valueColumns where column.presence[index] {
            let value = value(of: column, ordinal: column.presence.onesCount(before: index))
            event.values.append(EventValue(column.scope, strings[Int(column.name)], value))
        }
        return event
    }

    /// Every row as an event, in order.
    public func events() -> [Event] { (0..<eventCount).map { event(at: $0) } }

    private func text(_ column: [UInt32]?, _ row: Int) -> String? {
        guard let column, column[row] != Batch.none else { return nil }
        return strings[Int(column[row])]
    }

    private func value(of column: ValueColumn, ordinal: Int) -> EventValue.Value {
        switch column.values {
        case .bool(let bits): .bool(bits[ordinal])
        case .int64(let values): .int64(values[ordinal])
        case .float64(let values): .float64(values[ordinal])
        case .string(let values): .string(strings[Int(values[ordinal])])
        case .json(let values): .json(strings[Int(values[ordinal])])
        }
    }
}

extension Bitmap {
    /// How many bits before `index` are one: the ordinal of a row among those that have a value. O(index / 64).
    public func onesCount(before index: Int) -> Int {
        let whole = words[0..<(index / 64)].reduce(0) { $0 + $1.nonzeroBitCount }
        guard index % 64 != 0 else { return whole }
        return whole + (words[index / 64] & ((1 &<< UInt64(index % 64)) &- 1)).nonzeroBitCount
    }
}
