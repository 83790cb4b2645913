// The time zone files of the system's database: TZif version 2 or later (RFC 9636 §3).
//
//   header      "TZif", version, 15 reserved bytes, six big-endian 32-bit counts
//   block 1     32-bit times, for old readers: skipped
//   header      again
//   block 2     transition times (64 bit), their types, types (offset, dst, name), names, leap seconds, indicators
//   footer      newline, TZ string for the time after the last transition, newline
//
// Valid: times ascend, types exist, offsets lie within -25 h and +26 h, no leap seconds, and nothing is cut short.

import Bytes

/// The clock changes of one zone, as a file gives them.
struct TZif {
    /// Seconds since the epoch, ascending.
    private(set) var transitionSeconds: [Int] = []
    /// Offsets east of UTC: before the first transition, then from each on. One more than transitions.
    private(set) var offsetSeconds: [Int]
    let rule: POSIXRule?

    init(_ file: RawSpan) throws(DecodeError) {
        var offset = 0
        let first = try Header(file, &offset)
        guard first.version >= UInt8(ascii: "2") else { throw .invalid(what: "TZif version", offset: 4) }
        _ = try file.take(first.blockByteCount(timeByteCount: 4), &offset)
        let header = try Header(file, &offset)
        guard header.leapCount == 0 else { throw .invalid(what: "TZif leap seconds", offset: offset) }
        guard header.typeCount > 0 else { throw .invalid(what: "TZif type count", offset: offset) }

        let block = try file.take(header.blockByteCount(timeByteCount: 8), &offset)
        var time = block.lowerBound
        var type = time + header.timeCount * 8
        let types = try Self.types(file, at: type + header.timeCount, count: header.typeCount)
        // Before the first transition the first type holds.
        offsetSeconds = [types[0]]
        for _ in 0..<header.timeCount {
            let seconds = Int(Int64(bigEndian: try file.read(Int64.self, &time)))
            // Nothing happened before the Big Bang (RFC 9636 §3.2), nor as far ahead.
            guard (-(1 << 59)...(1 << 59)).contains(seconds), transitionSeconds.last.map({ $0 < seconds }) ?? true
            else {
                throw .invalid(what: "TZif transition time", offset: time - 8)
            }
            let index = Int(try file.read(UInt8.self, &type))
            guard index < types.count else { throw .invalid(what: "TZif transition type", offset: type - 1) }
            transitionSeconds.append(seconds)
            offsetSeconds.append(types[index])
        }
        rule = try Self.footer(file, offset)
    }

    private static func types(_ file: RawSpan, at start: Int, count: Int) throws(DecodeError) -> [Int] {
        var types: [Int] = []
        for index in 0..<count {
            let offset = start + index * 6
            let seconds = Int(Int32(bigEndian: try file.load(at: offset, as: Int32.self)))
            guard (-89_999...93_599).contains(seconds) else { throw .invalid(what: "TZif offset", offset: offset) }
            types.append(seconds)
        }
        return types
    }

    private static func footer(_ file: RawSpan, _ start: Int) throws(DecodeError) -> POSIXRule? {
        let newline = UInt8(ascii: "\n")
        guard file.byteCount >= start + 2, file.uncheckedByte(start) == newline,
            file.uncheckedByte(file.byteCount - 1) == newline
        else { throw .invalid(what: "TZif footer", offset: start) }
        let text = file.extracting((start + 1)..<(file.byteCount - 1))
        return text.byteCount == 0 ? nil : try POSIXRule(text)
    }

    private struct Header {
        let version: UInt8
        let utcIndicatorCount, standardIndicatorCount, leapCount, timeCount, typeCount, nameByteCount: Int

        init(_ file: RawSpan, _ offset: inout Int) throws(DecodeError) {
            let start = offset
            // "TZif", read little-endian.
            guard try file.read(UInt32.self, &offset) == 0x6669_5A54 else {
                throw .invalid(what: "TZif magic", offset: start)
            }
            version = try file.read(UInt8.self, &offset)
            _ = try file.take(15, &offset)
            utcIndicatorCount = try Self.count(file, &offset)
            standardIndicatorCount = try Self.count(file, &offset)
            leapCount = try Self.count(file, &offset)
            timeCount = try Self.count(file, &offset)
            typeCount = try Self.count(file, &offset)
            nameByteCount = try Self.count(file, &offset)
        }

        private static func count(_ file: RawSpan, _ offset: inout Int) throws(DecodeError) -> Int {
            Int(UInt32(bigEndian: try file.read(UInt32.self, &offset)))
        }

        /// Counts are below 2^32, so the sum cannot overflow.
        func blockByteCount(timeByteCount: Int) -> Int {
            timeCount * (timeByteCount + 1) + typeCount * 6 + nameByteCount + leapCount * (timeByteCount + 4)
                + standardIndicatorCount + utcIndicatorCount
        }
    }
}
