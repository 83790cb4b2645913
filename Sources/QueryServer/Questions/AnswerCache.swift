import JSON
import Query
import Synchronization
import Table

/// Answers that may be asked for again over the same snapshot, in so much memory and no more. Any thread.
final class AnswerCache<Value: Sendable>: Sendable {
    /// What an answer depends on: nothing else.
    struct Key: Hashable {
        let project: String
        let question: String
        let position: Int64
        let tableVersion: Int64
        /// A data folder that was made anew may come to the same position and version.
        let clockMicros: Int64

        /// nil: the answer says how far behind it is, and that changes by itself.
        /// - Parameter question: equal for what has the same answer over the same snapshot.
        init?(_ question: String, _ snapshot: Snapshot) {
            guard snapshot.behind == nil else { return nil }
            project = snapshot.project.name
            self.question = question
            position = snapshot.position
            tableVersion = snapshot.tableVersion
            clockMicros = snapshot.clockMicros
        }
    }

    private struct Entry {
        let value: Value
        let byteCount: Int
        var lastUse: UInt64
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var byteCount = 0
        var useCount: UInt64 = 0
    }

    /// So that making room, which looks at each, stays cheap.
    private static var entriesMax: Int { 4096 }

    private let capacityBytes: Int
    private let memoryBytes: @Sendable (Value) -> Int
    private let state = Mutex(State())

    /// - Parameter memoryBytes: about what an answer takes.
    init(capacityBytes: Int, memoryBytes: @escaping @Sendable (Value) -> Int) {
        self.capacityBytes = capacityBytes
        self.memoryBytes = memoryBytes
    }

    func value(_ key: Key) -> Value? {
        state.withLock { state in
            state.useCount += 1
            state.entries[key]?.lastUse = state.useCount
            return state.entries[key]?.value
        }
    }

    /// Keeps an answer that is no more than an eighth of the memory; the one that was not used longest makes room.
    func keep(_ value: Value, for key: Key) {
        let byteCount = memoryBytes(value) + key.question.utf8.count
        guard byteCount <= capacityBytes / 8 else { return }
        state.withLock { state in
            if let old = state.entries.removeValue(forKey: key) { state.byteCount -= old.byteCount }
            while state.byteCount + byteCount > capacityBytes || state.entries.count >= Self.entriesMax,
                let oldest = state.entries.min(by: { $0.value.lastUse < $1.value.lastUse })
            {
                state.entries[oldest.key] = nil
                state.byteCount -= oldest.value.byteCount
            }
            state.useCount += 1
            state.entries[key] = Entry(value: value, byteCount: byteCount, lastUse: state.useCount)
            state.byteCount += byteCount
        }
    }
}

extension Answer {
    /// About what it takes in memory.
    var memoryBytes: Int {
        let cells = rows.reduce(0) { $0 + $1.reduce(24) { $0 + $1.memoryBytes } }
        return cells + totals.reduce(0) { $0 + $1.value.memoryBytes } + 1024
    }
}
