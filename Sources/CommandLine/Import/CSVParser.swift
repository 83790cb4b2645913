/// One row of a CSV file.
struct CSVRow: Equatable {
    /// The line it begins on, from 1.
    let line: Int
    let content: Content

    enum Content: Equatable {
        case fields([String])
        case bad(RowError)
    }
}

/// Reads CSV piece by piece: RFC 4180 with any one-byte delimiter, line ends LF, CRLF or CR, and quotes only around
/// whole fields.
///
/// A bad row is given as such and reading goes on at the line behind it; a quote that is not closed takes every line up
/// to the end of the file, or `rowBytesMax`, into its row. A blank line is no row. O(bytes); holds one row.
struct CSVParser {
    /// An unclosed quote swallows at most this much.
    static let rowBytesMax = 4 << 20

    private enum State {
        case fieldStart, unquoted, quoted, quoteInQuoted
        /// The row is bad; its rest is passed over.
        case passingOver
    }

    private let delimiter: UInt8
    private var state = State.fieldStart
    private var field: [UInt8] = []
    private var fields: [String] = []
    private var hasQuotes = false
    private var rowBytes = 0
    private var defect: RowError?
    private var line = 1
    private var rowLine = 1
    private var endedWithCR = false

    init(delimiter: UInt8 = UInt8(ascii: ",")) { self.delimiter = delimiter }

    /// Calls `body` with each row that ends within `piece`.
    mutating func feed(_ piece: [UInt8], _ body: (CSVRow) throws -> Void) rethrows {
        for byte in piece {
            if endedWithCR {
                endedWithCR = false
                if byte == UInt8(ascii: "\n") { continue }
            }
            rowBytes += 1
            if rowBytes > Self.rowBytesMax, defect == nil {
                fail(line > rowLine ? unterminatedQuote : .tooLong(limit: Self.rowBytesMax))
            }
            switch byte {
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                if state == .quoted { keepLineEnd(byte) } else { try endRow(byte, body) }
            case UInt8(ascii: "\""): takeQuote()
            case delimiter where state != .quoted:
                if state != .passingOver { endField() }
            default: take(byte)
            }
        }
    }

    /// The file has ended: what is left is the last row.
    mutating func finish(_ body: (CSVRow) throws -> Void) rethrows {
        if state == .quoted { fail(unterminatedQuote) }
        if rowBytes > 0 { try endRow(0, body) }
    }

    private var unterminatedQuote: RowError {
        .unterminatedQuote(lines: rowLine...max(rowLine, field.last == UInt8(ascii: "\n") ? line - 1 : line))
    }

    private mutating func keepLineEnd(_ byte: UInt8) {
        field.append(byte)
        // CRLF inside quotes is one line end, counted at its LF.
        if byte == UInt8(ascii: "\n") { line += 1 }
    }

    private mutating func takeQuote() {
        switch state {
        case .fieldStart:
            state = .quoted
            hasQuotes = true
        case .unquoted: field.append(UInt8(ascii: "\""))
        case .quoted: state = .quoteInQuoted
        case .quoteInQuoted:
            field.append(UInt8(ascii: "\""))
            state = .quoted
        case .passingOver: break
        }
    }

    private mutating func take(_ byte: UInt8) {
        switch state {
        case .fieldStart:
            state = .unquoted
            field.append(byte)
        case .unquoted, .quoted: field.append(byte)
        case .quoteInQuoted: fail(.textAfterQuote(column: fields.count + 1))
        case .passingOver: break
        }
    }

    private mutating func fail(_ error: RowError) {
        defect = error
        state = .passingOver
        field.removeAll()
    }

    private mutating func endField() {
        if let text = String(validating: field, as: UTF8.self) {
            fields.append(text)
            state = .fieldStart
        } else {
            fail(.notUTF8(column: fields.count + 1))
        }
        field.removeAll(keepingCapacity: true)
    }

    private mutating func endRow(_ byte: UInt8, _ body: (CSVRow) throws -> Void) rethrows {
        let isBlank = state == .fieldStart && fields.isEmpty && !hasQuotes
        if state != .passingOver, !isBlank { endField() }
        let row = CSVRow(line: rowLine, content: defect.map { .bad($0) } ?? .fields(fields))
        fields = []
        field.removeAll(keepingCapacity: true)
        (state, hasQuotes, rowBytes, defect) = (.fieldStart, false, 0, nil)
        endedWithCR = byte == UInt8(ascii: "\r")
        line += 1
        rowLine = line
        if !isBlank { try body(row) }
    }
}
