import Bytes
import Table

/// Somebody by an id: the user who is called so, and the anonymous one who is.
struct Person: Sendable {
    let id: [UInt8]
    /// Of the user and of the anonymous one, ascending.
    private let keys: [Int64]

    /// - Parameter project: has the secret that makes keys of ids.
    init(_ id: [UInt8], _ project: Project) {
        self.id = id
        let user = project.userKey(.user, id.rawSpan)
        let anonymous = project.userKey(.anonymous, id.rawSpan)
        keys = user == anonymous ? [user] : [min(user, anonymous), max(user, anonymous)]
    }

    /// Different ids may have one key.
    var predicate: Predicate {
        let user = Field.fixed(.userID)
        let isCalledSo = Predicate.Test.isIn([.text(id)])
        return .any([
            .test(user, isCalledSo), .all([.not(.test(user, .exists)), .test(.fixed(.anonymousID), isCalledSo)]),
        ])
    }

    func mayBe(in chunk: Chunk) -> Bool { keys.contains(where: chunk.userKeys.contains) }

    /// The rows of each key in a chunk, whose keys ascend; no empty ones. O(log rows).
    func rows(_ view: ChunkView) throws -> [Range<Int>] {
        let userKeys = try view.integers(.userKey)
        return keys.map { key in
            let start = userKeys.partitionPoint { $0 >= key }
            return start..<max(start, userKeys.partitionPoint { $0 > key })
        }.filter { !$0.isEmpty }
    }
}
