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

    /// Calls `body` with each key and its id, once each, in any order. For each chunk O(a × log b), a and b the counts
    /// of its rows and of the keys, the lesser first.
    /// - Parameter keys: no two equal.
    func forEach(_ keys: [Int64], _ body: (_ key: Int64, PersonID) -> Void) throws {
        let wanted = keys.sorted()
        var isKnown = [Bool](repeating: false, count: wanted.count)
        var missingCount = wanted.count
        for start in stride(from: 0, to: pieces.count, by: Self.waveCount) where missingCount > 0 {
            let wave = Array(pieces[start..<min(start + Self.waveCount, pieces.count)])
            let known = isKnown
            let found = Mutex<[Found]>([])
            try execution.forEach(wave.count, make: { try ids(of: wanted, known, in: wave[$0].chunk) }) { _, ids in
                found.withLock { $0 += ids }
            }
            for (index, id) in found.withLock({ $0 }) where !isKnown[index] {
                isKnown[index] = true
                missingCount -= 1
                body(wanted[index], id)
            }
        }
    }

    private typealias Found = (index: Int, id: PersonID)

    /// - Parameters:
    ///   - keys: ascending.
    ///   - isKnown: which of them are not wanted any more.
    private func ids(of keys: [Int64], _ isKnown: [Bool], in chunk: Chunk) throws -> [Found] {
        let bounds = chunk.userKeys
        let first = keys.partitionPoint { $0 >= bounds.lowerBound }
        let end = keys.partitionPoint { $0 > bounds.upperBound }
        guard first < end else { return [] }
        let view = ChunkView(chunk, execution)
        let userKeys = try view.integers(.userKey)
        let users = try view.values(EventSchema.Fixed.userID.name)
        let anonymous = try view.values(EventSchema.Fixed.anonymousID.name)
        var found: [Found] = []
        func note(_ index: Int, _ row: Int) {
            if case .text(let id)? = users?.value(row) {
                found.append((index, PersonID(text: id, isAnonymous: false)))
            } else if case .text(let id)? = anonymous?.value(row) {
                found.append((index, PersonID(text: id, isAnonymous: true)))
            }
        }
        if end - first < userKeys.count {
            for index in first..<end where !isKnown[index] {
                let row = userKeys.partitionPoint { $0 >= keys[index] }
                if row < userKeys.count, userKeys[row] == keys[index] { note(index, row) }
            }
        } else {
            for row in userKeys.indices where row == 0 || userKeys[row] != userKeys[row - 1] {
                let index = keys.partitionPoint { $0 >= userKeys[row] }
                if index < end, keys[index] == userKeys[row], !isKnown[index] { note(index, row) }
            }
        }
        return found
    }
}
