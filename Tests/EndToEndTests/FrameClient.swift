import Bytes
import Wire

/// A client that shows every frame, and sends whatever a test wants.
final class FrameClient {
    let socket: Socket
    private var decoder = FrameDecoder(payloadBytesMax: Limits.frameBytesMax)
    private var preamble: [UInt8] = []
    private var messages: [Message] = []

    init(_ place: Socket.Place) throws { socket = try Socket(place) }

    /// Preamble and HELLO, and waits for the answer.
    func hello(token: String) -> Message? {
        let hello = Hello(
            token: token, sdkName: "test", sdkVersion: "0", features: 0, clockMicros: moment().clockMicros)
        socket.send(Preamble.ours.encoded() + hello.encoded())
        return next()
    }

    /// OPENs a source and waits for the answer.
    func open(_ source: SourceID, stream: UInt32 = 1, project: String = "default", acked: UInt64 = 0) -> Message? {
        socket.send(
            Open(stream: stream, project: project, source: source, kind: .live, acked: acked, lineageLastSeen: nil)
                .encoded())
        return next()
    }

    /// The next frame; nil if the connection ended, broke, or nothing came in time.
    func next(withinMillis millis: Int = 10_000) -> Message? {
        let deadline = ContinuousClock.now + .milliseconds(millis)
        while messages.isEmpty, ContinuousClock.now < deadline {
            switch socket.receive(withinMillis: 50) {
            case .bytes(let bytes): guard read(bytes) else { return nil }
            case .nothing: continue
            case .end: return nil
            }
        }
        return messages.isEmpty ? nil : messages.removeFirst()
    }

    private func read(_ bytes: [UInt8]) -> Bool {
        let missing = Preamble.byteCount - preamble.count
        preamble += bytes.prefix(missing)
        let rest = Array(bytes.dropFirst(missing))
        var offset = 0
        do {
            while let frame = try decoder.next(rest.rawSpan, &offset) {
                if let message = try Message(frame, in: rest.rawSpan) { messages.append(message) }
            }
            return true
        } catch {
            return false
        }
    }
}
