import Bytes
import Crypto
import JSON
import Query
import Table
import Zones

/// The questions that a dashboard's data are the answers to, read and dated: making one computes nothing yet, so that a
/// client who has the data already is told so for nothing.
struct DataPlan: Sendable {
    /// The same thing an earlier time ago.
    struct Earlier: Sendable {
        let question: Question
        let days: Int
    }

    enum Work: Sendable {
        case refused(Problem)
        case ask(Widget, Question, earlier: Earlier?)
    }

    struct Item: Sendable {
        /// `widget_id`, `type`, `title`, `dates`.
        let head: [JSONObject.Member]
        let work: Work
    }

    let items: [Item]
    /// For somebody who has only a link.
    let isPublic: Bool
    /// Of the widgets without dates of their own.
    let range: TimeRange
    let zone: Zone
    /// Names the data: whoever has data of this name has what asking again would give.
    let tag: String

    /// - Parameters:
    ///   - isPublic: for somebody who has only a link: widgets that name people are refused.
    ///   - snapshot: what the questions will be asked of.
    init(
        _ dashboard: Dashboard, _ options: DataOptions, isPublic: Bool, snapshot: Snapshot, nowMicros: Int64,
        _ context: QuestionContext
    ) throws {
        let dates = options.dates ?? dashboard.dates
        let timeZone = options.timeZone ?? dashboard.definition["time_zone"]?.asString
        var common = JSONObject([.init("kind", "aggregate")])
        common["date_range"] = dates?.json
        common["time_zone"] = timeZone.map { .string($0) }
        let whole = try Question(parsing: .object(common), context: context)
        (range, zone, self.isPublic) = (whole.range, whole.zone, isPublic)
        let planner = WidgetPlanner(
            dates: dates, timeZone: timeZone, overridesDates: options.overridesDates,
            comparesPeriods: options.comparesPeriods ?? dashboard.definition["compare"]?.asBool ?? false,
            filters: [dashboard.definition["filters"], options.filters].compactMap { $0 }, isPublic: isPublic,
            zone: whole.zone, nowMicros: nowMicros, context: context)
        items = dashboard.widgets.enumerated().map { planner.item($1, index: $0) }
        var named = "\(snapshot.project.name) \(snapshot.tableVersion) \(snapshot.position) \(snapshot.clockMicros) "
        named += "\(snapshot.behind?.records ?? 0) \(snapshot.behind?.reason.rawValue ?? "")\n"
        named += "\(dashboard.id) \(dashboard.version) \(common)\n"
        named += "\(dashboard.json)\n\(options.filters ?? nil)\n\(isPublic) \(range)"
        for item in items { named += "\n\(item.head.map(\.value)) \(item.work.fingerprint)" }
        tag = "\"\(Hex.encode(SHA256.hash(Array(named.utf8)).prefix(16)))\""
    }
}

extension DataPlan.Work {
    /// What the answer depends on beside definition and snapshot: the instants.
    fileprivate var fingerprint: String {
        switch self {
        case .refused(let problem): problem.json.description
        case .ask(_, let question, let earlier):
            "\(question.range) \(question.zone.name) \(earlier.map { "\($0.question.range) \($0.days)" } ?? "")"
        }
    }
}

/// Makes a widget's questions.
private struct WidgetPlanner {
    let dates: DateSpan?
    let timeZone: String?
    let overridesDates: Bool
    let comparesPeriods: Bool
    let filters: [JSONValue]
    let isPublic: Bool
    let zone: Zone
    let nowMicros: Int64
    let context: QuestionContext

    func item(_ json: JSONValue, index: Int) -> DataPlan.Item {
        var head = ["widget_id", "type", "title"].map { JSONObject.Member($0, json[$0] ?? "") }
        do {
            let widget = try Widget(json, path: "widgets[\(index)]", context: context)
            let isOwn = widget.dates != nil && !(overridesDates && dates != nil)
            head.append(.init("dates", isOwn ? "widget" : "dashboard"))
            if isPublic, widget.namesPeople { throw Problem.namesPeople }
            let span = isOwn ? widget.dates : dates
            let question = try Question(
                parsing: widget.question(span, timeZone: timeZone, more: filters), context: context)
            let earlier = try earlier(widget, question.range)
            return DataPlan.Item(head: head, work: .ask(widget, question, earlier: earlier))
        } catch {
            return DataPlan.Item(head: head, work: .refused(Problem(error)))
        }
    }

    /// The question that a trend or a comparison asks beside the widget's own.
    private func earlier(_ widget: Widget, _ range: TimeRange) throws -> DataPlan.Earlier? {
        let days: Int
        if let trendDays = widget.trendDays {
            days = trendDays
        } else if comparesPeriods, [.chart, .metric].contains(widget.kind), range.from != .min {
            days = dayCount(range)
        } else {
            return nil
        }
        let earlier = range.moved(back: days, in: zone, cutAt: nowMicros)
        var span = DateSpan(end: ISO8601.format(micros: earlier.to))
        if earlier.from != .min { span.start = ISO8601.format(micros: earlier.from) }
        let question = try Question(
            parsing: widget.question(span, timeZone: timeZone, more: filters), context: context)
        return DataPlan.Earlier(question: question, days: days)
    }

    /// How many calendar days a range touches.
    private func dayCount(_ range: TimeRange) -> Int {
        let end = range.to == .max ? nowMicros : range.to
        let last = zone.civilDate(atMicros: max(range.from, end - 1))
        return last.daysSinceEpoch - zone.civilDate(atMicros: range.from).daysSinceEpoch + 1
    }
}

extension TimeRange {
    /// The range as far as it is over, so many calendar days earlier at the same clock times.
    fileprivate func moved(back days: Int, in zone: Zone, cutAt nowMicros: Int64) -> (from: Int64, to: Int64) {
        func moved(_ micros: Int64) -> Int64 {
            let day = zone.civilDate(atMicros: micros)
            let earlier = day.adding(days: -days)
            // A day may start later than midnight.
            if micros == zone.startOfDay(day) { return zone.startOfDay(earlier) }
            // What the clocks show is not the time since midnight where they were changed in between.
            let offset = Int64(zone.offsetSeconds(atUTCMicros: micros)) * 1_000_000
            let clock = micros + offset - Int64(day.daysSinceEpoch) * 86_400_000_000
            let (second, rest) = clock.quotientAndRemainder(dividingBy: 1_000_000)
            return zone.micros(day: earlier, secondOfDay: Int(second), micros: Int(rest))
        }
        let start = from == .min ? .min : moved(from)
        // Of two instants that show the same time the first is meant, also where the range goes from one to the other.
        return (start, max(start, moved(max(from, min(to, nowMicros)))))
    }
}

extension Problem {
    /// A shared dashboard shows numbers, not people.
    fileprivate static let namesPeople = Problem(
        status: 403, code: "private", message: "this widget names people; a link does not show it")
}
