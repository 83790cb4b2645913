import EventLoop
import Glibc
import TestSupport
import Testing

import class Foundation.Thread

@Suite struct LoopTests {
    private let folder = TemporaryFolder()

    @Test func timersFireInTheOrderOfTheirTimes() throws {
        var fired: [UInt64] = []
        try withLoop { loop in
            let started = loop.nowMillis
            for delay: UInt64 in [60, 5, 30, 1] {
                let timer = Timer(loop)
                timer.start(afterMillis: delay) {
                    #expect(loop.nowMillis - started >= delay)
                    fired.append(delay)
                    timer.close()
                    if fired.count == 4 { loop.stop() }
                }
            }
        }
        #expect(fired == [1, 5, 30, 60])
    }

    @Test func aRepeatingTimerFiresUntilItIsStopped() throws {
        var count = 0
        try withLoop { loop in
            let timer = Timer(loop)
            timer.start(everyMillis: 2) {
                count += 1
                if count == 5 { timer.stop() }
            }
            let end = Timer(loop)
            end.start(afterMillis: 100) { loop.stop() }
        }
        #expect(count == 5)
    }

    @Test func aClosedTimerNeverFires() throws {
        try withLoop { loop in
            let timer = Timer(loop)
            timer.start(afterMillis: 1) { Issue.record("fired") }
            timer.close()
            timer.close()
            timer.start(afterMillis: 1) { Issue.record("fired") }
            let end = Timer(loop)
            end.start(afterMillis: 30) { loop.stop() }
        }
    }

    @Test func noMessageFromAnyThreadIsLostOrReordered() throws {
        struct Message: Sendable { let thread: Int, number: Int }
        let perThread = 20_000
        var received: [[Int]] = Array(repeating: [], count: 4)
        var batches = 0
        try withLoop { loop in
            var total = 0
            let wakeup = try Wakeup<Message>(loop) { messages in
                batches += 1
                for message in messages { received[message.thread].append(message.number) }
                total += messages.count
                if total == 4 * perThread { loop.stop() }
            }
            for thread in 0..<4 {
                Thread.detachNewThread {
                    for number in 0..<perThread { wakeup.send(Message(thread: thread, number: number)) }
                }
            }
        }
        for thread in 0..<4 { #expect(received[thread].elementsEqual(0..<perThread)) }
        #expect(batches <= 4 * perThread)
    }

    @Test func aClosingWakeupDeliversWhatWasSentAndRefusesTheRest() throws {
        var received: [Int] = []
        var late: Wakeup<Int>?
        try withLoop { loop in
            let wakeup = try Wakeup<Int>(loop) { received += $0 }
            late = wakeup
            #expect(wakeup.send(1))
            wakeup.close()
            wakeup.close()
            #expect(!wakeup.send(2))
            let end = Timer(loop)
            end.start(afterMillis: 20) { loop.stop() }
        }
        #expect(received == [1])
        #expect(late?.send(3) == false)
    }

    @Test func aSignalArrivesOnTheLoop() throws {
        var signals: [Int32] = []
        try withLoop { loop in
            var watcher: SignalWatcher?
            watcher = try SignalWatcher(loop, signals: [SIGUSR1, SIGUSR2]) { signal in
                signals.append(signal)
                if signals.count == 2 {
                    watcher?.close()
                    watcher = nil
                    loop.stop()
                }
            }
            kill(getpid(), SIGUSR1)
            kill(getpid(), SIGUSR2)
        }
        #expect(signals.sorted() == [SIGUSR1, SIGUSR2].sorted())
    }

    @Test func aSignalThatCannotBeCaughtIsRefused() throws {
        try withLoop { loop in
            #expect(throws: EventLoopError.self) {
                _ = try SignalWatcher(loop, signals: [SIGUSR2, SIGKILL]) { _ in }
            }
            loop.stop()
        }
    }

    @Test func closingALoopEndsAndReleasesEverything() throws {
        weak var weakLoop: Loop?
        weak var weakStream: Stream?
        weak var weakWakeup: Wakeup<Int>?
        var closed = 0
        do {
            let loop = try Loop()
            weakLoop = loop
            let place = Place.unix(folder("socket"))
            let listener = try place.listen(loop) { server in
                weakStream = server
                echo(server)
                server.onClosed = { _ in closed += 1 }
                server.write([UInt8](repeating: 0, count: 8 << 20))
                loop.stop()
            }
            place.connect(loop, to: listener) { $0.onClosed = { _ in closed += 1 } }
            let timer = Timer(loop)
            timer.start(everyMillis: 10_000) { _ = timer }
            let wakeup = try Wakeup<Int>(loop) { _ in }
            weakWakeup = wakeup
            _ = try SignalWatcher(loop, signals: [SIGUSR1]) { _ in }
            loop.run()
            #expect(loop.liveHandleCount >= 6)
            loop.close()
            loop.close()
            #expect(loop.liveHandleCount == 0)
            // All of these come too late, and harmlessly so.
            timer.stop()
            timer.start(afterMillis: 1) {}
            timer.close()
            listener.close()
            weakStream?.close()
        }
        #expect(closed == 2)
        #expect(weakStream == nil)
        #expect(weakWakeup == nil)
        #expect(weakLoop == nil)
    }
}
