import Bytes

/// What a project said of its event types and their properties, and what becomes of events that do not keep to it
/// (protocol/frames.md §7). Only properties are planned: device, location, context, traits and ids are as they come.
/// Reserved types are exempt. Immutable; any thread.
public struct TrackingPlan: Sendable {
    /// What becomes of an event that does not keep to the plan.
    public enum Mode: String, Sendable, CaseIterable {
        /// Nothing is looked at.
        case off
        /// It is stored and counted.
        case warn
        /// It is stored without the properties that nobody declared, and counted.
        case strip
        /// It is kept aside, out of the events.
        case quarantine
        /// It is refused.
        case reject
    }

    /// What a property's values may be. An explicit null, the JSON text `null`, is of every type.
    public enum PropertyType: String, Sendable, CaseIterable {
        case string, number, boolean, json

        fileprivate var valueTypes: [ValueType] {
            switch self {
            case .string: [.string]
            case .number: [.int64, .float64]
            case .boolean: [.bool]
            case .json: [.json]
            }
        }
    }

    /// One declared property of an event type.
    public struct Property: Sendable, Equatable {
        public var name: String
        /// nil: any.
        public var type: PropertyType?
        public var isRequired: Bool

        public init(_ name: String, type: PropertyType? = nil, isRequired: Bool = false) {
            self.name = name
            self.type = type
            self.isRequired = isRequired
        }
    }

    /// One declared event type.
    public struct EventType: Sendable, Equatable {
        public var name: String
        /// Events of a disabled type are dropped, whatever the mode.
        public var isEnabled: Bool
        public var properties: [Property]

        public init(_ name: String, isEnabled: Bool = true, properties: [Property] = []) {
            self.name = name
            self.isEnabled = isEnabled
            self.properties = properties
        }
    }

    /// That a type has a property.
    struct Declaration: Sendable {
        /// The type's index in `typeNames`.
        let type: Int
        /// Bit n: values of the type with raw value n are allowed.
        let valueTypes: UInt8
        let isRequired: Bool
    }

    public let mode: Mode
    /// Whether event types must be declared.
    public let isStrict: Bool
    /// By type: its index in `typeNames`.
    let isEnabled: [Bool]
    /// By property, its index in `propertyNames`: the types that have it.
    let declarations: [[Declaration]]
    /// The properties that some type requires.
    let required: [Int]
    let typeNames: NameTable
    let propertyNames: NameTable
    /// Whether no event can be found fault with.
    let isTrivial: Bool

    /// - Parameter types: of distinct names, a precondition; those of reserved types are passed over.
    public init(mode: Mode = .off, isStrict: Bool = false, types: [EventType] = []) {
        self.mode = mode
        self.isStrict = isStrict
        let types = types.filter { !ReservedType.isReserved($0.name) }
        isEnabled = types.map(\.isEnabled)
        var typeNames = NameTable()
        var propertyNames = NameTable()
        var declarations: [[Declaration]] = []
        for (index, type) in types.enumerated() {
            precondition(typeNames.add(type.name) == index, "an event type is declared once")
            for property in type.properties {
                let place = propertyNames.add(property.name)
                if place == declarations.count { declarations.append([]) }
                let allowed = property.type?.valueTypes ?? ValueType.allCases
                declarations[place].append(
                    Declaration(
                        type: index, valueTypes: allowed.reduce(0) { $0 | $1.bit }, isRequired: property.isRequired))
            }
        }
        self.typeNames = typeNames
        self.propertyNames = propertyNames
        self.declarations = declarations
        required = declarations.indices.filter { declarations[$0].contains(where: \.isRequired) }
        let isAnyDisabled = types.contains { !$0.isEnabled }
        isTrivial = mode == .off ? !isAnyDisabled : types.isEmpty && !isStrict
    }
}

/// How an event does not keep to the plan. Raw values stand in the log (protocol/wal.md §4) where it is kept aside.
public enum PlanViolation: UInt8, Sendable, CaseIterable {
    /// Its type is disabled. Such an event is dropped, never kept aside.
    case disabledType = 32
    /// Its type is not declared, and the plan is strict.
    case undeclaredType = 33
    /// It has a property that its type does not declare.
    case undeclaredProperty = 34
    /// It lacks a property that its type requires.
    case missingProperty = 35
    /// A property's value is of another type than declared.
    case wrongType = 36

    /// The word for it in metrics and in the table `quarantine`.
    public var name: String {
        switch self {
        case .disabledType: "disabled_type"
        case .undeclaredType: "undeclared_type"
        case .undeclaredProperty: "undeclared_property"
        case .missingProperty: "missing_property"
        case .wrongType: "wrong_type"
        }
    }
}

extension ValueType {
    /// Its bit in `TrackingPlan.Declaration.valueTypes`.
    var bit: UInt8 { 1 &<< rawValue }
}

/// Distinct names with an index each, found by their bytes without a `String`. For names that an operator chose:
/// whoever looks names up cannot lengthen the search.
struct NameTable: Sendable {
    private var names = ByteStrings()
    /// Index + 1, 0 where free; a power of two, at most half full.
    private var slots = [UInt32](repeating: 0, count: 16)

    var count: Int { names.count }

    func name(_ index: Int) -> String { names[index] }

    /// The index of `name`, new or known.
    mutating func add(_ name: String) -> Int {
        let bytes = Array(name.utf8)
        if let known = index(of: bytes.rawSpan) { return known }
        names.append(bytes)
        if names.count * 2 > slots.count {
            slots = [UInt32](repeating: 0, count: slots.count * 2)
            for index in 0..<names.count { place(index) }
        } else {
            place(names.count - 1)
        }
        return names.count - 1
    }

    /// O(name).
    func index(of name: RawSpan) -> Int? {
        let mask = slots.count &- 1
        var slot = Int(truncatingIfNeeded: XXH64.hash(name)) & mask
        while slots[slot] != 0 {
            let index = Int(slots[slot]) &- 1
            if names.span(index).equals(name) { return index }
            slot = (slot &+ 1) & mask
        }
        return nil
    }

    private mutating func place(_ index: Int) {
        let mask = slots.count &- 1
        var slot = Int(truncatingIfNeeded: XXH64.hash(names.span(index))) & mask
        while slots[slot] != 0 { slot = (slot &+ 1) & mask }
        slots[slot] = UInt32(index + 1)
    }
}
