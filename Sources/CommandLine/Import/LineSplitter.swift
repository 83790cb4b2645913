/// Cuts text into lines piece by piece; blank ones are left out.
struct LineSplitter {
    static let lineBytesMax = 4 << 20

    private var line: [UInt8] = []
    private var number = 1
    private var isTooLong = false

    /// Calls `body` with each line that ends within `piece`, numbered from 1; nil for one that is too long.
    mutating func feed(_ piece: [UInt8], _ body: (Int, [UInt8]?) throws -> Void) rethrows {
        var rest = piece[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            append(rest[..<end])
            rest = rest[(end + 1)...]
            try endLine(body)
        }
        append(rest)
    }

    /// What is left is the last line.
    mutating func finish(_ body: (Int, [UInt8]?) throws -> Void) rethrows { try endLine(body) }

    private mutating func append(_ bytes: ArraySlice<UInt8>) {
        if line.count + bytes.count > Self.lineBytesMax {
            isTooLong = true
            line.removeAll()
        } else if !isTooLong {
            line.append(contentsOf: bytes)
        }
    }

    private mutating func endLine(_ body: (Int, [UInt8]?) throws -> Void) rethrows {
        let isBlank = line.allSatisfy { " \t\r".utf8.contains($0) }
        if isTooLong {
            try body(number, nil)
        } else if !isBlank {
            try body(number, line)
        }
        line.removeAll(keepingCapacity: true)
        isTooLong = false
        number += 1
    }
}
