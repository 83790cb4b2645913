import Bytes

// The stream of a session: opening the source, sending, and what the answers mean for the queue.

extension ClientSession {
    mutating func receive(_ message: Message, _ now: Moment, _ actions: inout [Action]) throws(WireError) {
        switch message {
        case .helloAcknowledgement:
            break
        case .opened(let opened) where opened.stream == stream:
            try receive(opened, &actions)
        case .acknowledgement(let answer):
            guard answer.stream == stream, case .open = streamPhase else { return }
            queue.record(answer.verdicts)
            acked = max(acked, answer.durable)
            settle(queue.takeDurable(upTo: answer.durable), &actions) { .acknowledged($0.verdicts) }
        case .negativeAcknowledgement(let refusal):
            guard refusal.stream == stream else { return }
            actions.append(.refused(refusal))
            receive(refusal, now)
        case .goAway(let message):
            goAwayMilliseconds = message.reconnectAfterMilliseconds
        case .ping(let ping):
            actions.append(.send(Pong(number: ping.number, clockMicros: now.clockMicros).encoded()))
        case .pong:
            break
        case .error(let error):
            receive(error, now, &actions)
            return
        default:
            throw .unexpected(message.type)
        }
        actions += pump(now)
    }

    private mutating func receive(_ error: ErrorMessage, _ now: Moment, _ actions: inout [Action]) {
        switch error.code {
        case .version, .authentication, .protocolViolation, .frameTooBig: stop(error, &actions)
        case .checksum, .timeout, .overloaded, .internalFailure: actions += reconnect(now)
        }
    }

    // MARK: Answers

    /// Drops what is listed, and moves on by where the server stands.
    private mutating func receive(_ opened: Opened, _ actions: inout [Action]) throws(WireError) {
        guard case .opening = streamPhase else { throw .unexpected(.opened) }
        streamPhase = .open
        failedAttempts = 0
        lineage = opened.lineage
        let listed = Set(opened.fingerprints)
        let settled = queue.take { $0.last <= opened.durable && listed.contains($0.recognised) }
        settle(settled, &actions) { _ in .listed }
        let oldest = queue.items.first?.base ?? queue.nextBase
        if movesAfterOpened || oldest <= opened.durable {
            actions.append(.send(Close(stream: stream, acked: acked, final: false).encoded()))
            streamPhase = .closed
            moveToNewSource()
        } else {
            acked = max(acked, opened.durable)
            if opened.durable > 0, oldest > opened.durable + 1 {
                queue.insertAcknowledgedBefore(from: opened.durable + 1)
            }
        }
    }

    /// Everything left is sent under a source that nobody else has.
    private mutating func moveToNewSource() {
        movesAfterOpened = false
        rewinds = false
        source = Self.mint(random)
        acked = 0
        queue.restart()
    }

    private mutating func receive(_ refusal: NegativeAcknowledgement, _ now: Moment) {
        if refusal.retry == .after { resumeMicros = now.adding(milliseconds: refusal.afterMilliseconds) }
        switch streamPhase {
        case .closed:
            return
        case .opening where refusal.code == .notAllowed && refusal.retry == .newSource:
            streamPhase = .closed
            moveToNewSource()
        case .opening:
            openAgain(moving: refusal.retry == .newSource, now)
        case .open where refusal.code.closesStream || refusal.retry == .openAgain || refusal.retry == .newSource:
            openAgain(moving: refusal.retry == .newSource, now)
        case .open:
            rewind(to: refusal.expected, now)
        }
    }

    /// Learns by OPENED what was stored. Two senders of one source that fence each other wait for unequal times.
    private mutating func openAgain(moving: Bool, _ now: Moment) {
        if moving { movesAfterOpened = true }
        streamPhase = .closed
        rewinds = false
        queue.rewindAll()
        if resumeMicros == nil { resumeMicros = now.adding(milliseconds: backoff()) }
    }

    private mutating func rewind(to expected: UInt64, _ now: Moment) {
        let oldest = queue.items.first?.base ?? queue.nextBase
        if let index = queue.index(beginningAt: expected) {
            queue.rewind(to: index)
        } else if expected >= 1, expected < oldest {
            queue.insertAcknowledgedBefore(from: expected)
        } else {
            openAgain(moving: true, now)
            return
        }
        rewinds = true
    }

    private func settle(
        _ items: [SendQueue.Item], _ actions: inout [Action], _ settlement: (SendQueue.Item) -> Settlement
    ) {
        for item in items {
            if let ticket = item.ticket { actions.append(.settled(ticket: ticket, settlement(item))) }
        }
    }

    // MARK: Sending

    /// Sends what may be sent now.
    mutating func pump(_ now: Moment) -> [Action] {
        guard let limits = link.limits, !isStopped else { return [] }
        if goAwayMilliseconds != nil { return queue.sentCount == 0 ? reconnect(now) : [] }
        if let resumeMicros, now.elapsedMicros < resumeMicros { return [] }
        resumeMicros = nil
        var actions: [Action] = []
        switch streamPhase {
        case .closed: openStream(&actions)
        case .opening: break
        case .open:
            sendQueued(limits, &actions)
            finishIfDone(&actions)
        }
        return actions
    }

    private mutating func openStream(_ actions: inout [Action]) {
        stream += 1
        streamPhase = .opening
        actions.append(.send(Open(
            stream: stream, project: settings.project, source: source, kind: settings.kind, acked: acked,
            lineageLastSeen: lineage).encoded()))
    }

    private mutating func sendQueued(_ limits: ConnectionLimits, _ actions: inout [Action]) {
        let window = min(settings.unackedBatchesMax, limits.unackedBatchesMax)
        while queue.sentCount < window, let item = queue.next {
            let fits = queue.sentBytes + item.byteCount <= settings.unackedBytesMax
            guard queue.sentCount == 0 || fits else { return }
            switch item.content {
            case .skip(let reason):
                actions.append(.send(Skip(
                    stream: stream, base: item.base, count: item.count, reason: reason, rewinds: rewinds).encoded()))
            case .batch(let bytes, _):
                guard bytes.count + 2 <= limits.frameBytesMax, item.count <= UInt64(limits.batchEventsMax) else {
                    if let ticket = item.ticket { actions.append(.settled(ticket: ticket, .overLimit)) }
                    queue.dropNext()
                    continue
                }
                actions.append(.send(BatchFrame(
                    stream: stream, base: item.base, eventCount: UInt32(item.count), rewinds: rewinds,
                    clockOffsetMicros: 0, batch: bytes).encoded()))
            }
            rewinds = false
            queue.markSent()
        }
    }

    private mutating func finishIfDone(_ actions: inout [Action]) {
        guard case .wanted(let final) = ending, queue.items.isEmpty else { return }
        isStopped = true
        link.end()
        streamPhase = .closed
        actions += [
            .send(Close(stream: stream, acked: acked, final: final).encoded()), .disconnect, .finished,
        ]
    }
}
