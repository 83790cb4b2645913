import JSON

extension JSONValue {
    /// About what it takes in memory.
    package var memoryBytes: Int {
        switch self {
        case .null, .bool, .integer, .number: 24
        case .string(let text): 48 + text.utf8.count
        case .array(let elements): elements.reduce(48) { $0 + $1.memoryBytes }
        case .object(let object):
            object.members.reduce(48) { $0 + 40 + $1.name.utf8.count + $1.value.memoryBytes }
        }
    }
}
