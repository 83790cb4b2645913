import Bytes
import Events
import Foundation
import Synchronization
import TestSupport
import Wire

/// A sender on a thread of its own: `ClientSession` over a plain socket, resending until everything has its fate.
///
/// Its events have the user id `<name>-<n>`, n counting from 0, so that what is stored can be told.
final class Sender: Sendable {
    struct Progress {
        var produced = 0
        var acked = Set<Int>()
        var settledTwice = 0
        var connections = 0
        var refusals: [String: Int] = [:]
        var failure: String?
        var hasFinished = false
        var sources: [SourceID] = []
    }

    let name: String
    private let place: @Sendable () -> Socket.Place
    private let token: String
    private let eventsMax: Int
    private let seed: UInt64
    /// Between two batches.
    fileprivate let pause: Duration
    private let progressState = Mutex(Progress())
    private let isEnding = Atomic<Bool>(false)
    private let hasEnded = DispatchSemaphore(value: 0)

    /// - Parameter eventsMax: it stops producing then, or when it is told to finish.
    init(
        _ name: String, token: String, seed: UInt64, eventsMax: Int = .max, pause: Duration = .milliseconds(20),
        place: @escaping @Sendable () -> Socket.Place
    ) {
        self.name = name
        self.token = token
        self.seed = seed
        self.eventsMax = eventsMax
        self.pause = pause
        self.place = place
    }

    var progress: Progress { progressState.withLock { $0 } }

    func start() {
        let thread = Thread { [self] in
            var run = Run(self)
            run.run()
            hasEnded.signal()
        }
        thread.stackSize = 4 << 20
        thread.start()
    }

    /// Stops producing; returns when everything produced has its fate.
    /// - Returns: false if that takes too long.
    func finish(withinSeconds seconds: Int = 30) -> Bool {
        isEnding.store(true, ordering: .relaxed)
        let isOver = hasEnded.wait(timeout: .now() + .seconds(seconds)) == .success
        return isOver && progress.hasFinished
    }

    /// What the thread holds.
    private struct Run: ~Copyable {
        let sender: Sender
        var session: ClientSession
        var random: SeededRandom
        var encoder = BatchEncoder(codec: .zstd(level: 1))
        var rawEncoder = BatchEncoder(codec: .raw)
        var socket: Socket?
        var connectAt: ContinuousClock.Instant?
        var produceAt = ContinuousClock.now
        var tickets: [UInt64: Range<Int>] = [:]
        var isOver = false
        var isFinishing = false

        init(_ sender: Sender) {
            self.sender = sender
            random = SeededRandom(seed: sender.seed)
            var settings = ClientSession.Settings(token: sender.token, project: "default")
            settings.backoffMinMilliseconds = 5
            settings.backoffMaxMilliseconds = 50
            session = ClientSession(settings, now: moment()) {
                var generator = SystemRandomNumberGenerator()
                return generator.next()
            }
        }

        mutating func run() {
            perform(session.start())
            while !isOver {
                produce()
                connectIfDue()
                receive()
                perform(session.tick(now: moment()))
            }
        }

        private mutating func produce() {
            let produced = sender.progress.produced
            guard !sender.isEnding.load(ordering: .relaxed), produced < sender.eventsMax else {
                if !isFinishing {
                    isFinishing = true
                    perform(session.finish(final: false, now: moment()))
                }
                return
            }
            guard session.queuedCount < 8, ContinuousClock.now >= produceAt else { return }
            produceAt = .now + sender.pause
            let numbers = produced..<min(produced + Int.random(in: 1...40, using: &random), sender.eventsMax)
            let events = numbers.map { number in
                var event = Event(type: "tick", timestampMicros: moment().clockMicros)
                event.userID = "\(sender.name)-\(number)"
                event.values = [EventValue(.property, "n", .int64(Int64(number)))]
                return event
            }
            let isRaw = random.chance(0.5)
            guard let bytes = try? isRaw ? rawEncoder.encode(events) : encoder.encode(events) else {
                preconditionFailure("these events make a batch")
            }
            sender.progressState.withLock { $0.produced = numbers.upperBound }
            let (ticket, actions) = session.enqueue(batch: bytes, eventCount: UInt32(numbers.count), now: moment())
            tickets[ticket] = numbers
            perform(actions)
        }

        private mutating func connectIfDue() {
            guard let time = connectAt, ContinuousClock.now >= time else { return }
            connectAt = nil
            do {
                socket = try Socket(sender.place())
                sender.progressState.withLock { $0.connections += 1 }
                perform(session.connected(now: moment()))
            } catch {
                perform(session.disconnected(now: moment()))
            }
        }

        private mutating func receive() {
            guard let socket else {
                Thread.sleep(forTimeInterval: 0.002)
                return
            }
            switch socket.receive(withinMillis: 5) {
            case .bytes(let bytes): perform(session.receive(bytes.rawSpan, now: moment()))
            case .nothing: break
            case .end: lost()
            }
        }

        private mutating func lost() {
            socket = nil
            perform(session.disconnected(now: moment()))
        }

        private mutating func perform(_ actions: [ClientSession.Action]) {
            for action in actions { perform(action) }
        }

        private mutating func perform(_ action: ClientSession.Action) {
            switch action {
            case .connect(let millis):
                connectAt = .now + .milliseconds(Int(millis))
            case .send(let bytes):
                // A socket that is gone shows at the next read.
                socket?.send(bytes)
            case .disconnect:
                socket = nil
            case .settled(let ticket, let settlement):
                settle(ticket, settlement)
            case .refused(let refusal):
                sender.progressState.withLock { $0.refusals["\(refusal.code)", default: 0] += 1 }
            case .failed(let error):
                sender.progressState.withLock { $0.failure = "\(error.code): \(error.detail)" }
                isOver = true
            case .finished:
                sender.progressState.withLock { $0.hasFinished = true }
                isOver = true
            }
            let source = session.currentSource
            sender.progressState.withLock { if $0.sources.last != source { $0.sources.append(source) } }
        }

        private mutating func settle(_ ticket: UInt64, _ settlement: ClientSession.Settlement) {
            let numbers = tickets.removeValue(forKey: ticket)
            let wasRefused =
                switch settlement {
                case .acknowledged(let verdicts): !verdicts.isEmpty
                case .listed: false
                case .overLimit: true
                }
            sender.progressState.withLock { progress in
                guard let numbers else {
                    progress.settledTwice += 1
                    return
                }
                if wasRefused { progress.failure = "refused: \(settlement)" }
                progress.acked.formUnion(numbers)
            }
        }
    }
}
