import JSON
import Synchronization
import Table

/// Who somebody is: a user's id, or an anonymous one.
struct PersonID: Sendable, Hashable, Comparable {
    let text: [UInt8]
    let isAnonymous: Bool

    var json: JSONValue { .string(String(decoding: text, as: UTF8.self)) }

    /// By the texts' bytes; a user before an anonymous person of the same text.
    static func < (left: PersonID, right: PersonID) -> Bool {
        if left.text == right.text { return !left.isAnonymous && right.isAnonymous }
        return left.text.lexicographicallyPrecedes(right.text)
    }
}

/// Finds the ids that keys were made of, in the chunks that have them.
struct PersonIDs: Sendable {
    private let pieces: [Scan.Piece]
    private let execution: Execution

    private static let waveCount = 8

    /// - Parameter scan: has an event of everybody who will be asked for.
    init(_ scan: Scan, _ execution: Execution) { (pieces, self.execution) = (scan.pieces, execution) }

    /// Calls `body` with each key and its id, once each, in any order. O(keys × log rows) for each chunk at worst;
    /// a key that was found is not looked for again.
    func forEach(_ keys: [Int64], _ body: (_ key: Int64, PersonID) -> Void) throws {
        var missing = keys.sorted()
        for start in stride(from: 0, to: pieces.count, by: Self.waveCount) {
            guard !missing.isEmpty else { return }
            let wave = Array(pieces[start..<min(start + Self.waveCount, pieces.count)])
            let wanted = missing
            let found = Mutex<[Int64: PersonID]>([:])
            try execution.forEach(wave.count, make: { try Self.ids(of: wanted, in: wave[$0].chunk) }) { _, ids in
                found.withLock { $0.merge(ids) { first, _ in first } }
            }
            let ids = found.withLock { $0 }
            for (key, id) in ids { body(key, id) }
            missing.removeAll { ids[$0] != nil }
        }
    }

    /// - Parameter keys: ascending.
    private static func ids(of keys: [Int64], in chunk: Chunk) throws -> [(Int64, PersonID)] {
        let bounds = chunk.userKeys
        let first = keys.partitionPoint { $0 >= bounds.lowerBound }
        let end = keys.partitionPoint { $0 > bounds.upperBound }
        guard first < end else { return [] }
        let view = ChunkView(chunk)
        let userKeys = try view.integers(.userKey)
        let users = try view.values(EventSchema.Fixed.userID.name)
        let anonymous = try view.values(EventSchema.Fixed.anonymousID.name)
        return keys[first..<end].compactMap { key in
            let row = userKeys.partitionPoint { $0 >= key }
            guard row < userKeys.count, userKeys[row] == key else { return nil }
            if case .text(let id)? = users?.value(row) { return (key, PersonID(text: id, isAnonymous: false)) }
            if case .text(let id)? = anonymous?.value(row) { return (key, PersonID(text: id, isAnonymous: true)) }
            return nil
        }
    }
}
