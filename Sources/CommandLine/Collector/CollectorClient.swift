import Bytes
import EventLoop
import Wire

/// Sends batches to a collector and waits: for programs that have nothing else to do meanwhile. One thread.
final class CollectorClient {
    private let loop: Loop
    private let turnTimer: Timer
    private let connection: CollectorConnection
    private let queuedBatchesMax: Int

    /// - Parameter patienceSeconds: gives up when nothing became durable for so long.
    init(
        _ place: CollectorPlace, _ settings: ClientSession.Settings, console: Console, patienceSeconds: Int = 60
    ) throws {
        // Twice the window: one on the wire, one to go on with.
        queuedBatchesMax = settings.unackedBatchesMax * 2
        loop = try Loop()
        turnTimer = Timer(loop)
        connection = CollectorConnection(loop, place, settings, console: console, patienceSeconds: patienceSeconds)
        connection.onChange = { [loop] in loop.stop() }
    }

    /// Called for each batch when its fate is known. What it throws ends the sending.
    var onDelivered: (Delivery) throws -> Void {
        get { connection.onDelivered }
        set { connection.onDelivered = newValue }
    }

    /// Under which events were sent; more than one if another sender used the first.
    var sources: Set<SourceID> { connection.sources }

    /// Puts the batch on its way; waits while too many are.
    func send(_ batch: [UInt8], eventCount: Int, tag: Int) throws {
        connection.send(batch, eventCount: eventCount, tag: tag)
        try turn()
        try run { connection.pendingCount < queuedBatchesMax }
    }

    /// Waits until every batch has its fate, retires the source and closes.
    func finish() throws {
        connection.finish()
        try run { connection.isFinished }
        close()
    }

    /// Drops everything. Harmless when repeated.
    func close() {
        connection.close()
        turnTimer.close()
        loop.close()
    }

    private func run(until isDone: () -> Bool) throws {
        while true {
            if let failure = connection.failure { throw failure }
            if isDone() { return }
            loop.run()
        }
    }

    /// Lets the loop do what is due, without waiting.
    private func turn() throws {
        turnTimer.start(afterMillis: 0) { [loop] in loop.stop() }
        loop.run()
        if let failure = connection.failure { throw failure }
    }
}
