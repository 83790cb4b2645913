import Bytes
import EventLoop
import Telemetry
import Wire

/// One sender's connection on the loop: performs what `Wire.ServerConnection` decides.
final class ProducerConnection {
    let number: UInt64
    private unowned let daemon: CollectorDaemon
    private let stream: EventLoop.Stream
    private var machine: ServerConnection
    private var tokenName = ""
    private var importStreams = Set<UInt32>()
    private var isPaused = false
    /// When the sender ended its side of the connection.
    private var endedMillis: Int64?
    private(set) var isClosed = false

    /// A sender that does not read its answers is not read from while more than this waits for it,
    private static let unsentBytesPause = 256 << 10
    /// and is cut off at this many bytes: what it sent before is still answered.
    private static let unsentBytesMax = 8 << 20
    private static let lingerMillis: UInt64 = 2000
    /// How long answers are awaited for a sender that has ended its side.
    private static let answerMillisMax: Int64 = 10_000

    init(number: UInt64, _ stream: EventLoop.Stream, daemon: CollectorDaemon) {
        self.number = number
        self.stream = stream
        self.daemon = daemon
        machine = ServerConnection(.init(takesAdmin: stream.isUnix), now: daemon.moment)
    }

    func start() {
        stream.onClosed = { [self] _ in
            isClosed = true
            daemon.connectionClosed(self)
        }
        stream.onDrained = { [self] in daemon.answersTaken(self) }
        stream.startReading(
            onBytes: { [self] bytes in
                perform(machine.receive(bytes, now: daemon.moment))
                if stream.queuedBytes > Self.unsentBytesPause { pauseReading() }
            },
            onEnd: { [self] in
                endedMillis = daemon.moment.elapsedMicros / 1000
                closeIfSettled()
            })
    }

    /// A sender that has ended its side still hears what became of what it sent.
    private func closeIfSettled() {
        guard let endedMillis else { return }
        let isLate = daemon.moment.elapsedMicros / 1000 - endedMillis > Self.answerMillisMax
        guard machine.unackedCount == 0 || isLate else { return }
        stream.closeAfterWrites(withinMillis: Self.lingerMillis)
    }

    // MARK: From the log's thread and the daemon

    func deliver(_ answer: LedgerAnswer) {
        switch answer {
        case .opened(_, let message): perform(machine.opened(message))
        case .acknowledged(_, let message): perform(machine.acknowledged(message))
        case .refused(_, let message): perform(machine.refused(message))
        }
        if stream.queuedBytes > Self.unsentBytesMax {
            perform(machine.fail(.overloaded, detail: "answers are not being read"))
        }
        closeIfSettled()
    }

    func reply(_ reply: AdminReply) { perform(machine.adminReplied(reply)) }

    func drain() { perform(machine.drain(reconnectAfterMilliseconds: 1000, now: daemon.moment)) }

    func tick() {
        if isPaused, stream.queuedBytes <= Self.unsentBytesPause { machine.excuseSilence(now: daemon.moment) }
        perform(machine.tick(now: daemon.moment))
        closeIfSettled()
    }

    func pauseReading() {
        guard !isPaused else { return }
        isPaused = true
        stream.pauseReading()
    }

    func resumeReading() {
        guard isPaused, !isClosed, stream.queuedBytes <= Self.unsentBytesPause else { return }
        isPaused = false
        stream.resumeReading()
    }

    // MARK: Actions

    private func perform(_ actions: [ServerConnection.Action]) {
        for action in actions { perform(action) }
    }

    private func perform(_ action: ServerConnection.Action) {
        switch action {
        case .send(let bytes):
            stream.write(bytes)
        case .authenticate(let hello):
            authenticate(hello)
        case .open(let open):
            if open.kind == .backfill { importStreams.insert(open.stream) } else { importStreams.remove(open.stream) }
            daemon.submit(.open(connection: number, open, tokenName: tokenName), from: self)
        case .batch(let frame):
            let isImport = importStreams.contains(frame.stream)
            daemon.submit(.batch(connection: number, daemon.check(frame, isImport: isImport)), from: self)
        case .skip(let skip):
            daemon.submit(.skip(connection: number, skip), from: self)
        case .refuse(let refusal):
            daemon.submit(.refuse(connection: number, refusal), from: self)
        case .closeStream(let close):
            importStreams.remove(close.stream)
            daemon.submit(.close(connection: number, close), from: self)
        case .admin(let request):
            daemon.admin(request, from: self)
        case .close(let error):
            if let error { daemon.senderFailed(self, error) }
            stream.closeAfterWrites(withinMillis: Self.lingerMillis)
        }
    }

    private func authenticate(_ hello: Hello) {
        switch daemon.authenticate(hello) {
        case .success(let admission):
            tokenName = admission.tokenName
            perform(machine.authenticated(admission.grant, now: daemon.moment))
        case .failure(let refusal):
            perform(machine.authenticationFailed(detail: refusal.reason))
        }
    }

    /// Where it comes from, for the log.
    var peerText: String {
        switch stream.peer {
        case .unix: "unix"
        case .tcp(let address, let port): "\(address):\(port)"
        }
    }
}
