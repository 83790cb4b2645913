import Bytes

extension RawSpan {
    /// Where the run of ASCII that strings hold unescaped ends: at a quote, a backslash, a control character, a byte
    /// past ASCII, or the end. Eight bytes at a time.
    func endOfPlainText(from start: Int) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        var offset = start
        while offset &+ 8 <= byteCount {
            let word = uncheckedWord(offset)
            let quotes = word ^ (ones &* 0x22)
            let backslashes = word ^ (ones &* 0x5C)
            // A byte's high bit comes out set where it is below 0x20, equal to the quote or backslash, or past ASCII.
            // A borrow may set a bit above such a byte too, never below it, so the lowest one is right.
            let stops = (word &- ones &* 0x20) | (quotes &- ones) | (backslashes &- ones) | word
            let found = stops & highs
            if found != 0 {
                offset &+= found.trailingZeroBitCount &>> 3
                break
            }
            offset &+= 8
        }
        while offset < byteCount, isPlainText(uncheckedByte(offset)) { offset &+= 1 }
        return offset
    }

    private func isPlainText(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x80 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    /// The length of the well-formed UTF-8 sequence of two to four bytes at `offset`, or nil (Unicode, table 3-7).
    func scalarByteCount(at offset: Int) -> Int? {
        let first = uncheckedByte(offset)
        let count: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch first {
        case 0xC2...0xDF: count = 2
        case 0xE0: (count, second) = (3, 0xA0...0xBF)
        case 0xED: (count, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: count = 3
        case 0xF0: (count, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: count = 4
        case 0xF4: (count, second) = (4, 0x80...0x8F)
        default: return nil
        }
        guard offset &+ count <= byteCount, second.contains(uncheckedByte(offset &+ 1)) else { return nil }
        for index in 2..<max(count, 2) where uncheckedByte(offset &+ index) & 0xC0 != 0x80 { return nil }
        return count
    }

    /// The decimal integer in `range`, or nil if it does not fit. The digits are checked already.
    func integer(_ range: Range<Int>) -> Int64? {
        let isNegative = uncheckedByte(range.lowerBound) == UInt8(ascii: "-")
        var value: Int64 = 0
        for offset in (range.lowerBound &+ (isNegative ? 1 : 0))..<range.upperBound {
            let (shifted, overflowed) = value.multipliedReportingOverflow(by: 10)
            let digit = Int64(uncheckedByte(offset) &- UInt8(ascii: "0"))
            let (sum, overflowedAgain) =
                isNegative ? shifted.subtractingReportingOverflow(digit) : shifted.addingReportingOverflow(digit)
            if overflowed || overflowedAgain { return nil }
            value = sum
        }
        return value
    }

    /// The double nearest to the number in `range`, or nil if it is past the largest one.
    ///
    /// Short numbers take the exact way of Clinger (1990): a mantissa and a power of ten that doubles hold exactly.
    func double(_ range: Range<Int>) -> Double? {
        var mantissa: UInt64 = 0
        var exponent = 0
        var digitCount = 0
        var isAfterPoint = false
        var offset = range.lowerBound
        let isNegative = uncheckedByte(offset) == UInt8(ascii: "-")
        if isNegative { offset &+= 1 }
        while offset < range.upperBound {
            let byte = uncheckedByte(offset)
            if byte == UInt8(ascii: ".") {
                isAfterPoint = true
            } else {
                let digit = byte &- UInt8(ascii: "0")
                guard digit < 10 else { break }
                digitCount &+= 1
                mantissa = mantissa &* 10 &+ UInt64(digit)
                if isAfterPoint { exponent &-= 1 }
            }
            offset &+= 1
        }
        if offset == range.upperBound, digitCount <= 19, mantissa <= 1 << 53, exponent >= -22 {
            var scale = 1.0
            for _ in 0..<(0 &- exponent) { scale *= 10 }
            let magnitude = Double(mantissa) / scale
            return isNegative ? -magnitude : magnitude
        }
        guard let value = Double(text(range)), value.isFinite else { return nil }
        return value
    }
}
