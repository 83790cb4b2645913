import Bytes

extension RawSpan {
    /// Whether the bytes are well-formed UTF-8 (Unicode 3.9, table 3-7). O(n); eight ASCII bytes a step.
    var isWellFormedUTF8: Bool {
        var offset = 0
        while offset < byteCount {
            if offset &+ 8 <= byteCount, uncheckedWord(offset) & 0x8080_8080_8080_8080 == 0 {
                offset &+= 8
                continue
            }
            let length = scalarLength(at: offset)
            if length == 0 { return false }
            offset &+= length
        }
        return true
    }

    /// The length of the well-formed scalar at `offset`, or 0 if there is none.
    private func scalarLength(at offset: Int) -> Int {
        let lead = uncheckedByte(offset)
        if lead < 0x80 { return 1 }
        let rest = byteCount &- offset
        // What the second byte may be keeps out overlong forms, surrogates and what is past U+10FFFF.
        var second: ClosedRange<UInt8> = 0x80...0xBF
        let length: Int
        switch lead {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: return 0
        }
        guard length <= rest, second.contains(uncheckedByte(offset &+ 1)) else { return 0 }
        for index in 2..<max(length, 2) where uncheckedByte(offset &+ index) & 0xC0 != 0x80 { return 0 }
        return length
    }
}
