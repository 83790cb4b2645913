import EventLoop
import Wire

/// What a load generator shall do.
struct IngestPlan: Sendable {
    let place: CollectorPlace
    let wire: ClientSession.Settings
    let batches: [EncodedBatch]
    let connectionsPerLane: Int
    /// Batches a connection keeps on the wire.
    let window: Int
    /// Not counted.
    let warmupMicros: Int64
    let measuredMicros: Int64
}

/// What a lane measured.
struct IngestTally: Sendable {
    var batches = 0
    var events = 0
    var bytes = 0
    var refused = 0
    var latencies = LatencyHistogram()

    mutating func add(_ other: IngestTally) {
        batches += other.batches
        events += other.events
        bytes += other.bytes
        refused += other.refused
        latencies.add(other.latencies)
    }
}

/// One loop of the load generator with some connections, on the thread that runs it.
final class IngestLane {
    private let plan: IngestPlan
    private let console: Console
    private let loop: Loop
    private var connections: [CollectorConnection] = []
    private var nextBatch: Int
    private var tally = IngestTally()
    private let startMicros: Int64
    private var isStopping = false

    /// - Parameter index: of the lane, so that lanes begin with different batches.
    init(_ plan: IngestPlan, index: Int, console: Console) throws {
        self.plan = plan
        self.console = console
        loop = try Loop()
        nextBatch = index * 7919 % plan.batches.count
        startMicros = console.elapsedMicros()
    }

    /// Sends for the planned time, then waits for what is on the wire.
    func run() throws -> IngestTally {
        defer {
            for connection in connections { connection.close() }
            loop.close()
        }
        for _ in 0..<plan.connectionsPerLane { addConnection() }
        let stop = Timer(loop)
        stop.start(afterMillis: UInt64((plan.warmupMicros + plan.measuredMicros) / 1000)) { [self] in
            isStopping = true
            for connection in connections { connection.finish() }
        }
        while !connections.allSatisfy(\.isFinished) {
            loop.run()
            for connection in connections {
                if let failure = connection.failure { throw failure }
            }
        }
        stop.close()
        return tally
    }

    private func addConnection() {
        let connection = CollectorConnection(loop, plan.place, plan.wire, console: console, patienceSeconds: 60)
        connections.append(connection)
        connection.onDelivered = { [self] in count($0) }
        connection.onChange = { [self, unowned connection] in
            fill(connection)
            if isStopping || connection.failure != nil { loop.stop() }
        }
        fill(connection)
    }

    private func fill(_ connection: CollectorConnection) {
        guard !isStopping else { return }
        connection.gather {
            while connection.pendingCount < plan.window {
                let batch = plan.batches[nextBatch]
                // The tag is the time of sending: the answer tells the latency by itself.
                connection.send(batch.bytes, eventCount: batch.eventCount, tag: Int(console.elapsedMicros()))
                nextBatch = (nextBatch + 1) % plan.batches.count
                tally.bytes += isMeasured(console.elapsedMicros()) ? batch.bytes.count : 0
            }
        }
    }

    private func count(_ delivery: Delivery) {
        let now = console.elapsedMicros()
        guard isMeasured(now) else { return }
        tally.batches += 1
        tally.events += delivery.eventCount
        tally.refused += delivery.refused.reduce(0) { $0 + $1.rows.count }
        tally.latencies.add(micros: now - Int64(delivery.tag))
    }

    private func isMeasured(_ micros: Int64) -> Bool {
        let since = micros - startMicros - plan.warmupMicros
        return since >= 0 && since < plan.measuredMicros
    }
}
