/// Numbers as people read them.
enum Figures {
    /// `1,234,567`.
    static func grouped(_ number: Int) -> String {
        let digits = String(number.magnitude)
        var text = number < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return text
    }

    /// Three digits or so: `812`, `1.23 k`, `45.6 M`.
    static func short(_ number: Double) -> String { scaled(number, 1000, ["", "k", "M", "G", "T"]) }

    /// `1.50 MiB`.
    static func bytes(_ number: Double) -> String { scaled(number, 1024, ["B", "KiB", "MiB", "GiB", "TiB"]) }

    /// `0:07`, `1:02:03`.
    static func clock(_ seconds: Double) -> String {
        let whole = Int(min(max(seconds, 0), 359_999).rounded())
        let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
        let tail = (rest < 10 ? "0" : "") + "\(rest)"
        return hours == 0 ? "\(minutes):\(tail)" : "\(hours):" + (minutes < 10 ? "0" : "") + "\(minutes):\(tail)"
    }

    /// `number` with so many digits behind the point.
    static func fixed(_ number: Double, _ digits: Int) -> String {
        guard number.isFinite, abs(number) < 1e15 else { return "\(number)" }
        let scale = (0..<digits).reduce(1) { scale, _ in scale * 10 }
        let scaled = Int((abs(number) * Double(scale)).rounded())
        let whole = (number < 0 && scaled > 0 ? "-" : "") + String(scaled / scale)
        let fraction = String(scaled % scale)
        return digits == 0 ? whole : whole + "." + String(repeating: "0", count: digits - fraction.count) + fraction
    }

    private static func scaled(_ number: Double, _ step: Double, _ units: [String]) -> String {
        var value = number
        var unit = 0
        while abs(value) >= step * 0.9995, unit + 1 < units.count {
            value /= step
            unit += 1
        }
        let text = unit == 0 ? fixed(value, 0) : fixed(value, abs(value) < 9.995 ? 2 : abs(value) < 99.95 ? 1 : 0)
        return units[unit].isEmpty ? text : text + " " + units[unit]
    }
}
