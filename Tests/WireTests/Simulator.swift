import Bytes
import Synchronization
import TestSupport
import Testing

@testable import Wire

/// Clients, a network and a server in one thread, driven by one seed.
struct Simulator {
    struct Faults {
        var cuts = 0.02
        var flips = 0.003
        var failedWrites = 0.03
        var crashes = 0.01
        var drains = 0.003
        var refusals = 0.02
        var clones = 0.0

        static let none = Faults(
            cuts: 0, flips: 0, failedWrites: 0, crashes: 0, drains: 0, refusals: 0, clones: 0)
    }

    private struct Client {
        var session: ClientSession
        var connection: UInt64?
        var connectAtMicros: Int64?
        var batches: [UInt64: Range<UInt64>] = [:]
        var open: Set<UInt64> = []
        var isFinished = false
    }

    /// Bytes on their way.
    private struct Pipe {
        var toServer: [UInt8] = []
        var toClient: [UInt8] = []
        /// Closed behind the bytes that are still under way.
        var endsToClient = false
        var endsToServer = false
    }

    private final class Bits: Sendable {
        private let random: Mutex<SeededRandom>
        init(seed: UInt64) { random = Mutex(SeededRandom(seed: seed)) }
        func next() -> UInt64 { random.withLock { $0.next() } }
    }

    private var random: SeededRandom
    private var server: SimulatedServer
    private var clients: [Client] = []
    private var pipes: [UInt64: Pipe] = [:]
    private var nextConnection: UInt64 = 1
    private var nextEvent: UInt64 = 1
    private var nowMicros: Int64 = 0
    private(set) var faultsFound: [String] = []
    private(set) var settledEvents = 0

