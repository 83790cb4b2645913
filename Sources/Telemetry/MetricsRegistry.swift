import Synchronization

/// The instruments of a daemon, and their text for Prometheus (exposition format 0.0.4).
///
/// Several series may share a name with other labels; help and type must then agree. A series registered twice, a name
/// outside the format or a counter whose name does not end in `_total` is our bug and traps. Any thread may use it.
package final class MetricsRegistry: Sendable {
    package typealias Labels = KeyValuePairs<String, String>

    /// What an HTTP answer with `text()` as its body says in Content-Type.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private enum Instrument {
        case counter(Counter)
        case gauge(Gauge)
        case histogram(Histogram)

        var typeName: String {
            switch self {
            case .counter: "counter"
            case .gauge: "gauge"
            case .histogram: "histogram"
            }
        }
    }

    private struct Series {
        /// `name="value",…`, escaped, without braces.
        let labels: String
        let instrument: Instrument
    }

    private struct Family {
        let name: String
        let help: String
        let typeName: String
        var series: [Series]
    }

    private let families = Mutex<[Family]>([])

    package init() {}

    package func counter(_ name: String, help: String, labels: Labels = [:]) -> Counter {
        precondition(name.hasSuffix("_total"), "\(name): a counter's name ends in _total")
        let counter = Counter()
        register(name, help, labels, .counter(counter))
        return counter
    }

    package func gauge(_ name: String, help: String, labels: Labels = [:]) -> Gauge {
        let gauge = Gauge()
        register(name, help, labels, .gauge(gauge))
        return gauge
    }

    /// - Parameter bounds: see `Histogram.init`.
    package func histogram(
        _ name: String, help: String, labels: Labels = [:], bounds: [Double] = Histogram.secondsBounds
    ) -> Histogram {
        precondition(!labels.contains { $0.key == "le" }, "\(name): the label le is the histogram's own")
        let histogram = Histogram(bounds: bounds)
        register(name, help, labels, .histogram(histogram))
        return histogram
    }

    /// Every family in the order of registration. O(series).
    package func text() -> String {
        families.withLock { families in
            var text = ""
            for family in families {
                text += "# HELP \(family.name) \(Self.escaped(family.help, quotes: false))\n"
                text += "# TYPE \(family.name) \(family.typeName)\n"
                for series in family.series { Self.append(series, family.name, to: &text) }
            }
            return text
        }
    }

    private func register(_ name: String, _ help: String, _ labels: Labels, _ instrument: Instrument) {
        precondition(Self.isName(name, colons: true), "\(name): not a metric name")
        precondition(labels.allSatisfy { Self.isName($0.key, colons: false) }, "\(name): not a label name")
        let pairs = labels.map { "\($0.key)=\"\(Self.escaped($0.value, quotes: true))\"" }
        let series = Series(labels: pairs.joined(separator: ","), instrument: instrument)
        families.withLock { families in
            guard let index = families.firstIndex(where: { $0.name == name }) else {
                families.append(Family(name: name, help: help, typeName: instrument.typeName, series: [series]))
                return
            }
            let family = families[index]
            precondition(family.help == help && family.typeName == instrument.typeName, "\(name): registered otherwise")
            precondition(!family.series.contains { $0.labels == series.labels }, "\(name): registered twice")
            families[index].series.append(series)
        }
    }

    private static func append(_ series: Series, _ name: String, to text: inout String) {
        switch series.instrument {
        case .counter(let counter): append(name, series.labels, "\(counter.value)", to: &text)
        case .gauge(let gauge): append(name, series.labels, number(gauge.value), to: &text)
        case .histogram(let histogram):
            let counts = histogram.cumulativeCounts
            let prefix = series.labels.isEmpty ? "" : series.labels + ","
            for (bound, count) in zip(histogram.bounds.map(number) + ["+Inf"], counts) {
                append(name + "_bucket", prefix + "le=\"\(bound)\"", "\(count)", to: &text)
            }
            append(name + "_sum", series.labels, number(histogram.sum), to: &text)
            append(name + "_count", series.labels, "\(counts[counts.count - 1])", to: &text)
        }
    }

    private static func append(_ name: String, _ labels: String, _ value: String, to text: inout String) {
        text += name + (labels.isEmpty ? "" : "{\(labels)}") + " " + value + "\n"
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        let text = value.description
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func isName(_ text: String, colons: Bool) -> Bool {
        guard let first = text.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            case UInt8(ascii: ":"): colons
            default: false
            }
        }
    }
}
