import Files
import Glibc
import Synchronization

extension Disk {
    /// The real disk without its waits: nothing is synchronized, which only a power cut could tell.
    package static let unsynchronized = Disk { operation, _ in operation.isSynchronization ? .skip : nil }
}

extension DiskOperation {
    fileprivate var isSynchronization: Bool { self == .synchronize || self == .synchronizeFolder }
}

/// A disk that fails at one chosen operation, or from then on for ever, as a crash would.
package final class FaultyDisk: Sendable {
    package enum Kind: Sendable { case error(Int32), shortWrite(Int), crash }

    private struct State {
        var seen = 0
        var failed = false
        var log: [String] = []
    }
    private let state = Mutex(State())
    private let ordinal: Int
    private let kind: Kind
    private let affects: @Sendable (DiskOperation) -> Bool

    /// - Parameter ordinal: which matching operation fails, counted from 0.
    package init(
        failing ordinal: Int, kind: Kind,
        affects: @escaping @Sendable (DiskOperation) -> Bool = { _ in true }
    ) {
        self.ordinal = ordinal
        self.kind = kind
        self.affects = affects
    }

    package var disk: Disk {
        Disk { operation, path in self.decide(operation, path) }
    }

    /// Whether the fault happened; a sweep over ordinals ends at the first run in which it did not.
    package var didFail: Bool { state.withLock { $0.failed } }

    private func decide(_ operation: DiskOperation, _ path: String) -> DiskFault? {
        state.withLock { state in
            let passed: DiskFault? = operation.isSynchronization ? .skip : nil
            if state.failed, case .crash = kind { return .fail(EIO) }
            guard affects(operation) else { return passed }
            defer { state.seen += 1 }
            guard state.seen == ordinal else { return passed }
            state.failed = true
            switch kind {
            case .error(let code): return .fail(code)
            case .shortWrite(let count): return operation == .write ? .short(bytes: count, EIO) : .fail(EIO)
            case .crash: return operation == .write ? .short(bytes: 7, EIO) : .fail(EIO)
            }
        }
    }
}