    init(seed: UInt64, flaw: Flaw) {
        random = SeededRandom(seed: seed)
        server = SimulatedServer(flaw: flaw, unackedBatchesMax: Int.random(in: 1...6, using: &random))
        let bits = Bits(seed: seed ^ 0x5EED)
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            var settings = ClientSession.Settings(token: "t", project: "shop")
            settings.unackedBatchesMax = Int.random(in: 1...8, using: &random)
            settings.backoffMinMilliseconds = 4
            settings.backoffMaxMilliseconds = 60
            let session = ClientSession(settings, now: Moment(elapsedMicros: 0, clockMicros: 0)) { bits.next() }
            clients.append(Client(session: session, connection: nil, connectAtMicros: 0))
        }
    }

    private var now: Moment { Moment(elapsedMicros: nowMicros, clockMicros: 1_700_000_000_000_000 + nowMicros) }

    /// Runs with faults, then without until everybody is done.
    mutating func run(steps: Int, faults: Faults) throws {
        for _ in 0..<steps where faultsFound.isEmpty { try step(faults, enqueues: true) }
        for index in clients.indices {
            perform(clients[index].session.finish(final: random.chance(0.5), now: now), index)
        }
        var left = 20_000
        while !clients.allSatisfy(\.isFinished), faultsFound.isEmpty, left > 0 {
            try step(.none, enqueues: false)
            left -= 1
        }
        if left == 0 { faultsFound.append("not everybody finishes") }
        for client in clients where client.isFinished && !client.open.isEmpty {
            faultsFound.append("finished with \(client.open.count) batches that have no fate")
        }
    }

    private mutating func step(_ faults: Faults, enqueues: Bool) throws {
        nowMicros += Int64.random(in: 100...8000, using: &random)
        for index in clients.indices where !clients[index].isFinished {
            connectIfDue(index)
            perform(clients[index].session.tick(now: now), index)
            if enqueues, random.chance(0.3) { enqueue(index) }
            if random.chance(faults.clones) { clone(index) }
        }
        for connection in pipes.keys.sorted() { move(connection, faults) }
        server.tick(now: now)
        try work(faults)
        server.deliverAnswers(now: now)
        collectOutput()
        faultsFound += server.log.faults
    }

    private mutating func work(_ faults: Faults) throws {
        if random.chance(0.7) { try server.judge(Int.random(in: 1...6, using: &random)) }
        if random.chance(0.4), server.writesUnderWay < 3 { server.seal() }
        if random.chance(0.5) { server.sync() }
        if random.chance(faults.failedWrites) { server.failWrite() }
        if random.chance(faults.drains) { server.drain(now: now) }
        if random.chance(faults.refusals) { server.refusesNextBatch = true }
        if random.chance(0.05) { server.compactLog() }
        if random.chance(faults.crashes) {
            server.crash(keeping: Int.random(in: 0...server.writesUnderWay, using: &random))
        }
    }

    // MARK: Clients

    private mutating func enqueue(_ index: Int) {
        let count = UInt64.random(in: 1...5, using: &random)
        if random.chance(0.1) {
            let (_, actions) = clients[index].session.enqueueSkip(count: count, reason: .optedOut, now: now)
            perform(actions, index)
            return
        }
        let size = random.chance(0.02) ? 600 : count  // some are over the server's frame limit
        let events = nextEvent..<(nextEvent + size)
        nextEvent += size
        let batch = SimulatedBatch.encode(events)
        let (ticket, actions) = clients[index].session.enqueue(batch: batch, eventCount: UInt32(size), now: now)
        clients[index].batches[ticket] = events
        clients[index].open.insert(ticket)
        perform(actions, index)
    }

    /// A virtual machine is copied while it runs: two senders of one source.
    private mutating func clone(_ index: Int) {
        guard clients[index].session.queuedCount == 0, clients.count < 6 else { return }
        var copy = clients[index]
        copy.connection = nil
        copy.connectAtMicros = nowMicros
        _ = copy.session.disconnected(now: now)
        clients.append(copy)
    }

    private mutating func perform(_ actions: [ClientSession.Action], _ index: Int) {
        for action in actions {
            switch action {
            case .connect(let after): clients[index].connectAtMicros = nowMicros + Int64(after) * 1000
            case .send(let bytes):
                guard let connection = clients[index].connection else { continue }
                pipes[connection]?.toServer += bytes
            case .disconnect:
                guard let connection = clients[index].connection else { continue }
                pipes[connection]?.endsToServer = true
                clients[index].connection = nil
            case .settled(let ticket, let settlement): settle(index, ticket, settlement)
            case .refused: break
            case .failed(let error): faultsFound.append("a client failed: \(error)")
            case .finished: clients[index].isFinished = true
            }
        }
    }

    private mutating func settle(_ index: Int, _ ticket: UInt64, _ settlement: ClientSession.Settlement) {
        guard let events = clients[index].batches[ticket] else { return }
        if clients[index].open.remove(ticket) == nil { faultsFound.append("batch \(ticket) settled twice") }
        if settlement == .overLimit {
            if events.count < 500 { faultsFound.append("a small batch is over the limit") }
            return
        }
        for event in events where !server.log.fates.contains(event) {
            faultsFound.append("event \(event) was acknowledged and is not in the log")
        }
        if case .acknowledged(let verdicts) = settlement {
            let bad = events.filter(SimulatedBatch.isBad).count
            if verdicts.count != bad { faultsFound.append("\(verdicts.count) verdicts for \(bad) bad events") }
        }
        settledEvents += events.count
    }

    // MARK: Network

    private mutating func connectIfDue(_ index: Int) {
        guard let due = clients[index].connectAtMicros, due <= nowMicros else { return }
        let connection = nextConnection
        nextConnection += 1
        pipes[connection] = Pipe()
        server.accept(connection, now: now)
        clients[index].connection = connection
        clients[index].connectAtMicros = nil
        perform(clients[index].session.connected(now: now), index)
    }

    private mutating func collectOutput() {
        for (connection, bytes) in server.output { pipes[connection]?.toClient += bytes }
        for connection in server.closed { pipes[connection]?.endsToClient = true }
        server.output = []
        server.closed = []
    }

    private mutating func move(_ connection: UInt64, _ faults: Faults) {
        guard var pipe = pipes[connection] else { return }
        let toServer = take(&pipe.toServer, faults)
        let toClient = take(&pipe.toClient, faults)
        pipes[connection] = pipe
        if !toServer.isEmpty { server.receive(connection, toServer, now: now) }
        if !toClient.isEmpty, let index = clients.firstIndex(where: { $0.connection == connection }) {
            perform(clients[index].session.receive(toClient.rawSpan, now: now), index)
        }
        let isCut = random.chance(faults.cuts)
        if isCut || (pipe.endsToServer && pipe.toServer.isEmpty) { server.lost(connection) }
        if isCut || (pipe.endsToClient && pipe.toClient.isEmpty) { lose(connection) }
        if isCut || (pipe.endsToServer && pipe.toServer.isEmpty) { pipes[connection] = nil }
    }

    /// The client notices that the connection is gone.
    private mutating func lose(_ connection: UInt64) {
        server.lost(connection)
        pipes[connection] = nil
        guard let index = clients.firstIndex(where: { $0.connection == connection }) else { return }
        clients[index].connection = nil
        perform(clients[index].session.disconnected(now: now), index)
    }

    /// A piece of any size, sometimes with a flipped bit.
    private mutating func take(_ bytes: inout [UInt8], _ faults: Faults) -> [UInt8] {
        guard !bytes.isEmpty, random.chance(0.8) else { return [] }
        let count = random.chance(0.5) ? bytes.count : Int.random(in: 1...bytes.count, using: &random)
        var piece = Array(bytes.prefix(count))
        bytes.removeFirst(count)
        if random.chance(faults.flips) {
            piece[Int.random(in: 0..<count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        }
        return piece
    }
}
