/// A time as the shell saw it: this module reads no clock.
public struct Moment: Equatable, Sendable {
    /// Since any fixed point; never falls.
    public var elapsedMicros: Int64
    /// Since 1970-01-01 UTC; may jump.
    public var clockMicros: Int64

    public init(elapsedMicros: Int64, clockMicros: Int64) {
        self.elapsedMicros = elapsedMicros
        self.clockMicros = clockMicros
    }

    func adding(milliseconds: UInt64) -> Int64 {
        elapsedMicros + Int64(min(milliseconds, 86_400_000)) * 1000
    }
}

/// How far the peer's clock is from ours: what to add to its times. protocol/frames.md §5.
struct ClockOffset: Sendable {
    /// An offset in force is changed only when a measurement differs by more than this.
    static let toleranceMicros: UInt64 = 2_000_000

    private(set) var micros: Int64 = 0

    /// - Parameter peerClockMicros: the peer's clock when it sent; 0 means that it did not say.
    mutating func measure(peerClockMicros: Int64, now: Moment) {
        guard peerClockMicros != 0 else { return }
        let (measured, overflow) = now.clockMicros.subtractingReportingOverflow(peerClockMicros)
        guard !overflow else { return }
        let (change, changeOverflow) = measured.subtractingReportingOverflow(micros)
        if changeOverflow || change.magnitude > Self.toleranceMicros { micros = measured }
    }
}

/// When the peer was last heard and when to ask whether it is still there. protocol/frames.md §5.
struct Keepalive: Sendable {
    enum Due { case nothing, ping, timeout }

    private let periodMicros: Int64
    private var heardMicros: Int64
    private var pingedMicros: Int64?

    init(seconds: Int, now: Moment) {
        periodMicros = Int64(seconds) * 1_000_000
        heardMicros = now.elapsedMicros
    }

    mutating func heard(_ now: Moment) {
        heardMicros = now.elapsedMicros
        pingedMicros = nil
    }

    /// A PING after one period of silence, the end after two.
    mutating func due(_ now: Moment) -> Due {
        guard periodMicros > 0 else { return .nothing }
        let silence = now.elapsedMicros - heardMicros
        if silence >= 2 * periodMicros { return .timeout }
        guard silence >= periodMicros, pingedMicros == nil else { return .nothing }
        pingedMicros = now.elapsedMicros
        return .ping
    }
}
