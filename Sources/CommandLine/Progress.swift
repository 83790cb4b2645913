/// How far something is, as one line.
struct ProgressLine: Equatable {
    var label: String
    var eventCount: Int
    var doneBytes: Int
    /// nil if nobody knows.
    var totalBytes: Int?
    var elapsedMicros: Int64

    /// Of the whole, 0 … 1.
    var fraction: Double? {
        guard let totalBytes, totalBytes > 0 else { return nil }
        return min(1, Double(doneBytes) / Double(totalBytes))
    }

    var eventsPerSecond: Double { Double(eventCount) / max(Double(elapsedMicros) / 1e6, 1e-3) }

    /// At the speed so far.
    var remainingSeconds: Double? {
        guard let fraction, fraction > 0 else { return nil }
        return Double(elapsedMicros) / 1e6 * (1 - fraction) / fraction
    }

    var text: String {
        var parts = [label]
        if let fraction {
            let full = Int(fraction * 20)
            parts.append("[" + String(repeating: "#", count: full) + String(repeating: ".", count: 20 - full) + "]")
            parts.append(Figures.fixed(fraction * 100, 1) + " %")
        }
        parts.append(Figures.short(Double(eventCount)) + " events")
        parts.append(Figures.short(eventsPerSecond) + "/s")
        if let remainingSeconds { parts.append("ETA " + Figures.clock(remainingSeconds)) }
        return parts.joined(separator: "  ")
    }
}

/// Shows progress on standard error: a line that changes where a person watches, else a new one every few seconds.
struct ProgressMeter {
    private static let widthColumns = 79
    private let console: Console
    private let label: String
    private let startMicros: Int64
    private var nextMicros: Int64

    init(_ label: String, console: Console) {
        self.label = label
        self.console = console
        startMicros = console.elapsedMicros()
        nextMicros = startMicros + (console.isErrorTerminal ? 100_000 : 5_000_000)
    }

    var elapsedMicros: Int64 { console.elapsedMicros() - startMicros }

    /// Shows how far it is, unless it has just done so.
    mutating func update(eventCount: Int, doneBytes: Int, totalBytes: Int?) {
        let now = console.elapsedMicros()
        guard now >= nextMicros else { return }
        nextMicros = now + (console.isErrorTerminal ? 100_000 : 5_000_000)
        let line = ProgressLine(
            label: label, eventCount: eventCount, doneBytes: doneBytes, totalBytes: totalBytes,
            elapsedMicros: now - startMicros
        ).text
        if console.isErrorTerminal {
            let shown = String(line.prefix(Self.widthColumns))
            console.writeError("\r" + shown + String(repeating: " ", count: Self.widthColumns - shown.count))
        } else {
            console.note(line)
        }
    }

    /// Makes room for other lines.
    func clear() {
        if console.isErrorTerminal {
            console.writeError("\r" + String(repeating: " ", count: Self.widthColumns) + "\r")
        }
    }
}
