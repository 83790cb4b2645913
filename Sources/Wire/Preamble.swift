import Bytes

/// The first eight bytes each way. Layout: protocol/frames.md §1.
public struct Preamble: Equatable, Sendable {
    public static let byteCount = 8
    /// The one version there is.
    public static let current: UInt8 = 0
    /// 0xF7 "TDM": the first byte begins neither HTTP nor TLS.
    static let magic: [UInt8] = [0xF7, 0x54, 0x44, 0x4D]

    public var lowestVersion: UInt8
    public var highestVersion: UInt8
    /// From the server: 0 or the code of the refusal.
    public var code: UInt16

    public init(lowestVersion: UInt8, highestVersion: UInt8, code: UInt16) {
        self.lowestVersion = lowestVersion
        self.highestVersion = highestVersion
        self.code = code
    }

    /// What a peer of this version sends first.
    public static var ours: Preamble { Preamble(lowestVersion: current, highestVersion: current, code: 0) }

    /// - Throws: `.magic`, also for the first bytes of a preamble that cannot become one.
    public init(_ bytes: [UInt8]) throws(WireError) {
        guard bytes.count == Self.byteCount, bytes.starts(with: Self.magic) else { throw .magic }
        lowestVersion = bytes[4]
        highestVersion = bytes[5]
        code = UInt16(bytes[6]) | UInt16(bytes[7]) << 8
    }

    public func encoded() -> [UInt8] {
        Self.magic + [lowestVersion, highestVersion, UInt8(truncatingIfNeeded: code), UInt8(code >> 8)]
    }

    /// The server's answer: the version picked in both bytes, or our own range and VERSION.
    func answer() -> Preamble {
        let picked = min(highestVersion, Self.current)
        guard lowestVersion <= highestVersion, picked >= lowestVersion, picked >= Self.current else {
            return Preamble(
                lowestVersion: Self.current, highestVersion: Self.current, code: UInt16(ErrorCode.version.rawValue))
        }
        return Preamble(lowestVersion: picked, highestVersion: picked, code: 0)
    }
}
